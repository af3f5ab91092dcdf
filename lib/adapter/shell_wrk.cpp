// What wrk and wrk2 print: the latency of requests, and how many a second.

#include <string>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

bool next_time(Cursor& at, double& ns) {
  at.skip();
  return duration_in(at.word(), ns);
}

class Runs {
 public:
  explicit Runs(Builder& out) : out_(out), median_(out.options().average == Average::median) {}

  void read(std::string_view text) {
    Lines lines(text);
    for (std::string_view line; lines.next(line);)
      one(trimmed(line));
  }
  bool lacks_median() const { return lacks_median_; }

 private:
  void one(std::string_view line) {
    Cursor at(line);
    double value = 0;
    if (at.take("Running ")) {
      const auto place = place_of(line, " @ ");
      name_ = place == std::string_view::npos ? std::string_view{} : trimmed(line.substr(place + 3));
      begun_ = false;
      return;
    }
    if (!name_fits(name_)) return;
    if (line.starts_with("Latency Distribution")) {
      distribution_ = true;
    } else if (at.take("Latency ")) {
      distribution_ = false;
      latency(at);
    } else if (at.take("Requests/sec:")) {
      at.skip();
      if (!any_number(at.word(), value)) return;
      if (median_ && !has_latency_) {
        lacks_median_ = true;
        return;
      }
      begin();
      out_.throughput({value, {}, {}});
      distribution_ = has_latency_ = false;
    } else if (at.take("Transfer/sec:")) {
      if (begun_ && bytes_in(at.rest(), 1024, value)) out_.extra("Transfer/sec", value);
    } else if (distribution_ && !line.empty() && digit(line.front())) {
      percentile(at);
    } else if (line.starts_with("Non-2xx") || line.starts_with("Socket errors")) {
      out_.warn(fmt::format("some requests failed: {}", excerpt(line, 200)));
    }
  }

  void latency(Cursor at) {
    double mean = 0, deviation = 0, most = 0;
    if (!next_time(at, mean) || median_) return;
    begin();
    has_latency_ = true;
    if (!next_time(at, deviation)) return out_.latency({mean, {}, {}});
    out_.latency({mean, mean - deviation, mean + deviation});
    if (next_time(at, most)) out_.extra("Max", most);
  }

  /// `50%  451.00us`, wrk2 has `50.000%`.
  void percentile(Cursor at) {
    double share = 0, ns = 0;
    const auto word = at.word();
    if (!word.ends_with('%') || !any_number(word.substr(0, word.size() - 1), share) || !next_time(at, ns)) return;
    if (median_ && share == 50 && !has_latency_) {
      begin();
      has_latency_ = true;
      out_.latency({ns, {}, {}});
    } else if (begun_) {
      out_.extra(fmt::format("{}%", share), ns);
    }
  }

  void begin() {
    if (!begun_) out_.benchmark(name_);
    begun_ = true;
  }

  Builder& out_;
  bool median_;
  std::string_view name_;
  bool begun_ = false, has_latency_ = false, distribution_ = false, lacks_median_ = false;
};

}  // namespace

Result<void> read_wrk(std::string_view text, Builder& out) {
  Runs runs(out);
  runs.read(text);
  if (out.empty() && runs.lacks_median())
    return Error(Errc::invalid_argument,
                 "wrk prints a median only with --latency: run it so, or leave the average out");
  if (out.empty()) return no_match(text, nullptr, "Running 30s test @ URL, and below it 'Requests/sec: 1234.5'");
  return {};
}

}  // namespace bencher::adapter
