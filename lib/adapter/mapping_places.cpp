// The places that a mapping file names: pointers, and the trees of them that a format is read along.

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "lib/adapter/mapping.hpp"

namespace bencher::adapter {

using Plan = MappingPlan;

namespace {

constexpr auto none = Plan::none;
constexpr std::size_t most_parts = 64;

bool same_part(const Plan::Part& a, const Plan::Part& b) {
  return a.every == b.every && a.text == b.text;
}

bool same(const Plan::Slot& a, const Plan::Slot& b) {
  return a.from == b.from && a.level == b.level && a.number == b.number && a.name == b.name &&
         std::equal(a.pointer.begin(), a.pointer.end(), b.pointer.begin(), b.pointer.end(), same_part);
}

/// Puts a slot into the tree of those beside it.
void add_to(Plan::Node& node, const Plan::Pointer& pointer, std::size_t slot) {
  auto* at = &node;
  for (const auto& part : pointer) {
    auto child = std::lower_bound(at->children.begin(), at->children.end(), part.text,
                                  [](const auto& c, const std::string& key) { return c.key < key; });
    if (child == at->children.end() || child->key != part.text)
      child = at->children.insert(child, {part.text, part.index, {}});
    at = &child->node;
  }
  at->slot = slot;
}

void sort_indices(Plan::Node& node) {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (node.children[i].index != none) node.by_index.push_back(i);
    sort_indices(node.children[i].node);
  }
  std::sort(node.by_index.begin(), node.by_index.end(),
            [&](std::size_t a, std::size_t b) { return node.children[a].index < node.children[b].index; });
}

}  // namespace

std::size_t index_in(std::string_view text) {
  std::size_t index = 0;
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text.front() == '0')) return none;
  const auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), index);
  return ec == std::errc() && stop == text.data() + text.size() ? index : none;
}

std::string read_pointer(std::string_view text, bool stars, Plan::Pointer& out) {
  out.clear();
  if (text.empty()) return {};
  if (text.front() != '/') return fmt::format("'{}' is no pointer: it is empty or begins with /", shown_text(text));
  while (!text.empty()) {
    const auto end = std::min(text.find('/', 1), text.size());
    Plan::Part part;
    part.every = text.substr(1, end - 1) == "*";
    if (part.every && !stars) return "'*' belongs into rows; a key that is an asterisk is written ~*";
    for (std::size_t i = 1; i < end; ++i) {
      if (text[i] != '~') {
        part.text += text[i];
        continue;
      }
      ++i;
      if (i == end || (text[i] != '0' && text[i] != '1' && text[i] != '*'))
        return "in a pointer, ~ is written ~0 and / is written ~1";
      part.text += text[i] == '0' ? '~' : text[i] == '1' ? '/' : '*';
    }
    part.index = part.every ? none : index_in(part.text);
    out.push_back(std::move(part));
    text.remove_prefix(end);
  }
  return out.size() > most_parts ? fmt::format("a pointer has at most {} parts", most_parts) : std::string();
}

std::size_t star_count(const Plan::Pointer& pointer) {
  return static_cast<std::size_t>(
      std::count_if(pointer.begin(), pointer.end(), [](const Plan::Part& part) { return part.every; }));
}

std::size_t slot_number(MappingPlan& plan, Plan::Slot slot) {
  const auto known =
      std::find_if(plan.slots.begin(), plan.slots.end(), [&](const Plan::Slot& s) { return same(s, slot); });
  const auto number = static_cast<std::size_t>(known - plan.slots.begin());
  if (known == plan.slots.end()) plan.slots.push_back(std::move(slot));
  return number;
}

bool hang_from_root(const MappingPlan& plan, Plan::Slot& slot) {
  auto level = slot.pointer.size();
  while (level > 0 && !slot.pointer[level - 1].every)
    --level;
  const auto own = slot.pointer.begin() + static_cast<std::ptrdiff_t>(level);
  if (level > plan.rows.size() || !std::equal(slot.pointer.begin(), own, plan.rows.begin(), same_part)) return false;
  slot.pointer.erase(slot.pointer.begin(), own);
  // Where that is the row itself, the place is one within it.
  const bool inner = level == plan.rows.size();
  slot.from = inner ? Plan::Slot::From::row : Plan::Slot::From::root;
  slot.level = inner ? 0 : level;
  return true;
}

void plant_slots(MappingPlan& plan) {
  plan.outer.resize(plan.rows.size());
  for (std::size_t i = 0; i < plan.slots.size(); ++i) {
    const auto& slot = plan.slots[i];
    if (slot.from == Plan::Slot::From::row) add_to(plan.row, slot.pointer, i);
    if (slot.from == Plan::Slot::From::root) add_to(plan.outer[slot.level], slot.pointer, i);
  }
  sort_indices(plan.row);
  for (auto& node : plan.outer)
    sort_indices(node);
}

}  // namespace bencher::adapter
