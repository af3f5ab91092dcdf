#pragma once

#include <cstddef>

namespace bencher::adapter {

/// Asks the kernel to back memory that is about to be written with large pages, where it is large itself. Of texts of
/// short rows a quarter of the time was the first touch of small ones, and looking names up misses the TLB less.
void prefer_large_pages(void* data, std::size_t bytes);

}  // namespace bencher::adapter
