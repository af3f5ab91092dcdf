// Prints docs/adapters.md: `adapters_page CHECKOUT`.

#include <cstdio>

#include "tools/adapters_page/page.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: adapters_page CHECKOUT > docs/adapters.md\n", stderr);
    return 2;
  }
  const auto page = bencher::tools::adapters_page(argv[1], bencher::tools::harnesses());
  if (!page) {
    std::fprintf(stderr, "error: %s\n", page.error().message().c_str());
    return 1;
  }
  return std::fwrite(page->data(), 1, page->size(), stdout) == page->size() && std::fflush(stdout) == 0 ? 0 : 1;
}
