// The guest's init, built beside this library and carried in it.
#include "lib/sandbox/kernel.hpp"

#ifdef BENCHER_INIT_PROGRAM
asm(".section .rodata\n"
    ".balign 16\n"
    ".globl bencher_init_begin, bencher_init_end\n"
    ".hidden bencher_init_begin, bencher_init_end\n"
    ".type bencher_init_begin, @object\n"
    "bencher_init_begin:\n"
    ".incbin \"" BENCHER_INIT_PROGRAM
    "\"\n"
    ".type bencher_init_end, @object\n"
    "bencher_init_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char bencher_init_begin[] __attribute__((visibility("hidden")));
extern const char bencher_init_end[] __attribute__((visibility("hidden")));
}

namespace bencher::sandbox {

std::string_view init_program() {
  return {bencher_init_begin, static_cast<std::size_t>(bencher_init_end - bencher_init_begin)};
}

}  // namespace bencher::sandbox
#else
namespace bencher::sandbox {

std::string_view init_program() {
  return {};
}

}  // namespace bencher::sandbox
#endif
