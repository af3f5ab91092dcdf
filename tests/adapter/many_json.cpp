// Entries as the harnesses print them: all their fields, in their order, with their line ends and indents.

#include <fmt/core.h>

#include "tests/adapter/many.hpp"

namespace bencher::test {
namespace {

using enum AdapterKind;

std::string bmf(unsigned i) {
  return fmt::format(
      "  \"crate::module::bench_{}\": {{\n    \"latency\": {{\n      \"value\": {}.5678,\n      \"lower_value\": "
      "1200.25,\n      \"upper_value\": 1300.75\n    }}\n  }}",
      i, 1000 + i % 1000);
}

std::string bmf_short(unsigned i) {
  return fmt::format("\"b{}\":{{\"l\":{{\"value\":1}}}}", i);
}

std::string google(unsigned i) {
  return fmt::format(
      R"(    {{
      "name": "BM_Fibonacci/{}",
      "family_index": {},
      "per_family_instance_index": 0,
      "run_name": "BM_Fibonacci/{}",
      "run_type": "iteration",
      "repetitions": 1,
      "repetition_index": 0,
      "threads": 1,
      "iterations": {},
      "real_time": {}.1498980114547953e+00,
      "cpu_time": 2.1365507206163295e+02,
      "time_unit": "ns"
    }})",
      i, i, i, 3070566 + i, i % 10);
}

std::string pytest(unsigned i) {
  return fmt::format(
      R"(        {{
            "group": null,
            "name": "test_fib_{}",
            "fullname": "bench.py::test_fib_{}",
            "params": null,
            "param": null,
            "extra_info": {{}},
            "options": {{
                "disable_gc": false,
                "timer": "perf_counter",
                "min_rounds": 5,
                "max_time": 1.0,
                "min_time": 5e-06,
                "warmup": false
            }},
            "stats": {{
                "min": 2.2067000000181025e-05,
                "max": 0.0003125999999999962,
                "mean": {}.408868133322941e-05,
                "stddev": 6.175090189861328e-06,
                "rounds": 38523,
                "median": 2.2300000000363696e-05,
                "iqr": 1.2670000003600634e-06,
                "q1": 2.2255999999831744e-05,
                "q3": 2.3523000000191807e-05,
                "iqr_outliers": 2896,
                "stddev_outliers": 2523,
                "outliers": "2523;2896",
                "ld15iqr": 2.2067000000181025e-05,
                "hd15iqr": 2.5426000000106086e-05,
                "ops": 41513.272817492856,
                "total": 0.9279682709999966,
                "data": [
                    3.215300000025678e-05,
                    2.8706999999794647e-05,
                    2.489499999969169e-05,
                    2.487300000009185e-05
                ],
                "iterations": 1
            }}
        }})",
      i, i, i % 10);
}

std::string hyperfine(unsigned i) {
  return fmt::format(
      R"(    {{
      "command": "sleep 0.{}",
      "mean": 0.10753446442370{},
      "stddev": 0.0032178771150522725,
      "median": 0.10652535172000001,
      "user": 0.0007174962962962964,
      "system": 0.0013508844444444443,
      "min": 0.10247468572,
      "max": 0.11533689272,
      "times": [
        0.10586876872,
        0.10725897672000001,
        0.10985180972,
        0.11533689272,
        0.11243701872,
        0.10619693572000001,
        0.10674539272,
        0.10628972672,
        0.10579564272,
        0.10288589372000001
      ],
      "exit_codes": [
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0
      ]
    }})",
      i, i % 10);
}

