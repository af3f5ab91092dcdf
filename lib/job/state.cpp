#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "bencher/job/job.hpp"

namespace bencher {
namespace {

struct Transition {
  JobStatus from;
  JobEvent event;
  JobStatus to;
};

using S = JobStatus;
using E = JobEvent;

constexpr std::array transitions{
    Transition{S::pending, E::claim, S::claimed},
    Transition{S::pending, E::cancel, S::canceled},
    Transition{S::claimed, E::release, S::pending},
    Transition{S::claimed, E::start, S::running},
    Transition{S::claimed, E::fail, S::failed},
    Transition{S::claimed, E::lose, S::failed},
    Transition{S::claimed, E::cancel, S::canceled},
    Transition{S::running, E::start, S::running},
    Transition{S::running, E::complete, S::completed},
    Transition{S::running, E::fail, S::failed},
    Transition{S::running, E::lose, S::failed},
    Transition{S::running, E::overrun, S::canceled},
    Transition{S::running, E::cancel, S::canceled},
    Transition{S::completed, E::process, S::processed},
    Transition{S::completed, E::reject, S::failed},
    // A runner that was thought lost delivers after all: its word beats the guess.
    Transition{S::failed, E::complete, S::completed},
};

}  // namespace

std::string_view to_string(JobStatus status) {
  switch (status) {
    case S::pending: return "pending";
    case S::claimed: return "claimed";
    case S::running: return "running";
    case S::completed: return "completed";
    case S::processed: return "processed";
    case S::failed: return "failed";
    case S::canceled: return "canceled";
  }
  return "unknown";
}

std::string_view to_string(JobEvent event) {
  switch (event) {
    case E::claim: return "claim";
    case E::release: return "release";
    case E::start: return "start";
    case E::complete: return "complete";
    case E::fail: return "fail";
    case E::cancel: return "cancel";
    case E::lose: return "lose";
    case E::overrun: return "overrun";
    case E::process: return "process";
    case E::reject: return "reject";
  }
  return "unknown";
}

std::string_view to_string(JobStage stage) {
  switch (stage) {
    case JobStage::queued: return "queued";
    case JobStage::claimed: return "claimed";
    case JobStage::pulled: return "pulled";
    case JobStage::booted: return "booted";
    case JobStage::ran: return "ran";
    case JobStage::processed: return "processed";
  }
  return "unknown";
}

std::optional<JobStage> parse_runner_stage(std::string_view text) {
  for (const auto stage : {JobStage::pulled, JobStage::booted, JobStage::ran})
    if (text == to_string(stage)) return stage;
  return std::nullopt;
}

std::optional<JobStatus> next_status(JobStatus from, JobEvent event) {
  const auto* found = std::find_if(transitions.begin(), transitions.end(),
                                   [&](const Transition& t) { return t.from == from && t.event == event; });
  if (found == transitions.end()) return std::nullopt;
  return found->to;
}

Result<JobState> step(JobState state, JobEvent event, Timestamp now) {
  const auto to = next_status(state.status, event);
  if (!to)
    return Error(Errc::conflict, fmt::format("cannot {} a job that is {}", to_string(event), to_string(state.status)));
  switch (event) {
    case E::claim:
      state.claimed = now;
      state.last_heartbeat = now;
      break;
    case E::release:
      state.claimed.reset();
      state.last_heartbeat.reset();
      break;
    case E::start:
      if (!state.started) state.started = now;
      state.last_heartbeat = now;
      break;
    case E::complete:
    case E::fail:
    case E::cancel:
    case E::lose:
    case E::overrun: state.completed = now; break;
    case E::process:
    case E::reject: break;
  }
  state.status = *to;
  return state;
}

bool past_limit(const JobState& state, std::int64_t timeout, std::int64_t grace, Timestamp now) {
  return state.started && now.seconds - state.started->seconds > timeout + grace;
}

JobEvent silence_event(const JobState& state, std::int64_t timeout, std::int64_t grace, Timestamp now) {
  return past_limit(state, timeout, grace, now) ? E::overrun : E::lose;
}

int job_priority(Plan plan) {
  switch (plan) {
    case Plan::unclaimed: return 0;
    case Plan::free: return 100;
    case Plan::team: return 200;
    case Plan::enterprise: return 300;
  }
  return 0;
}

std::uint32_t job_timeout(Plan plan, std::optional<std::uint32_t> requested) {
  switch (plan) {
    case Plan::unclaimed: return std::min(requested.value_or(60), 60u);
    case Plan::free: return std::min(requested.value_or(300), 300u);
    case Plan::team:
    case Plan::enterprise: return requested.value_or(3600);
  }
  return 60;
}

Concurrency concurrency_of(int priority) {
  if (priority >= 200) return Concurrency::unlimited;
  return priority >= 100 ? Concurrency::one_per_organization : Concurrency::one_per_source_ip;
}

std::vector<Output> adapter_texts(const JobOutput& output) {
  std::vector<Output> texts;
  for (const auto& iteration : output.results) {
    if (iteration.output) {
      for (const auto& [path, content] : *iteration.output)
        texts.push_back({path, content});
    } else if (iteration.stdout_) {
      texts.push_back({{}, *iteration.stdout_});
    }
  }
  return texts;
}

}  // namespace bencher
