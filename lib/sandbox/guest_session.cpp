#include "lib/sandbox/guest_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox/guest_reader.hpp"
#include "lib/sandbox/output.hpp"

namespace bencher::sandbox {

using files::Fd;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// The end of what somebody prints, for messages.
class Tail {
 public:
  explicit Tail(Fd fd) : fd_(std::move(fd)) { fcntl(fd_.get(), F_SETFL, O_NONBLOCK); }
  int fd() const { return fd_.get(); }
  void pump() {
    char buffer[16 * 1024];
    const auto got = read(fd_.get(), buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      fd_.reset();
      return;
    }
    text_.append(buffer, static_cast<std::size_t>(got));
    if (text_.size() > most) text_.erase(0, text_.size() - most);
  }
  const std::string& text() const { return text_; }
  // The line that tells most: of a panic, or the last one.
  std::string line() const {
    std::string_view rest = text_;
    const auto panic = rest.find("Kernel panic");
    if (panic != std::string_view::npos) {
      rest.remove_prefix(panic);
      return harmless(rest.substr(0, rest.find_first_of("\r\n")), 300);
    }
    while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r' || rest.back() == ' '))
      rest.remove_suffix(1);
    const auto start = rest.find_last_of("\r\n");
    return harmless(start == std::string_view::npos ? rest : rest.substr(start + 1), 300);
  }

 private:
  static constexpr std::size_t most = 16 * 1024;
  Fd fd_;
  std::string text_;
};

class Session {
 public:
  Session(Vm& vm, const GuestTask& task, EventSink& events, CancelFlag& cancel, bool& came_up)
      : task_(task),
        events_(events),
        cancel_(cancel),
        came_up_(came_up),
        control_(std::move(vm.control)),
        out_(std::move(vm.out), Stream::stdout_, task.request.max_output, events),
        err_(std::move(vm.err), Stream::stderr_, task.request.max_output, events),
        console_(std::move(vm.console)),
        errors_(std::move(vm.errors)),
        reader_(task.request),
        deadline_(SteadyClock::now() + task.start_limit) {
    fcntl(control_.get(), F_SETFL, O_NONBLOCK);
  }

  Result<Outcome> run() {
    while (phase_ != Phase::over) {
      wait();
      BENCHER_DO(take_control());
      for (const auto& line : reader_.take_log())
        events_.warning("in the virtual machine: " + line);
      advance();
      BENCHER_DO(act());
    }
    return outcome();
  }

 private:
  // `ended` is the program's end; its files and what is left of its output follow.
  enum class Phase { booting, starting, running, terminating, killing, ended, leaving, over };

  void enter(Phase phase, std::optional<milliseconds> limit) {
    phase_ = phase;
    deadline_.reset();
    if (limit) deadline_ = SteadyClock::now() + *limit;
  }

