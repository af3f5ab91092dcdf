// What every list has: a page, a direction, filters; and its total.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bencher::storage {

struct Paging {
  std::uint32_t page = 1;  ///< from 1; 0 is 1
  std::uint32_t per_page = 8;
  bool descending = false;
  std::int64_t offset() const { return (std::int64_t{page == 0 ? 1 : page} - 1) * per_page; }
};

/// The filters that lists of named things share.
struct Filter {
  std::optional<std::string> name;
  std::optional<std::string> search;  ///< in name, slug and UUID; ASCII letters match in either case
  bool archived = false;              ///< only (or, for runners and specs, also) archived ones
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
};

/// The pattern of a LIKE … ESCAPE '\' that finds `text` anywhere.
std::string like(const std::string& text);

}  // namespace bencher::storage
