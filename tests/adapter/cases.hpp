// The recorded cases under tests/data/adapters, and comparing with Bencher Metric Format.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "bencher/adapter/adapter.hpp"

namespace bencher::test {

/// Fails the running test where `results` are not those of the BMF document; order has no meaning, numbers are equal
/// within a relative 1e-12.
void check_same(const Results& results, const boost::json::object& expected);

/// Runs every recorded case whose input lies in `folder` with the adapter `adapter`: the results of the reference, or
/// where it has none, a refusal with a reason or what beyond.json says that ours reads. Returns how many there were.
int check_cases(std::string_view folder, AdapterKind adapter);

/// What `text` holds; fails the test if that is nothing.
Parsed must_parse(AdapterKind kind, std::string_view text, const ParseOptions& options = {});
/// The results only.
Results results_of(AdapterKind kind, std::string_view text, const ParseOptions& options = {});
/// The message with which `text` is refused; fails the test if it is not.
std::string refusal(AdapterKind kind, std::string_view text, const ParseOptions& options = {});

/// Reads the file of tests/data by its adapter, by `magic` and with CR LF, which give the same; results and warnings,
/// without the options and with `all_measures` and `distinct_names`, stand in the golden file beside it.
void check_output(const std::string& file, AdapterKind kind);

/// Results made by hand: `{{"bench", {{"latency", metric(1)}}}}`.
using Listed =
    std::initializer_list<std::pair<std::string_view, std::initializer_list<std::pair<std::string_view, Metric>>>>;
Results results(Listed listed);
inline Metric metric(double value, std::optional<double> lower = {}, std::optional<double> upper = {}) {
  return {.value = value, .lower = lower, .upper = upper};
}
/// As BMF, for messages and golden files: two blanks of indent, keys in order.
std::string as_bmf(const Results& results);

}  // namespace bencher::test
