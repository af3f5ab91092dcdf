// A pull scanner for the XML that test tools write: elements and attributes, in one pass and without a copy of the
// text. It checks that elements close in order; it reads no DTD, and no entity but the five of XML and numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::adapter {

class Xml {
 public:
  enum class Token { open, close, end };

  /// Begins at `from`. What stands before the first element, and between documents, is passed over.
  explicit Xml(std::string_view text, std::size_t from = 0) : text_(text), at_(from) {}

  /// The next tag. `<a/>` gives `open`, then `close`. `end` also for a text that breaks off or is malformed.
  Token next();
  /// Of the last tag.
  std::string_view name() const { return name_; }
  /// How many elements are open: with `open` counting this one, with `close` not any more.
  std::size_t depth() const { return open_.size(); }
  /// The value of an attribute of the last opened element, its references replaced. False: it has none.
  bool attribute(std::string_view key, std::string& out) const;
  /// The next attribute behind `at`, which begins at 0; its value as it is written. False: there is none.
  bool next_attribute(std::size_t& at, std::string_view& key, std::string_view& raw) const;
  /// A value with its references replaced.
  static void unescape(std::string_view raw, std::string& out);

  bool failed() const { return !reason_.empty(); }
  /// Why and at which line.
  Error error() const;

  static constexpr std::size_t max_depth = 256;

 private:
  Token fail(std::string reason);
  bool skip_markup();
  bool skip_past(std::string_view end);

  std::string_view text_;
  std::size_t at_;
  std::string_view name_, attributes_;
  std::vector<std::string_view> open_;
  bool closes_ = false;  ///< whether the last tag was `<a/>` and its `close` is due
  std::string reason_;
};

}  // namespace bencher::adapter
