// How soon the server answers, and how much memory it then has.
//
//   footprint [STARTS]      (default 20)
#include <cstdlib>
#include <exception>
#include <filesystem>

#include <fmt/format.h>

#include "support.hpp"

using namespace bencher::bench;

namespace {

/// Milliseconds from before the exec to the first answer.
double start(const std::filesystem::path& data, Memory* memory_after) {
  const auto begin = Clock::now();
  Server server(data);
  Client client(server.port());
  client.call(200, "GET", "/v0/server/version", "");
  const auto taken = milliseconds(Clock::now() - begin);
  if (memory_after) *memory_after = memory(server.pid());
  return taken;
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  try {
    const int starts = argc > 1 ? std::atoi(argv[1]) : 20;
    if (starts < 1) {
      fmt::print(stderr, "usage: footprint [STARTS]\n");
      return 2;
    }
    auto name = (fs::temp_directory_path() / "bencher-footprint-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make " + name);
    const fs::path root = name;
    std::vector<double> again, fresh;
    Memory m;
    for (int i = 0; i < starts; ++i) {
      const auto data = root / std::to_string(i);
      fs::create_directory(data);
      fresh.push_back(start(data, nullptr));
      again.push_back(start(data, &m));
      fs::remove_all(data);
    }
    fs::remove_all(root);
    fmt::print("| footprint | value |\n|---|--:|\n");
    fmt::print("| start to first answer, data there (median of {}) | {:.1f} ms |\n", starts, percentile(again, 0.5));
    fmt::print("| start to first answer, empty folder (median of {}) | {:.1f} ms |\n", starts, percentile(fresh, 0.5));
    fmt::print("| RSS after one request | {:.1f} MiB |\n", static_cast<double>(m.rss) / 1024);
    fmt::print("| PSS (shared pages by share) | {:.1f} MiB |\n", static_cast<double>(m.pss) / 1024);
    fmt::print("| USS (private pages) | {:.1f} MiB |\n", static_cast<double>(m.uss) / 1024);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "footprint: {}\n", e.what());
    return 1;
  }
}
