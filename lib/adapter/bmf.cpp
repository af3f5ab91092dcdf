#include "bencher/adapter/bmf.hpp"

#include <string>

#include "lib/json/json.hpp"

namespace bencher {
namespace {

constexpr std::size_t piece = 64 * 1024;

void write_metric(std::string& out, const Metric& metric) {
  out += "{\"value\": ";
  json::write_number(out, metric.value);
  if (metric.lower) {
    out += ", \"lower_value\": ";
    json::write_number(out, *metric.lower);
  }
  if (metric.upper) {
    out += ", \"upper_value\": ";
    json::write_number(out, *metric.upper);
  }
  out += '}';
}

}  // namespace

bool write_bmf(const Results& results, const std::function<bool(std::string_view piece)>& write) {
  std::string out = "{";
  const auto full = [&] { return out.size() >= piece; };
  const auto flush = [&] {
    const bool goes_on = write(out);
    out.clear();
    return goes_on;
  };
  const char* separator = "\n  ";
  for (const auto benchmark : results) {
    out += separator;
    separator = ",\n  ";
    json::write_text(out, benchmark.name);
    out += ": {";
    const char* inner = "\n    ";
    for (const auto m : benchmark.measures) {
      out += inner;
      inner = ",\n    ";
      json::write_text(out, m.measure);
      out += ": ";
      write_metric(out, m.metric);
      if (full() && !flush()) return false;
    }
    out += benchmark.measures.empty() ? "}" : "\n  }";
    if (full() && !flush()) return false;
  }
  out += results.empty() ? "}\n" : "\n}\n";
  return flush();
}

}  // namespace bencher
