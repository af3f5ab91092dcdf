// Which sandboxes there are on this machine, and which one to take.
#include <algorithm>
#include <unistd.h>

#include "lib/sandbox/microvm.hpp"

namespace bencher::sandbox {

namespace {

// How much it isolates; nothing for words that are none.
std::optional<std::size_t> rank(std::string_view name) {
  if (name == "firecracker") name = "microvm";
  const auto all = names();
  const auto at = std::find(all.begin(), all.end(), name);
  if (at == all.end()) return std::nullopt;
  return static_cast<std::size_t>(at - all.begin());
}

Feature feature(std::string name, const Result<std::string>& found, std::string remedy) {
  Feature out{.name = std::move(name), .usable = found.has_value(), .text = {}, .remedy = {}};
  out.text = found ? *found : found.error().message();
  if (!found) out.remedy = std::move(remedy);
  return out;
}

Result<std::string> tool(const std::string& name) {
  auto path = find_tool(name);
  if (path.empty()) return Error(Errc::unavailable, name + " is missing");
  return path;
}

}  // namespace

Result<std::string> choose(std::string_view asked, std::string_view choice, std::string_view floor,
                           std::string_view best) {
  const auto wrong = [](std::string_view word) {
    return Error(Errc::invalid_argument,
                 "'" + std::string(word.substr(0, 64)) + "' is not a sandbox; there are: process, container, microvm");
  };
  const auto least = rank(floor);
  if (!least) return wrong(floor);
  const bool automatic = choice == "auto";
  const auto chosen = rank(automatic ? best : choice);
  if (!chosen) return wrong(choice);
  if (!automatic && *chosen < *least) {
    return Error(Errc::invalid_argument, "the sandbox '" + std::string(choice) +
                                             "' isolates less than the least allowed, '" + std::string(floor) + "'");
  }
  const auto wanted = asked.empty() ? chosen : rank(asked);
  if (!wanted) return wrong(asked);
  return std::string(names()[std::max(*wanted, *least)]);
}

std::string_view best_name(const Options& options) {
  // Without the device there is nothing to make or to try.
  if (options.acceleration == Acceleration::tcg || !kvm_opens()) return "container";
  const auto parts = microvm_parts(options);
  return parts && kvm_works(*parts) ? "microvm" : "container";
}

std::vector<Feature> features(const Options& options) {
  std::vector<Feature> out;
  const auto qemu = [&]() -> Result<std::string> {
    BENCHER_TRY(const auto engine, make_qemu());
    return engine->describe();
  };
  const auto kernel = [&]() -> Result<std::string> {
    BENCHER_TRY(const auto found, find_kernel(options.kernel));
    return found.image.string();
  };
  auto parts = microvm_parts(options);
  const auto kvm = [&]() -> Result<std::string> {
    if (options.acceleration == Acceleration::tcg)
      return Error(Errc::unavailable, "not tried, since guests are to be emulated");
    if (!kvm_opens()) return Error(Errc::unavailable, "this user cannot open /dev/kvm; guests are emulated, and slow");
    if (!parts) return Error(Errc::unavailable, "/dev/kvm opens, but there is no guest to try it with");
    if (!kvm_works(*parts))
      return Error(Errc::unavailable, "no guest comes up under it; guests are emulated, and slow");
    return std::string("guests come up");
  };
  const auto group = []() -> Result<std::string> {
    BENCHER_TRY(const auto made, Cgroup::create(Machine{}));
    (void)made;
    return std::string("memory, processes and cpu can be limited");
  };
  const auto usable = [&](const char* name) -> Result<std::string> {
    BENCHER_TRY(const auto made, make(name, options));
    (void)made;
    return std::string("usable");
  };
  out.push_back(feature("microvm", usable("microvm"), "see the next lines"));
  out.push_back(feature("  qemu", qemu(), "apt-get install --no-install-recommends qemu-system-x86"));
  const auto firecracker = [&]() -> Result<std::string> {
    const auto program = options.firecracker.empty() ? find_tool("firecracker") : options.firecracker.string();
    if (program.empty()) return Error(Errc::unavailable, "firecracker is missing, which only matters without QEMU");
    BENCHER_TRY(const auto engine, make_firecracker(program));
    return engine->describe();
  };
  out.push_back(feature("  firecracker", firecracker(), "no package has it: put a release's program into PATH"));
  out.push_back(feature("  kvm", kvm(), "a machine with virtualization, and this user in the group kvm"));
  out.push_back(feature("  kernel", kernel(), "scripts/fetch-kernel"));
  out.push_back(feature("  mksquashfs", tool("mksquashfs"), "apt-get install squashfs-tools"));
  out.push_back(feature("  mke2fs", tool("mke2fs"), "apt-get install e2fsprogs"));
  out.push_back(feature("container", usable("container"), "see the next lines"));
  out.push_back(feature("  bwrap", tool("bwrap"), "apt-get install bubblewrap"));
  out.push_back(feature("  cgroups", group(), "run as root, or delegate cpu, memory and pids to this user"));
  out.push_back(feature("process", usable("process"), "a --work-dir that can be written to"));
  return out;
}

}  // namespace bencher::sandbox
