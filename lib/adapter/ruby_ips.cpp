// Benchmark.ips: the file of `json!`.

#include "lib/adapter/json_fields.hpp"

namespace bencher::adapter {

/// [{"name", "ips", "stddev", …}]; newer versions have the central tendency of another statistic, and its error.
Result<void> read_ips_results(std::string_view text, Builder& out) {
  json::Reader reader(text);
  static constexpr json::Field fields[]{
      {"name"}, {"ips"}, {"central_tendency", false}, {"stddev", false}, {"error", false}};
  std::string scratch;
  const bool done = json::array(reader, "an array of Benchmark.ips's results", [&](std::size_t) {
    std::string name;
    std::optional<double> ips, center, deviation, error;
    std::optional<double>* const into[]{&ips, &center, &deviation, &error};
    const bool read = members(reader, "a result of Benchmark.ips", fields, [&](std::size_t field) {
      if (field > 0) return optional_number(reader, *into[field - 1]);
      std::string_view view;
      if (!name_text(reader, view, scratch)) return false;
      name = view;
      return true;
    });
    if (!read) return false;
    if (!center) center = ips;
    if (!error) error = deviation;
    if (!center) return true;
    out.benchmark(name);
    out.throughput(error ? plus_minus(*center, *error) : Metric{*center, {}, {}});
    return true;
  });
  return finished(reader, done, out);
}

}  // namespace bencher::adapter
