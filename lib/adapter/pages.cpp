#include "lib/adapter/pages.hpp"

#include <cstdint>
#include <sys/mman.h>

namespace bencher::adapter {

void prefer_large_pages([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  // Whole large pages only, so that no more memory is touched than is asked for.
  constexpr std::uintptr_t page = 2 * 1024 * 1024;
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
  // A refusal costs nothing but time.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

}  // namespace bencher::adapter
