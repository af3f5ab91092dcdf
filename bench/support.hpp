// What the benchmarks share: a server process of their own, a blocking client for what is not measured, and a load
// generator that costs little: one thread, prebuilt requests, answers read only as far as their status and length.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <boost/json/value.hpp>

namespace bencher::bench {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration d);

/// The value below which `share` (0 to 1) of the values are. Sorts them.
double percentile(std::vector<double>& values, double share);

/// Where a process stands, from /proc.
struct Usage {
  double cpu_seconds = 0;  ///< of all its threads, in nanosecond steps
  struct Thread {
    std::string name;
    std::uint64_t switches = 0;  ///< how often it was given the processor
    double cpu_seconds = 0;
  };
  std::vector<Thread> threads;
};
Usage usage(pid_t pid);
/// From /proc/PID/smaps_rollup, in KiB.
struct Memory {
  std::uint64_t rss = 0, pss = 0, uss = 0;
};
Memory memory(pid_t pid);

/// The programs beside this one: `../bencher-server` of the folder that it runs from.
std::filesystem::path server_program();

/// A server with a data folder of its own, which goes with it. Throws when it does not start.
class Server {
 public:
  /// Starts it in `data`, or in a new folder under `TMPDIR`, and waits until it says where it listens.
  explicit Server(std::optional<std::filesystem::path> data = std::nullopt);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_; }
  const std::filesystem::path& data() const { return data_; }
  /// Everything that it logged so far.
  std::string log() const;
  /// Ends it as an operator does, and waits for that.
  void stop();

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  bool own_data_ = false;
  std::filesystem::path data_;
};

/// The bytes of one request.
std::string request(std::string_view method, std::string_view path, std::string_view token, std::string_view body);

struct Answer {
  int status = 0;
  std::string body;
};

/// Takes bytes, gives answers: HTTP/1.1 with a content-length, which is all that the server sends for these requests.
class AnswerReader {
 public:
  explicit AnswerReader(bool keep_bodies) : keep_(keep_bodies) {}
  /// Appends `bytes`; an answer when one is complete. The rest of a later one stays.
  std::optional<Answer> feed(std::string_view bytes);

 private:
  bool keep_;
  std::string head_;
  bool in_body_ = false;
  std::size_t left_ = 0;
  Answer answer_;
};

int connect_to(std::uint16_t port);

/// One connection, one request at a time. `call` throws when the status is not the one that is wanted.
class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Answer send(std::string_view bytes);
  Answer call(int wanted, std::string_view method, std::string_view path, std::string_view token,
              std::string_view body = {});
  boost::json::value json(int wanted, std::string_view method, std::string_view path, std::string_view token,
                          std::string_view body = {});

 private:
  int fd_;
  AnswerReader reader_{true};
};

/// Signs the server's first user up, who is its admin; their session token and slug.
struct Admin {
  std::string token, slug;
};
Admin sign_up(const Server& server, Client& client);

/// Many connections on one thread. Each is a number from 0.
class Load {
 public:
  Load(std::uint16_t port, std::size_t connections, bool keep_bodies);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// Sends the whole request; the answer comes to `run`'s function. `bytes` must live until that.
  void send(std::size_t connection, std::string_view bytes);
  /// Waits for answers until `until`, or until the function, called with each of them, returns false. Throws when a
  /// connection is lost.
  using OnAnswer = std::function<bool(std::size_t, Answer&)>;
  void run(Clock::time_point until, const OnAnswer& on_answer);

 private:
  struct Connection {
    int fd = -1;
    AnswerReader reader;
    std::string_view unsent;
  };
  void push(std::size_t connection);
  int poll_;
  std::vector<Connection> connections_;
};

}  // namespace bencher::bench
