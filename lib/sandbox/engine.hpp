// What makes virtual machines: one interface for each program that can.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bencher/base/result.hpp"

#include "lib/image/files.hpp"
#include "lib/sandbox/cgroup.hpp"

namespace bencher::sandbox {

/// What a machine is made of. Descriptors are borrowed.
struct VmConfig {
  std::uint32_t cpus = 1;
  std::uint64_t memory = 0;  ///< bytes, a multiple of 1 MiB
  bool network = false;
  int kernel = -1;
  int initramfs = -1;
  int image = -1;    ///< read-only disk; -1: none
  int scratch = -1;  ///< disk; -1: none
  bool kvm = false;  ///< else emulated
  const Cgroup* cgroup = nullptr;
  std::vector<int> placed = {};  ///< processors of this machine that it runs on; none: all
};

/// A running machine. Its process is killed with the object, and ends with the thread that started it.
class Vm {
 public:
  Vm() = default;
  ~Vm();
  Vm(Vm&& other) noexcept;
  Vm& operator=(Vm&&) = delete;

  files::Fd control, out, err;        ///< the guest's channels
  files::Fd console;                  ///< what its kernel prints
  files::Fd errors;                   ///< what the engine prints
  bool listening = false;             ///< the channels are still to be accepted, once each
  std::filesystem::path folder = {};  ///< removed with it
  int pid = -1;
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// With its version, for people.
  virtual std::string describe() const = 0;
  /// Whether the guest reaches us by vsock, and finds its disks in order; else by ports, and serial numbers.
  virtual bool vsock() const { return false; }
  /// Whether it can do without KVM.
  virtual bool emulates() const { return true; }
  /// Errors: `unavailable`. A machine that ends at once is no error here: its channels close.
  virtual Result<Vm> start(const VmConfig& config) = 0;
};

/// Each processor of a machine that is up onto one of this machine's, in order; the engine's own threads onto the last.
void place(const Vm& vm, const std::vector<int>& cpus);

/// QEMU's `microvm` machine. Error: `unavailable`, with what to install.
Result<std::unique_ptr<Engine>> make_qemu();

/// Firecracker, driven by its API. Needs KVM, has no network. Error: `unavailable`.
Result<std::unique_ptr<Engine>> make_firecracker(const std::string& program);

/// Whether this process may use /dev/kvm at all. That says little of whether guests run under it.
bool kvm_opens();

}  // namespace bencher::sandbox
