// How many reports and metrics the server takes, each acknowledged after its durable commit, and how long a large
// question about series takes.
//
//   ingest [SECONDS]                                        (of each measurement; default 3)
//   ingest SECONDS perf                                     (the query only)
//   ingest SECONDS METRICS CONNECTIONS threshold|plain      (one measurement only)
//
// Reports in the json adapter, by `POST /v0/run` with a user key over keep-alive connections, to one project for each
// row of the table. Each report names the same benchmarks, is its own version, and compares with a percentage threshold
// over 64 earlier values, or with none.
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "support.hpp"

using namespace bencher::bench;

namespace {

std::string results(std::size_t metrics) {
  std::string out = "{";
  for (std::size_t i = 0; i < metrics; ++i) {
    if (i != 0) out += ',';
    out +=
        fmt::format(R"("suite::module::bench_{}":{{"latency":{{"value":{}.5,"lower_value":{}.25,"upper_value":{}}}}})",
                    i, 1000 + i, 990 + i, 1010 + i);
  }
  return out + "}";
}

std::string report(const std::string& token, std::string_view project, std::size_t metrics, bool threshold) {
  boost::json::object body{{"project", project},
                           {"branch", "main"},
                           {"testbed", "bench"},
                           {"start_time", "2024-01-01T00:00:00Z"},
                           {"end_time", "2024-01-01T00:00:01Z"},
                           {"results", boost::json::array{results(metrics)}},
                           {"settings", boost::json::object{{"adapter", "json"}}},
                           {"context", boost::json::object{}}};
  if (threshold)
    body["thresholds"] = boost::json::object{
        {"models",
         {{"latency",
           {{"test", "percentage"}, {"max_sample_size", 64}, {"lower_boundary", 0.25}, {"upper_boundary", 0.25}}}}}};
  return request("POST", "/v0/run", token, boost::json::serialize(body));
}

double own_cpu() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

/// Milliseconds that a small append takes until it is durable: the floor under every acknowledged report.
double sync_ms(const std::filesystem::path& folder) {
  const auto file = (folder / "sync-probe").string();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot write " + file);
  const std::string bytes(16384, 'x');
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto begin = Clock::now();
    if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) throw std::runtime_error("cannot sync");
    times.push_back(milliseconds(Clock::now() - begin));
  }
  ::close(fd);
  ::unlink(file.c_str());
  return percentile(times, 0.5);
}

class Bench {
 public:
  explicit Bench(double seconds) : seconds_(seconds), client_(server_.port()) {
    const auto admin = sign_up(server_, client_);
    const auto key =
        client_.json(201, "POST", fmt::format("/v0/users/{}/keys", admin.slug), admin.token, R"({"name":"bench"})");
    key_ = std::string(key.at("key").as_string());
  }

