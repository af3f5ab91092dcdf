// The runner's side against guests that are threads of this test, mostly bad ones.
#include "lib/sandbox/guest_session.hpp"

#include <functional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "lib/sandbox/guest_reader.hpp"

using namespace bencher;
using namespace bencher::sandbox;
using files::Fd;
using guest::Ended;
using guest::Finished;
using guest::Order;
using guest::Report;
using std::chrono::milliseconds;

namespace {

struct Guest {
  Fd control, out, err, console, errors;

  template <class T>
  void send(Report kind, const T& value) const {
    say(kind, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  void say(Report kind, std::string_view payload = {}) const {
    std::string bytes;
    append_order(bytes, static_cast<Order>(kind), payload);
    write(control, bytes);
  }
  static void write(const Fd& to, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto wrote = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (wrote <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  // Until that order comes or the runner is gone.
  bool wait_for(Order kind) const {
    std::string seen;
    for (char c = 0; ::read(control.get(), &c, 1) == 1;) {
      seen += c;
      if (c == static_cast<char>(kind)) return true;
    }
    return false;
  }
  void start() const {
    say(Report::hello);
    if (wait_for(Order::start)) say(Report::started);
  }
  // What a good one says of a program that wrote so much.
  void finish(std::uint64_t out_bytes, std::uint64_t err_bytes) const {
    send(Report::ended, Ended{.status = 0, .wall_us = 5});
    send(Report::finished, Finished{out_bytes, out_bytes, err_bytes, err_bytes});
  }
};

class Sink final : public EventSink {
 public:
  void started() override { ++starts; }
  void output(Stream stream, std::string_view bytes) override {
    (stream == Stream::stdout_ ? out : err) += bytes;
    if (on_output) on_output();
  }
  void warning(std::string_view text) override { warnings += text; }
  int starts = 0;
  std::string out, err, warnings;
  std::function<void()> on_output;
};

struct Play {
  Request request;
  Sink sink;
  CancelFlag cancel;
  bool came_up = false;
  milliseconds start_limit{5000};

  Result<Outcome> with(const std::function<void(Guest&)>& act) {
    Guest guest;
    Vm vm;
    const auto pair = [](Fd& ours, Fd& theirs) {
      int fds[2];
      REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
      ours = Fd(fds[0]);
      theirs = Fd(fds[1]);
    };
    pair(vm.control, guest.control);
    pair(vm.out, guest.out);
    pair(vm.err, guest.err);
    pair(vm.console, guest.console);
    pair(vm.errors, guest.errors);
    std::string orders;
    append_order(orders, Order::start);
    // It takes the other ends with it when it goes.
    std::thread thread([&, own = std::move(guest)]() mutable {
      act(own);
      own = Guest{};
    });
    auto outcome = talk(vm, {.request = request, .orders = orders, .start_limit = start_limit}, sink, cancel, came_up);
    thread.join();
    return outcome;
  }
};

}  // namespace

TEST_CASE("a guest that does as it should is taken at its word, and let go only when all has come") {
  Play play;
  play.request.file_paths = {"/a"};
  bool done = false;
  const auto outcome = play.with([&](Guest& guest) {
    guest.start();
    Guest::write(guest.err, "oops");
    guest.send(Report::ended, Ended{.status = 7 << 8, .wall_us = 5});
    guest.send(Report::file, std::uint32_t{0});
    guest.say(Report::data, "text");
    guest.send(Report::finished, Finished{100'000, 100'000, 4, 4});
    // After it said so: the runner waits.
    Guest::write(guest.out, std::string(100'000, 'x'));
    done = guest.wait_for(Order::done);
  });
  REQUIRE_MESSAGE(outcome, outcome.error().message());
  CHECK(done);
  CHECK(play.sink.starts == 1);
  CHECK(play.sink.out.size() == 100'000);
  CHECK(play.sink.err == "oops");
  CHECK(outcome->exit_code == 7);
  CHECK(outcome->wall.count() == 5);
  CHECK(outcome->files == std::map<std::string, std::string>{{"/a", "text"}});
}

TEST_CASE("a guest that says nothing is given up after its start limit, with the end of its console") {
  Play play;
  play.start_limit = milliseconds(50);
  const auto outcome = play.with([](Guest& guest) {
    Guest::write(guest.console, "first\r\nKernel panic - not syncing: \x1b[31mno init\r\nmore\r\n");
    guest.wait_for(Order::start);
  });
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == Errc::unavailable);
  CHECK(outcome.error().message().find("Kernel panic - not syncing:  [31mno init") != std::string::npos);
  CHECK_FALSE(play.came_up);
}

TEST_CASE("a machine that ends before or after the program's start is an error, with what it printed") {
  Play play;
  auto outcome = play.with([](Guest& guest) { Guest::write(guest.errors, "no such machine\n"); });
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().message().find("no such machine") != std::string::npos);
  outcome = play.with([](Guest& guest) { guest.start(); });
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == Errc::unavailable);
  // It said how the program ended, but not that this was all.
  outcome = play.with([](Guest& guest) {
    guest.start();
    guest.send(Report::ended, Ended{});
  });
  REQUIRE_FALSE(outcome);
  // Or that it was more than came.
  for (const std::uint64_t said : {4, 5}) {
    outcome = play.with([said](Guest& guest) {
      guest.start();
      Guest::write(guest.out, "1234");
      guest.finish(said, 0);
    });
    CHECK(outcome.has_value() == (said == 4));
  }
}

TEST_CASE("a guest that forges a record ends its own run") {
  Play play;
  const auto outcome = play.with([](Guest& guest) {
    guest.start();
    guest.say(Report::data, "not asked for");
    guest.wait_for(Order::done);
  });
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == Errc::conflict);
}

TEST_CASE("a flood of output past the limit is thrown away and cut with a mark") {
  Play play;
  play.request.max_output = 1000;
  const auto outcome = play.with([](Guest& guest) {
    guest.start();
    for (int i = 0; i < 100; ++i)
      Guest::write(guest.out, std::string(100'000, 'x'));
    Guest::write(guest.console, std::string(1'000'000, 'c'));
    guest.finish(10'000'000, 0);
    guest.wait_for(Order::done);
  });
  REQUIRE_MESSAGE(outcome, outcome.error().message());
  CHECK(play.sink.out.size() < 1100);
  CHECK(outcome->stdout_bytes == 10'000'000);
  CHECK(outcome->stdout_cut_bytes == 9'999'000);
}

TEST_CASE("a guest that ignores every order is ended with its machine, as timed out or cancelled") {
  Play play;
  play.request.timeout = milliseconds(20);
  play.request.grace = milliseconds(20);
  bool asked = false, killed = false;
  auto outcome = play.with([&](Guest& guest) {
    guest.start();
    asked = guest.wait_for(Order::terminate);
    killed = guest.wait_for(Order::kill);
  });
  REQUIRE_MESSAGE(outcome, outcome.error().message());
  CHECK(asked);
  CHECK(killed);
  CHECK(outcome->timed_out);
  CHECK(outcome->exit_code == 137);

  play.request.timeout = milliseconds(0);
  play.sink.on_output = [&] { play.cancel.set(); };
  outcome = play.with([&](Guest& guest) {
    guest.start();
    Guest::write(guest.out, "up");
    guest.wait_for(Order::kill);
  });
  REQUIRE_MESSAGE(outcome, outcome.error().message());
  CHECK(outcome->cancelled);
  CHECK_FALSE(outcome->timed_out);
  CHECK(play.with([](Guest& guest) { guest.wait_for(Order::start); }).error().code() == Errc::cancelled);
}
