#include "lib/adapter/marks.hpp"

#include <algorithm>

#include "lib/adapter/text.hpp"
#include "lib/adapter/text_any.hpp"

namespace bencher::adapter {

Marks::Marks(std::string_view text, std::vector<std::string_view> marks) : text_(text) {
  for (const auto mark : marks) {
    const auto same = std::find_if(marks_.begin(), marks_.end(), [&](const Mark& m) { return m.text == mark; });
    marks_.push_back(
        {mark, static_cast<std::size_t>(same - marks_.begin()), mark.empty() ? State::here : State::unknown});
  }
}

std::size_t Marks::first_here(std::size_t from) const {
  while (from < marks_.size() && marks_[marks_[from].same].state != State::here)
    ++from;
  return from;
}

std::vector<std::size_t> Marks::open(std::size_t from, std::size_t to) const {
  std::vector<std::size_t> out;
  for (auto i = from; i < to; ++i)
    if (const auto same = marks_[i].same;
        marks_[same].state == State::unknown && std::find(out.begin(), out.end(), same) == out.end())
      out.push_back(same);
  return out;
}

std::size_t Marks::next(std::size_t from) {
  for (;;) {
    const auto found = first_here(from);
    const auto before = open(from, found);
    if (before.empty()) return found;
    search(before);
  }
}

void Marks::search(const std::vector<std::size_t>& open) {
  auto at = text_.size();
  std::vector<std::string_view> texts;
  for (const auto i : open) {
    at = std::min(at, marks_[i].searched);
    texts.push_back(marks_[i].text);
  }
  const auto hit = find_any(text_.substr(at), texts);
  for (const auto i : open) {
    marks_[i].searched = at + hit.before;
    if (hit.which == texts.size()) marks_[i].state = State::absent;
  }
  if (hit.which < texts.size()) marks_[open[hit.which]].state = State::here;
}

}  // namespace bencher::adapter
