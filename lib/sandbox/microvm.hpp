// What a microVM is made with.
#pragma once

#include <memory>
#include <string>

#include "lib/sandbox/backend.hpp"
#include "lib/sandbox/engine.hpp"
#include "lib/sandbox/guest_reader.hpp"
#include "lib/sandbox/guest_session.hpp"
#include "lib/sandbox/image_cache.hpp"
#include "lib/sandbox/kernel.hpp"
#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

struct MicroVmParts {
  std::unique_ptr<Engine> engine;
  std::string mksquashfs;
  std::string kernel_name;
  ImageCache cache;
  files::Fd kernel, initramfs;
};
/// Finds or makes them. Error: `unavailable`, naming what is missing.
Result<MicroVmParts> microvm_parts(const Options& options);

/// QEMU, or Firecracker where it is asked for or all that there is.
Result<std::unique_ptr<Engine>> find_engine(const Options& options);

/// Whether guests come up under KVM; found out once each time the machine started.
bool kvm_works(const MicroVmParts& parts);

}  // namespace bencher::sandbox
