#include "lib/adapter/marks.hpp"

#include <algorithm>

#include "lib/adapter/text.hpp"

namespace bencher::adapter {

Marks::Marks(std::string_view text, std::vector<std::string_view> marks)
    : text_(text), marks_(std::move(marks)), states_(marks_.size(), State::unknown) {
  for (std::size_t i = 0; i < marks_.size(); ++i)
    if (marks_[i].empty()) states_[i] = State::here;
}

void Marks::settle(std::size_t mark, State state) {
  for (std::size_t i = mark; i < marks_.size(); ++i)
    if (marks_[i] == marks_[mark]) states_[i] = state;
}

std::size_t Marks::next(std::size_t from) {
  const auto first_here = [&] {
    return static_cast<std::size_t>(
        std::find(states_.begin() + static_cast<std::ptrdiff_t>(from), states_.end(), State::here) - states_.begin());
  };
  search(from, first_here());
  return first_here();
}

/// Settles the marks in [from, to) up to the first one that is there.
void Marks::search(std::size_t from, std::size_t to) {
  std::vector<std::size_t> open;
  for (auto i = from; i < to; ++i)
    if (states_[i] == State::unknown &&
        std::none_of(open.begin(), open.end(), [&](std::size_t o) { return marks_[o] == marks_[i]; }))
      open.push_back(i);
  // A chunk stays in the nearest cache while all marks are looked for in it.
  constexpr std::size_t chunk = 16 * 1024;
  for (std::size_t at = 0; at < text_.size() && !open.empty(); at += chunk) {
    for (std::size_t k = 0; k < open.size(); ++k) {
      const auto mark = marks_[open[k]];
      // A mark may begin in this chunk and end in the next one.
      const auto part = text_.substr(at, chunk + mark.size() - 1);
      if (!holds(part, mark)) continue;
      settle(open[k], State::here);
      open.resize(k);
    }
  }
  for (const auto i : open)
    settle(i, State::absent);
}

}  // namespace bencher::adapter