  void ingest(std::size_t metrics, std::size_t connections, bool threshold) {
    const auto project = fmt::format("ingest-{}-{}-{}", metrics, connections, threshold ? "t" : "n");
    const auto bytes = report(key_, project, metrics, threshold);
    if (const auto first = client_.send(bytes); first.status != 201) throw std::runtime_error(first.body);
    Load load(server_.port(), connections, false);
    std::size_t done = 0;
    std::vector<double> latencies;
    std::vector<Clock::time_point> sent(connections);
    auto count = [&](std::size_t at, Answer& answer) {
      if (answer.status != 201) throw std::runtime_error(fmt::format("a report was answered {}", answer.status));
      const auto now = Clock::now();
      latencies.push_back(milliseconds(now - sent[at]));
      ++done;
      sent[at] = now;
      load.send(at, bytes);
      return true;
    };
    for (std::size_t i = 0; i < connections; ++i) {
      sent[i] = Clock::now();
      load.send(i, bytes);
    }
    const auto step = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_));
    load.run(Clock::now() + step / 6, count);  // warm up
    done = 0;
    latencies.clear();
    const auto server_before = usage(server_.pid());
    const auto own_before = own_cpu();
    const auto begin = Clock::now();
    load.run(begin + step, count);
    const auto taken = milliseconds(Clock::now() - begin) / 1000;
    const auto server_after = usage(server_.pid());
    // What is under way is waited for, so that the next measurement starts from rest.
    std::size_t left = connections;
    const auto own_after = own_cpu();
    const auto finish = [&](std::size_t, Answer&) { return --left > 0; };
    const auto reports = static_cast<double>(done) / taken;
    const auto share = [&](std::string_view thread) {
      double sum = 0;
      for (std::size_t i = 0; i < server_after.threads.size() && i < server_before.threads.size(); ++i)
        if (server_after.threads[i].name.starts_with(thread))
          sum += server_after.threads[i].cpu_seconds - server_before.threads[i].cpu_seconds;
      return 100 * sum / taken;
    };
    fmt::print("| {} | {} | {} | {:.0f} | {:.0f} | {:.1f} | {:.1f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |\n", metrics,
               threshold ? "yes" : "no", connections, reports, reports * static_cast<double>(metrics),
               percentile(latencies, 0.5), percentile(latencies, 0.99), share("sqlite-writer"), share("sqlite-reader"),
               share("bencher-server"), 100 * (own_after - own_before) / taken);
    std::fflush(stdout);
    load.run(Clock::now() + std::chrono::seconds(30), finish);
  }

  void perf(std::size_t series, std::size_t points) {
    const auto bytes = report(key_, "perf", series, true);
    for (std::size_t i = 0; i < points; ++i)
      if (const auto a = client_.send(bytes); a.status != 201) throw std::runtime_error(a.body);
    const auto uuids = [&](std::string_view list) {
      std::string out;
      for (std::size_t page = 1; page < 100; ++page) {
        const auto found =
            client_.json(200, "GET", fmt::format("/v0/projects/perf/{}?per_page=50&page={}", list, page), key_);
        if (found.as_array().empty()) break;
        for (const auto& one : found.as_array()) {
          if (list == "measures" && one.at("name").as_string() != "Latency") continue;
          if (!out.empty()) out += ',';
          out += std::string_view(one.at("uuid").as_string());
        }
      }
      return out;
    };
    const auto query =
        request("GET",
                fmt::format("/v0/projects/perf/perf?branches={}&testbeds={}&benchmarks={}&measures={}",
                            uuids("branches"), uuids("testbeds"), uuids("benchmarks"), uuids("measures")),
                key_, {});
    std::vector<double> times;
    std::size_t size = 0;
    for (int i = 0; i < 31; ++i) {
      const auto begin = Clock::now();
      const auto answer = client_.send(query);
      times.push_back(milliseconds(Clock::now() - begin));
      if (answer.status != 200) throw std::runtime_error(answer.body);
      if (i == 0) {
        const auto json = boost::json::parse(answer.body);
        const auto& found = json.at("results").as_array();
        if (found.size() != series || found.at(0).at("metrics").as_array().size() != points)
          throw std::runtime_error("perf answered something else than was asked for");
        size = answer.body.size();
      }
    }
    fmt::print("| perf, {} series × {} points, {} KiB | {:.1f} | {:.1f} |\n", series, points, size / 1024,
               percentile(times, 0.5), percentile(times, 1));
  }

  const Server& server() const { return server_; }

 private:
  double seconds_;
  Server server_;
  Client client_;
  std::string key_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 3;
    if (!(seconds > 0)) {
      fmt::print(stderr, "usage: ingest [SECONDS of each measurement]\n");
      return 2;
    }
    Bench bench(seconds);
    if (argc == 3 && std::string_view(argv[2]) == "perf") {
      bench.perf(50, 112);
      return 0;
    }
    if (argc == 5) {
      bench.ingest(std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10),
                   std::string_view(argv[4]) == "threshold");
      return 0;
    }
    fmt::print("A durable append of 16 KiB to the same folder takes {:.2f} ms (median).\n\n",
               sync_ms(bench.server().data()));
    fmt::print(
        "| metrics a report | threshold | connections | reports/s | metrics/s | p50 ms | p99 ms | writer % | "
        "readers % | network % | generator % |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for (const std::size_t metrics : {1u, 100u, 1000u})
      for (const bool threshold : {false, true})
        for (const std::size_t connections : {1u, 8u, 16u, 64u})
          bench.ingest(metrics, connections, threshold);
    fmt::print("\n(Columns in % of one core: threads of the server, and this load generator.)\n\n");
    fmt::print("| query | median ms | max ms |\n|---|--:|--:|\n");
    bench.perf(50, 112);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "ingest: {}\n", e.what());
    return 1;
  }
}
