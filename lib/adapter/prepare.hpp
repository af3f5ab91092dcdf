// Takes off a text what is no part of the results in it: byte order marks, encodings, terminal escapes.
#pragma once

#include <string>
#include <string_view>

#include "bencher/base/result.hpp"

namespace bencher::adapter {

/// A text as UTF-8, and the storage of what had to be made anew.
class Prepared {
 public:
  /// A byte order mark is taken off, UTF-16 is read as such (a mark, or every other byte of the beginning is 0).
  /// Malformed sequences become U+FFFD, and `malformed` says at which line the first one was.
  static Result<Prepared> of(std::string_view bytes);

  std::string_view text() const { return owned_.empty() ? view_ : owned_; }
  /// The text without terminal escapes (ECMA-48 control sequences, OSC and DCS strings); made when first asked for.
  std::string_view plain();
  /// 0, or the line of the first malformed sequence.
  std::size_t malformed() const { return malformed_; }

 private:
  std::string_view view_;
  std::string owned_, plain_;
  std::size_t malformed_ = 0;
  bool has_plain_ = false, same_ = false;
};

/// `text` without escape sequences; everything else, control characters too, stays.
std::string strip_escapes(std::string_view text);

}  // namespace bencher::adapter
