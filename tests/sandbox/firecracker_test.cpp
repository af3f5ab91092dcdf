// Against a stand-in that speaks Firecracker's API: the program itself is in no package, and needs KVM.
#include <doctest/doctest.h>

#include "lib/sandbox/microvm.hpp"
#include "tests/sandbox/world.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using namespace bencher::sandbox::test;

namespace {

std::size_t left_folders() {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator("/tmp"))
    count += entry.path().filename().string().starts_with("bencher-firecracker-") ? 1 : 0;
  return count;
}

/// The whole way through the sandbox, with a link to the stand-in of that name as the program.
Result<Outcome> run_with(const std::string& name, Sink& sink, Machine machine = {.memory = 256u << 20}) {
  TempDir dir;
  build_root(dir / "root");
  fs::create_symlink(std::string(BENCHER_TEST_DATA) + "/firecracker_stand_in.py", dir / name);
  Options options = options_for("microvm", dir / "work");
  options.acceleration = Acceleration::automatic;
  options.firecracker = dir / name;
  BENCHER_TRY(const auto box, make("microvm", options));
  Request request;
  request.command = {"true", "a b"};
  return box->run(dir / "root", machine, request, sink);
}

bool usable() {
  TempDir dir;
  const auto parts = microvm_parts(options_for("microvm", dir / "work"));
  if (!parts) MESSAGE("SKIPPED, there is no kernel or mksquashfs: " << parts.error().message());
  return parts.has_value();
}

}  // namespace

TEST_CASE("Firecracker is told what machine to be, and its guest is heard by vsock") {
  if (!usable()) return;
  const auto before = left_folders();
  Sink sink;
  const auto outcome = run_with("firecracker", sink, {.memory = 256u << 20, .disk = 64u << 20});
  REQUIRE_MESSAGE(outcome, outcome.error().message());
  CHECK(outcome->exit_code == 5);
  CHECK(sink.err == "true|a b");
  for (const char* part :
       {R"("/actions": {"action_type": "InstanceStart"})", R"("/vsock": {"guest_cid": 3, "uds_path": "vsock"})",
        R"("/machine-config": {"mem_size_mib": 360, "smt": false, "vcpu_count": 1})",
        R"("drive_id": "image", "is_read_only": true, "is_root_device": false)",
        R"("drive_id": "scratch", "is_read_only": false)", "bencher.vsock"})
    CHECK_MESSAGE(sink.out.find(part) != std::string::npos, sink.out);
  CHECK(left_folders() == before);
}

TEST_CASE("what Firecracker refuses, and its early end, are told with its own words") {
  if (!usable()) return;
  const auto before = left_folders();
  Sink sink;
  auto outcome = run_with("firecracker-refuse", sink);
  REQUIRE_FALSE(outcome);
  CHECK_MESSAGE(outcome.error().message().find("/boot-source") != std::string::npos, outcome.error().message());
  CHECK(outcome.error().message().find("The kernel file cannot be opened") != std::string::npos);
  outcome = run_with("firecracker-die", sink);
  REQUIRE_FALSE(outcome);
  CHECK_MESSAGE(outcome.error().message().find("cannot create the machine") != std::string::npos,
                outcome.error().message());
  outcome = run_with("firecracker", sink, {.memory = 256u << 20, .network = true});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().message().find("network") != std::string::npos);
  CHECK(left_folders() == before);
}
