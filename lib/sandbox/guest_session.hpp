// A run in a virtual machine, from its start to its end, on the runner's side.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "bencher/base/result.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "lib/sandbox/engine.hpp"
#include "lib/sandbox/supervisor.hpp"

namespace bencher::sandbox {

struct GuestTask {
  const Request& request;
  std::string orders;  ///< to the guest once it is up: everything up to `start`
  std::chrono::milliseconds start_limit{0};
  std::function<void()> on_hello = {};  ///< once the guest is up, before it gets its orders
};

/// Talks with the guest until it ends; nothing that it says or leaves unsaid makes this take longer than its deadlines.
/// Errors: `unavailable`, `too_large`, `cancelled` as of `Sandbox::run`; `conflict` when the guest breaks the protocol.
/// `came_up` tells whether its init spoke at all.
Result<Outcome> talk(Vm& vm, const GuestTask& task, EventSink& events, CancelFlag& cancel, bool& came_up);

}  // namespace bencher::sandbox
