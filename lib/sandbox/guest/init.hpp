// The first program of a microVM: sets the machine up, runs one program, and tells the runner. It is static, small and
// free of the C++ library, and nothing in it is trusted by the runner.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/sandbox/guest/protocol.hpp"

namespace bencher::sandbox::guest {

/// What is to be run, as the runner described it. The lists end with a null pointer.
struct Job {
  static constexpr std::size_t most = 262144;
  char** arguments = nullptr;
  char** env = nullptr;
  char** files = nullptr;
  std::size_t argument_count = 0, env_count = 0, file_count = 0;
  const char* folder = "/";
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t groups[64] = {};
  std::size_t group_count = 0;
  Limits limits;
};

// channel.cpp

/// Whether the channels are vsock connections.
bool by_vsock();
/// Opens the channels; waits for them.
void open_channels();
int control();
int out_channel();
int err_channel();
void send(Report kind, const void* payload, std::size_t size);
void log(const char* text);
/// One record; the payload ends with a NUL that does not count. False when none has come whole; never waits.
bool next_order(Order& kind, char*& payload, std::size_t& size);
/// Tells the runner what failed, with errno's text, and ends the machine.
[[noreturn]] void fail(const char* step);
/// Waits for `done`, but not for ever, and ends the machine.
[[noreturn]] void power_off();
std::uint64_t now_us();

// setup.cpp

void mount_basics();
void load_modules();
/// The image below a writable layer, as `/`. Opens the control group's files, which are out of reach afterwards.
struct Group {
  int procs = -1, kill = -1, events = -1;
};
Group enter_root(const Job& job);
void start_network(bool outside);

// run.cpp

/// Runs it and sends everything up to `finished`.
void run(const Job& job, const Group& group);

}  // namespace bencher::sandbox::guest