std::string jmh(unsigned i) {
  return fmt::format(
      R"(    {{
        "jmhVersion" : "1.37",
        "benchmark" : "com.example.cache.ComputeBenchmark.compute{}",
        "mode" : "thrpt",
        "threads" : 32,
        "forks" : 1,
        "jvm" : "/usr/lib/jvm/bin/java",
        "jvmArgs" : [
            "-Xmx2G"
        ],
        "jdkVersion" : "17.0.2",
        "vmName" : "OpenJDK 64-Bit Server VM",
        "vmVersion" : "17.0.2+8",
        "warmupIterations" : 3,
        "warmupTime" : "10 s",
        "warmupBatchSize" : 1,
        "measurementIterations" : 3,
        "measurementTime" : "10 s",
        "measurementBatchSize" : 1,
        "params" : {{
            "type" : "Guava"
        }},
        "primaryMetric" : {{
            "score" : {}.5252013234402195E8,
            "scoreError" : 3520320.778563123,
            "scoreConfidence" : [
                1.4899981156545883E8,
                1.5604045312258506E8
            ],
            "scorePercentiles" : {{
                "0.0" : 1.5234054788663682E8,
                "50.0" : 1.524957059947031E8,
                "90.0" : 1.5272414315072593E8,
                "100.0" : 1.5272414315072593E8
            }},
            "scoreUnit" : "ops/s",
            "rawData" : [
                [
                    1.524957059947031E8,
                    1.5272414315072593E8,
                    1.5234054788663682E8
                ]
            ]
        }},
        "secondaryMetrics" : {{
        }}
    }})",
      i, 1 + i % 9);
}

std::string vitest(unsigned i) {
  return fmt::format(
      R"(            {{
              "id": "math_0_{}",
              "name": "add {}",
              "rank": 1,
              "sampleCount": 99,
              "totalTime": 500.0021,
              "min": 0.8012,
              "max": 1.5021,
              "hz": {}.0125432,
              "period": 1.0002134,
              "samples": [],
              "mean": 1.0002134,
              "variance": 0.0625123,
              "sd": 0.2512351,
              "sem": 0.0251,
              "df": 98,
              "critical": 1.984,
              "moe": 0.0498,
              "rme": 25.0121,
              "p75": 1.05,
              "p99": 1.4,
              "p995": 1.45,
              "p999": 1.5,
              "median": 0.7512
            }})",
      i, i, 1000 + i % 1000);
}

std::string dot_net(unsigned i) {
  return fmt::format(
      R"({{"DisplayInfo":"IntroJsonExport.Sleep{}: DefaultJob","Namespace":"BenchmarkDotNet.Samples","Type":"IntroJsonExport","Method":"Sleep{}","MethodTitle":"Sleep{}","Parameters":"","FullName":"BenchmarkDotNet.Samples.IntroJsonExport.Sleep{}","HardwareIntrinsics":"AVX2","Statistics":{{"OriginalValues":[10265993.7209375,10337369.5284375,10360382.6953125,10392063.1589062],"N":4,"Min":10265993.7209375,"LowerFence":10255329.08273437,"Q1":10337369.5284375,"Median":10360382.6953125,"Mean":{}362283.085796878,"Q3":10392063.15890625,"UpperFence":10474103.60460938,"Max":10436008.3209375,"InterquartileRange":54693.63046875224,"LowerOutliers":[],"UpperOutliers":[],"AllOutliers":[],"StandardError":10219.304338928456,"Variance":2088683623.4328396,"StandardDeviation":45702.118369205156,"Skewness":-0.1242777170069375,"Kurtosis":2.31980277935226,"ConfidenceInterval":{{"N":4,"Mean":10362283.085796878,"StandardError":10219.304338928456,"Level":12,"Margin":20029.836504299772,"Lower":10342253.249292579,"Upper":10382312.922301177}},"Percentiles":{{"P0":10265993.7209375,"P25":10338555.905625,"P50":10360382.6953125,"P67":10373496.555659376,"P80":10400703.4841875,"P85":10417280.326718749,"P90":10424125.595812501,"P95":10435620.51609375,"P100":10436008.3209375}}}},"Memory":{{"Gen0Collections":1,"Gen1Collections":0,"Gen2Collections":0,"TotalOperations":64,"BytesAllocatedPerOperation":88}},"Measurements":[{{"IterationMode":"Workload","IterationStage":"Result","LaunchIndex":1,"IterationIndex":1,"Operations":64,"Nanoseconds":663146000}}],"Metrics":[]}})", i,
      i, i, i, 1 + i % 90);
}

