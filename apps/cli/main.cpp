#include <iostream>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "apps/cli/cli.hpp"

int main(int argc, char** argv) {
  bencher::cli::RealWorld world;
  auto exit = bencher::cli::run_cli(std::vector<std::string>(argv + 1, argv + argc), world.get());
  if (!std::cout && exit == bencher::cli::Exit::ok) {
    // A reader that has seen enough (its end of the pipe is closed) is no failure; a full disk is.
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 0) < 1 || (out.revents & POLLERR) == 0) {
      std::cerr << "error: standard output could not be written\n";
      exit = bencher::cli::Exit::internal;
    }
  }
  return static_cast<int>(exit);
}
