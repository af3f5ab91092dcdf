// One stream of a program, on the runner's side.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <utility>

#include "bencher/sandbox/sandbox.hpp"

#include "lib/image/files.hpp"

namespace bencher::sandbox {

/// Hands on up to the limit, counts the rest.
class Output {
 public:
  Output(files::Fd fd, Stream stream, std::uint64_t limit, EventSink& events)
      : fd_(std::move(fd)), stream_(stream), limit_(limit), events_(events) {
    fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  }

  bool open() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t cut() const { return bytes_ > limit_ ? bytes_ - limit_ : 0; }

  /// Once, so that the streams take turns.
  void pump() {
    char buffer[64 * 1024];
    const auto got = ::read(fd_.get(), buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      fd_.reset();
      return;
    }
    const auto size = static_cast<std::uint64_t>(got);
    const std::uint64_t room = bytes_ < limit_ ? limit_ - bytes_ : 0;
    bytes_ += size;
    if (room > 0) events_.output(stream_, {buffer, static_cast<std::size_t>(std::min(room, size))});
    if (size > room && !marked_) {
      marked_ = true;
      events_.output(stream_, "\n[bencher: output cut after " + std::to_string(limit_) + " bytes]\n");
    }
  }
  void stop() { fd_.reset(); }

 private:
  files::Fd fd_;
  Stream stream_;
  std::uint64_t limit_;
  EventSink& events_;
  std::uint64_t bytes_ = 0;
  bool marked_ = false;
};

}  // namespace bencher::sandbox