std::string gungraun(unsigned i) {
  const auto metrics = fmt::format(
      R"({{"Callgrind":{{"Ir":{{"diffs":{{"diff_pct":"0.5","factor":"1.005"}},"metrics":{{"Both":[{{"Int":{}}},{{"Int":1734}}]}}}},"L1hits":{{"diffs":{{"diff_pct":"0","factor":"1"}},"metrics":{{"Both":[{{"Int":2359}},{{"Int":2359}}]}}}},"LLhits":{{"diffs":{{"diff_pct":"0","factor":"1"}},"metrics":{{"Both":[{{"Int":0}},{{"Int":0}}]}}}},"RamHits":{{"diffs":{{"diff_pct":"0","factor":"1"}},"metrics":{{"Both":[{{"Int":3}},{{"Int":3}}]}}}},"TotalRW":{{"diffs":{{"diff_pct":"0","factor":"1"}},"metrics":{{"Both":[{{"Int":2362}},{{"Int":2362}}]}}}},"EstimatedCycles":{{"diffs":{{"diff_pct":"0","factor":"1"}},"metrics":{{"Both":[{{"Int":2464}},{{"Int":2464}}]}}}},"D1MissRate":{{"diffs":{{"diff_pct":"0","factor":"1"}},"metrics":{{"Left":{{"Float":0.15}}}}}}}}}})",
      1734 + i);
  return fmt::format(
      R"({{"baselines":[null,null],"benchmark_exe":"/work/target/release/deps/play-4a31","benchmark_file":"/work/benches/play.rs","details":null,"function_name":"bench_play","id":"n{}","kind":"LibraryBenchmark","module_path":"play::group::bench_play","package_dir":"/work","profiles":[{{"flamegraphs":[],"log_paths":["/callgrind.bench_play.log"],"out_paths":["/callgrind.bench_play.out"],"summaries":{{"parts":[{{"details":{{"Left":{{"command":"/work/target/release/deps/play-4a31 --gungraun-run 0 0 0","details":null,"parent_pid":null,"part":1,"path":"/callgrind.bench_play.out","pid":12345,"thread":1}}}},"metrics_summary":{}}}],"total":{{"regressions":[],"summary":{}}}}},"tool":"Callgrind"}}],"project_root":"/work","summary_output":null,"version":"6"}}
)",
      i, metrics, metrics);
}

constexpr Form all[]{
    {"json", json, "{\n", bmf, ",\n", "\n}\n"},
    {"json short", json, "{", bmf_short, ",", "}"},
    {"cpp_google", cpp_google,
     "{\n  \"context\": {\n    \"date\": \"2026-11-21T21:26:59\",\n    \"num_cpus\": 4,\n    \"caches\": [\n      {\n  "
     "      \"type\": \"Data\",\n        \"level\": 1,\n        \"size\": 32768,\n        \"num_sharing\": 2\n      }\n"
     "    ],\n    \"library_build_type\": \"release\"\n  },\n  \"benchmarks\": [\n",
     google, ",\n", "\n  ]\n}\n"},
    {"python_pytest", python_pytest,
     "{\n    \"machine_info\": {\n        \"node\": \"ci\"\n    },\n    \"commit_info\": {\n        \"dirty\": true\n  "
     " "
     " },\n    \"benchmarks\": [\n",
     pytest, ",\n", "\n    ],\n    \"datetime\": \"2026-11-21T03:10:34.812450\",\n    \"version\": \"4.0.0\"\n}"},
    {"shell_hyperfine", shell_hyperfine, "{\n  \"results\": [\n", hyperfine, ",\n", "\n  ]\n}\n"},
    {"java_jmh", java_jmh, "[\n", jmh, ",\n", "\n]\n"},
    {"js_vitest", js_vitest,
     "{\n  \"files\": [\n    {\n      \"filepath\": \"./math.bench.ts\",\n      \"groups\": [\n        {\n          "
     "\"fullName\": \"math.bench.ts > math\",\n          \"benchmarks\": [\n",
     vitest, ",\n", "\n          ]\n        }\n      ]\n    }\n  ]\n}\n"},
    {"c_sharp_dot_net", c_sharp_dot_net,
     "{\"Title\":\"IntroJsonExport\",\"HostEnvironmentInfo\":{\"BenchmarkDotNetVersion\":\"0.13.12\"},\"Benchmarks\":[",
     dot_net, ",", "]}\n"},
    {"rust_gungraun_json", rust_gungraun_json, "running 0 tests\n\n", gungraun},
};

}  // namespace

std::span<const Form> json_forms() {
  return all;
}

}  // namespace bencher::test