  void wait() {
    std::array<pollfd, 6> fds;
    fds[0] = {control_.get(), static_cast<short>(orders_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    fds[1] = {out_.open() ? out_.fd() : -1, POLLIN, 0};
    fds[2] = {err_.open() ? err_.fd() : -1, POLLIN, 0};
    fds[3] = {console_.fd(), POLLIN, 0};
    fds[4] = {errors_.fd(), POLLIN, 0};
    fds[5] = {cancelled_ || reader_.ended() ? -1 : cancel_.fd(), POLLIN, 0};
    int timeout = -1;
    if (deadline_) {
      const auto left = std::chrono::ceil<milliseconds>(*deadline_ - SteadyClock::now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    if (poll(fds.data(), fds.size(), timeout) < 0) return;
    if (fds[1].revents) out_.pump();
    if (fds[2].revents) err_.pump();
    if (fds[3].revents) console_.pump();
    if (fds[4].revents) errors_.pump();
    if (fds[0].revents & POLLOUT) {
      // A machine that is gone is no reason to end with it.
      const auto wrote = send(control_.get(), orders_.data(), orders_.size(), MSG_NOSIGNAL);
      if (wrote > 0) orders_.erase(0, static_cast<std::size_t>(wrote));
    }
  }

  Result<void> take_control() {
    if (!control_) return {};
    char buffer[64 * 1024];
    const auto got = read(control_.get(), buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got <= 0) {
      control_.reset();
      return {};
    }
    return reader_.take({buffer, static_cast<std::size_t>(got)});
  }

  void order(guest::Order kind) { append_order(orders_, kind); }

  // By what the guest said.
  void advance() {
    if (!control_ && phase_ != Phase::over) {
      // The machine is gone; what it wrote before is still in the sockets.
      while (out_.open())
        drain(out_);
      while (err_.open())
        drain(err_);
      complete_ = complete_ || has_all();
      phase_ = Phase::over;
      return;
    }
    if (phase_ == Phase::booting && reader_.hello()) {
      came_up_ = true;
      if (task_.on_hello) task_.on_hello();
      orders_ += task_.orders;
      enter(Phase::starting, seconds(30));
    }
    if (phase_ == Phase::starting && reader_.started()) {
      std::optional<milliseconds> limit;
      if (task_.request.timeout.count() > 0) limit = task_.request.timeout;
      started_at_ = SteadyClock::now();
      enter(Phase::running, limit);
      events_.started();
    }
    if (phase_ < Phase::ended && reader_.ended()) enter(Phase::ended, seconds(60));
    if (phase_ == Phase::ended && has_all()) {
      complete_ = true;
      order(guest::Order::done);
      enter(Phase::leaving, seconds(5));
    }
  }

  // Bytes of the streams may come later than what was said of them.
  bool has_all() const {
    const auto& finished = reader_.finished();
    return finished && out_.bytes() >= finished->out_sent && err_.bytes() >= finished->err_sent;
  }

  // Only while the other end is closed: it ends.
  static void drain(Output& output) {
    pollfd wait{output.fd(), POLLIN, 0};
    if (poll(&wait, 1, 1000) <= 0)
      output.stop();
    else
      output.pump();
  }

  // By the time and by the runner's wish.
  Result<void> act() {
    if (cancel_.is_set() && !cancelled_ && phase_ < Phase::ended) {
      cancelled_ = true;
      if (phase_ == Phase::booting || phase_ == Phase::starting)
        return Error(Errc::cancelled, "cancelled before the program started");
      terminate();
    }
    if (!deadline_ || SteadyClock::now() < *deadline_) return {};
    switch (phase_) {
      case Phase::booting:
        return failure("the virtual machine did not come up in " + std::to_string(task_.start_limit.count() / 1000) +
                       " s");
      case Phase::starting: return failure("the virtual machine did not start the program in time");
      case Phase::running:
        timed_out_ = true;
        terminate();
        break;
      case Phase::terminating:
        order(guest::Order::kill);
        enter(Phase::killing, seconds(5));
        break;
      case Phase::ended:
        events_.warning("the virtual machine did not hand everything over in time");
        phase_ = Phase::over;
        break;
      case Phase::killing:
      case Phase::leaving:
      case Phase::over: phase_ = Phase::over; break;
    }
    return {};
  }

  void terminate() {
    order(guest::Order::terminate);
    enter(Phase::terminating, task_.request.grace);
  }

  Error failure(std::string text) const {
    const auto line = errors_.text().empty() ? console_.line() : errors_.line();
    if (!line.empty()) text += " (" + line + ")";
    return Error(Errc::unavailable, std::move(text), errors_.text() + console_.text());
  }

  Result<Outcome> outcome() {
    Outcome out;
    out.timed_out = timed_out_;
    out.cancelled = cancelled_;
    if (!reader_.started()) return failure("the virtual machine ended before the program started");
    if (const auto& end = reader_.ended()) {
      const int status = static_cast<int>(end->status & 0xffff);
      out.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      out.exit_code = out.signal ? 128 + out.signal : WEXITSTATUS(status);
      const auto time = [](std::uint64_t us) {
        return std::chrono::microseconds(static_cast<std::int64_t>(std::min<std::uint64_t>(us, INT64_MAX / 2000)));
      };
      out.wall = time(end->wall_us);
      out.user = time(end->user_us);
      out.system = time(end->system_us);
      out.max_rss = end->max_rss;
      out.oom_kills = end->oom_kills;
    } else if (timed_out_ || cancelled_) {
      // It did not even end when it was told to, and went with its machine.
      out.signal = 9;
      out.exit_code = 137;
      out.wall = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - started_at_);
    } else {
      return failure("the virtual machine ended by itself");
    }
    if (!complete_ && !timed_out_ && !cancelled_)
      return failure("the virtual machine ended before it had handed over all");
    const auto& finished = reader_.finished();
    const auto limit = task_.request.max_output;
    out.stdout_bytes = std::max(out_.bytes(), finished ? finished->out_written : 0);
    out.stderr_bytes = std::max(err_.bytes(), finished ? finished->err_written : 0);
    out.stdout_cut_bytes = out.stdout_bytes > limit ? out.stdout_bytes - limit : 0;
    out.stderr_cut_bytes = out.stderr_bytes > limit ? out.stderr_bytes - limit : 0;
    if (!cancelled_) out.files = std::move(reader_.files());
    return out;
  }

  const GuestTask& task_;
  EventSink& events_;
  CancelFlag& cancel_;
  bool& came_up_;
  Fd control_;
  Output out_, err_;
  Tail console_, errors_;
  GuestReader reader_;
  std::string orders_;
  Phase phase_ = Phase::booting;
  SteadyClock::time_point started_at_;
  std::optional<SteadyClock::time_point> deadline_;
  bool cancelled_ = false, timed_out_ = false, complete_ = false;
};

}  // namespace

// Until the guest has called on each channel.
static Result<void> accept_channels(Vm& vm, const GuestTask& task, CancelFlag& cancel) {
  const auto end = SteadyClock::now() + task.start_limit;
  for (Fd* channel : {&vm.control, &vm.out, &vm.err}) {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(end - SteadyClock::now()).count();
      // The errors end with the machine.
      std::array<pollfd, 3> fds{{{channel->get(), POLLIN, 0}, {cancel.fd(), POLLIN, 0}, {vm.errors.get(), 0, 0}}};
      poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
      if (cancel.is_set()) return Error(Errc::cancelled, "cancelled before the program started");
      if (fds[0].revents) {
        Fd accepted(accept4(channel->get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (accepted) {
          *channel = std::move(accepted);
          break;
        }
      }
      if (left <= 0 || (fds[2].revents & POLLHUP)) {
        Tail errors(std::move(vm.errors)), console(std::move(vm.console));
        errors.pump();
        console.pump();
        return Error(Errc::unavailable, "the virtual machine did not come up (" + errors.line() + console.line() + ")");
      }
    }
  }
  return {};
}

Result<Outcome> talk(Vm& vm, const GuestTask& task, EventSink& events, CancelFlag& cancel, bool& came_up) {
  if (vm.listening) {
    BENCHER_DO(accept_channels(vm, task, cancel));
  }
  return Session(vm, task, events, cancel, came_up).run();
}

}  // namespace bencher::sandbox
