// Which of several literals stand in a text, found in as few passes as possible.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace bencher::adapter {

/// A list of literals in the order of their weight: what counts is the first one that is there. Those behind it are
/// searched for only when asked for, all that are open at once.
class Marks {
 public:
  /// An empty mark counts as there. The text must outlive this.
  Marks(std::string_view text, std::vector<std::string_view> marks);

  /// The first mark from `from` on that stands in the text; their number if there is none.
  std::size_t next(std::size_t from);

 private:
  enum class State : std::uint8_t { unknown, here, absent };
  struct Mark {
    std::string_view text;
    std::size_t same;  ///< the first mark with this text, whose state is that of both
    State state;
    std::size_t searched = 0;  ///< it does not begin before
  };

  std::size_t first_here(std::size_t from) const;
  /// Those in [from, to) that are unknown, each text once.
  std::vector<std::size_t> open(std::size_t from, std::size_t to) const;
  /// Settles one of `open`, or all of them if none is there.
  void search(const std::vector<std::size_t>& open);

  std::string_view text_;
  std::vector<Mark> marks_;
};

}  // namespace bencher::adapter
