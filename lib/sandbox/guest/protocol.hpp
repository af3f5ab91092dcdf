// What the runner and the init of a microVM say to each other; docs/microvm-protocol.md tells the course of it.
//
// Three channels, each a virtio-serial port of that name, or a vsock connection. `bencher.out` and `bencher.err` carry
// the program's bytes as they are, from the guest only. `bencher.control` carries records both ways:
//
//   kind: 1 byte | length: 4 bytes, little-endian | that many bytes of payload
//
// Numbers in payloads are little-endian. A port knows no end of file, hence the counts in `finished` and the `done`
// that answers it: a guest that leaves earlier would take bytes along that are still under way.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bencher::sandbox::guest {

constexpr const char* control_port = "bencher.control";
constexpr const char* out_port = "bencher.out";
constexpr const char* err_port = "bencher.err";
// Where there are no ports: a word of the kernel's command line, and the ports of the host's vsock. The disks are then
// vda, the image, and vdb.
constexpr const char* vsock_word = "bencher.vsock";
constexpr std::uint32_t first_vsock_port = 5001;  ///< control; out and err follow
// The serial numbers of the disks.
constexpr const char* image_disk = "image";
constexpr const char* scratch_disk = "scratch";

constexpr std::size_t head_size = 5;
/// Of a payload, both ways. An argument and a variable are below 128 KiB.
constexpr std::uint32_t max_payload = 256 * 1024;

/// From the runner. Everything up to `start` describes the program; `argument`, `variable` and `file` repeat.
enum class Order : char {
  argument = 'a',
  variable = 'e',  ///< `KEY=value`
  folder = 'c',    ///< to start in
  user = 'u',      ///< u32: uid, gid, more groups
  file = 'f',      ///< to send at the end; relative ones start at the folder
  limits = 'l',    ///< `Limits`
  start = 's',
  terminate = 't',  ///< ask the program to end
  kill = 'k',       ///< end it
  done = 'y',       ///< everything arrived: power off
};

struct Limits {
  std::uint64_t memory = 0;     ///< bytes, of the program with all it starts
  std::uint64_t processes = 0;  ///< threads count, too
  std::uint64_t disk = 0;       ///< bytes, where there is no scratch disk
  std::uint64_t output = 0;     ///< bytes of each stream; one more is sent, to show that there was more
  std::uint64_t files = 0;      ///< bytes of all files; one more likewise
  std::uint64_t network = 0;    ///< 1: set the interface up
};

/// From the guest, in this order but for `log`: hello, started, ended, (file, data…)…, finished. Or, at any time,
/// `failed`.
enum class Report : char {
  hello = 'H',    ///< u64: microseconds since the kernel started
  log = 'L',      ///< a line for the operator
  failed = '!',   ///< what could not be set up, as text; nothing follows
  started = 'S',  ///< empty
  ended = 'E',    ///< `Ended`
  file = 'F',     ///< u32: which of the files asked for; its data follow
  data = 'D',
  finished = 'X',  ///< `Finished`
};

struct Ended {
  std::uint64_t status = 0;  ///< as of wait
  std::uint64_t wall_us = 0, user_us = 0, system_us = 0;
  std::uint64_t max_rss = 0;  ///< bytes
  std::uint64_t oom_kills = 0;
};

struct Finished {
  std::uint64_t out_written = 0, out_sent = 0;  ///< bytes: by the program, through the port
  std::uint64_t err_written = 0, err_sent = 0;
};

static_assert(sizeof(Limits) == 48 && sizeof(Ended) == 48 && sizeof(Finished) == 32);

}  // namespace bencher::sandbox::guest
