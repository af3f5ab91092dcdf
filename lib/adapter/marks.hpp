// Which of several literals stand in a text, found in as few passes as possible.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace bencher::adapter {

/// A list of literals in the order of their weight: what counts is the first one that is there. Those behind it are
/// searched for only when asked for, so that the usual text is gone over once for the few before its own.
class Marks {
 public:
  /// An empty mark counts as there. The text must outlive this.
  Marks(std::string_view text, std::vector<std::string_view> marks);

  /// The first mark from `from` on that stands in the text; their number if there is none.
  std::size_t next(std::size_t from);

 private:
  enum class State : std::uint8_t { unknown, here, absent };
  void search(std::size_t from, std::size_t to);
  /// For all marks that are the same.
  void settle(std::size_t mark, State state);

  std::string_view text_;
  std::vector<std::string_view> marks_;
  std::vector<State> states_;
};

}  // namespace bencher::adapter
