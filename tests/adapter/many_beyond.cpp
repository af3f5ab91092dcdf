// Forms of the harnesses that the reference does not have.
#include <fmt/format.h>

#include "tests/adapter/many.hpp"

namespace bencher::test {
namespace {

using enum AdapterKind;

constexpr Form all[]{
    {"rust_criterion_json", rust_criterion_json, "",
     [](unsigned i) {
       return fmt::format(
           R"x({{"reason":"benchmark-complete","id":"sum/{}","iteration_count":[54019,108038,162057],"measured_values":)x"
           R"x([5489779.0,10995914.0,16505787.0],"unit":"ns","throughput":[],"typical":{{"estimate":{}.88997296045187,)x"
           R"x("lower_bound":101.60260067010218,"upper_bound":102.15033738129176,"unit":"ns"}},"mean":{{"estimate":101.75,)x"
           R"x("lower_bound":101.5,"upper_bound":102.0,"unit":"ns"}},"change":null}})x"
           "\n",
           i, i % 100);
     }},
    {"cpp_nanobench", cpp_nanobench, "{\"results\": [\n",
     [](unsigned i) {
       return fmt::format(
           R"x({{"title": "ops", "name": "op {}", "unit": "op", "batch": 1, "complexityN": -1, "epochs": 11,)x"
           R"x( "median(elapsed)": 6.{}e-09, "medianAbsolutePercentError(elapsed)": 0.003, "totalTime": 0.0012}})x",
           i, i % 1000);
     },
     ",\n", "\n]}\n"},
    {"nanobench table", cpp_nanobench,
     "|               ns/op |                op/s |    err% |     total | benchmark\n",
     [](unsigned i) {
       return fmt::format("|               {:>5}.81 |      128,042,553.93 |    0.3% |      0.00 | `op {}`\n", i % 10000,
                          i);
     }},
    {"js_mitata", js_mitata, R"x({"layout":[{"name":null}],"benchmarks":[)x",
     [](unsigned i) {
       return fmt::format(
           R"x({{"kind":"static","args":{{}},"alias":"fib {}","group":0,"baseline":false,"runs":[{{"stats":{{"kind":"fn",)x"
           R"x("samples":[0.25,0.25,0.5],"min":531.06640625,"max":2597.9304,"p25":553.72607421875,"p50":590.969970703125,)x"
           R"x("avg":{}.533650187703}},"args":{{}},"name":"fib {}"}}]}})x",
           i, i % 1000, i);
     },
     ",", "]}"},
    {"js_tinybench", js_tinybench, "[\n",
     [](unsigned i) {
       return fmt::format(
           R"x( {{"Task Name": "sort {}", "ops/sec": "1,512,845", "Average Time (ns)": {}.0061803879279,)x"
           R"x( "Margin": "±55.35%", "Samples": 30257}})x",
           i, i % 1000);
     },
     ",\n", "\n]\n"},
    {"js_deno", js_deno,
     R"x({"version": 1, "runtime": "Deno/2.9.6 x86_64-unknown-linux-gnu", "cpu": "x", "benches": [)x",
     [](unsigned i) {
       return fmt::format(
           R"x({{"origin": "file:///bench/a_bench.ts", "group": null, "name": "noop {}", "baseline": false, "results": )x"
           R"x([{{"ok": {{"n": 17423, "min": 2.5096, "max": 642.1464, "avg": {}.8712996097112717, "p75": 2.556,)x"
           R"x( "p99": 4.2539, "p995": 4.8459, "p999": 10.1739, "highPrecision": false}}}}]}})x",
           i, i % 1000);
     },
     ",\n", "]}"},
    {"python_pyperf", python_pyperf, R"x({"version":"1.0","benchmarks":[)x",
     [](unsigned i) {
       return fmt::format(
           R"x({{"metadata":{{"name":"sort {}"}},"runs":[{{"metadata":{{"duration":0.0239,"mem_max_rss":19533824}},)x"
           R"x("values":[1.429843745626158e-07,1.3734374881835265e-07,1.3732812575995013e-0{}],)x"
           R"x("warmups":[[64,1.632343753499299e-07]]}}]}})x",
           i, 1 + i % 9);
     },
     ",", "]}"},
    {"shell_k6", shell_k6, R"x({"root_group":{"name":"","path":"","groups":{},"checks":{}},"metrics":{)x",
     [](unsigned i) {
       return fmt::format(
           R"x("http_req_duration{{name:n{}}}":{{"avg":{}.5,"min":1.25,"med":11.5,"max":20.75,"p(90)":18.5,"p(95)":19.5}})x",
           i, i % 1000);
     },
     ",\n", "}}"},
    {"julia_benchmark_tools", julia_benchmark_tools, R"x([{"BenchmarkTools":"1.0.0"},[["BenchmarkGroup",{"data":{)x",
     [](unsigned i) {
       return fmt::format(
           R"x("sin {}":["Trial",{{"allocs":2,"gctimes":[0.0,0.0,12.5,0.0],"memory":96,"params":["Parameters",)x"
           R"x({{"samples":10000}}],"times":[12.25,12.75,14.5,{}.5]}}])x",
           i, 31 + i % 10);
     },
     ",", "}}]]]"},
};

}  // namespace

std::span<const Form> beyond_forms() {
  return all;
}

}  // namespace bencher::test
