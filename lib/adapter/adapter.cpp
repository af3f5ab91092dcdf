#include "bencher/adapter/adapter.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/registry.hpp"

namespace bencher {
namespace {

struct KindName {
  AdapterKind kind;
  std::string_view name;
  std::string_view alias = {};
  bool language = false;
};

using enum AdapterKind;
constexpr std::array kinds{
    KindName{magic, "magic"},
    KindName{json, "json"},
    KindName{rust, "rust", "", true},
    KindName{rust_bench, "rust_bench"},
    KindName{rust_criterion, "rust_criterion"},
    KindName{rust_iai, "rust_iai"},
    KindName{rust_gungraun, "rust_gungraun", "rust_iai_callgrind"},
    KindName{rust_gungraun_stdout, "rust_gungraun_stdout"},
    KindName{rust_gungraun_json, "rust_gungraun_json"},
    KindName{rust_criterion_json, "rust_criterion_json", "criterion_json"},
    KindName{rust_divan, "rust_divan", "divan"},
    KindName{cpp, "cpp", "", true},
    KindName{cpp_google, "cpp_google"},
    KindName{cpp_catch2, "cpp_catch2"},
    KindName{cpp_nanobench, "cpp_nanobench", "nanobench"},
    KindName{go, "go", "", true},
    KindName{go_bench, "go_bench"},
    KindName{java, "java", "", true},
    KindName{java_jmh, "java_jmh"},
    KindName{c_sharp, "c_sharp", "", true},
    KindName{c_sharp_dot_net, "c_sharp_dot_net"},
    KindName{js, "js", "", true},
    KindName{js_benchmark, "js_benchmark"},
    KindName{js_time, "js_time"},
    KindName{js_vitest, "js_vitest"},
    KindName{js_mitata, "js_mitata", "mitata"},
    KindName{js_tinybench, "js_tinybench", "tinybench"},
    KindName{js_deno, "js_deno", "deno"},
    KindName{js_bun, "js_bun", "bun"},
    KindName{python, "python", "", true},
    KindName{python_asv, "python_asv"},
    KindName{python_pytest, "python_pytest"},
    KindName{python_pyperf, "python_pyperf", "pyperf"},
    KindName{ruby, "ruby", "", true},
    KindName{ruby_benchmark, "ruby_benchmark"},
    KindName{shell, "shell", "", true},
    KindName{shell_hyperfine, "shell_hyperfine"},
    KindName{shell_k6, "shell_k6", "k6"},
    KindName{shell_wrk, "shell_wrk", "wrk"},
    KindName{shell_junit, "shell_junit", "junit"},
    KindName{dart, "dart", "", true},
    KindName{dart_benchmark_harness, "dart_benchmark_harness"},
    KindName{julia_benchmark_tools, "julia_benchmark_tools", "benchmark_tools"},
};

const KindName& row(AdapterKind kind) {
  return *std::find_if(kinds.begin(), kinds.end(), [&](const KindName& k) { return k.kind == kind; });
}

std::string shown(std::string_view text) {
  return excerpt(text, 80);
}

}  // namespace

Result<AdapterKind> parse_adapter(std::string_view text) {
  for (const auto& kind : kinds)
    if (kind.name == text || (!kind.alias.empty() && kind.alias == text)) return kind.kind;
  std::string all;
  for (const auto& kind : kinds)
    all += (all.empty() ? "" : ", ") + std::string(kind.name);
  return Error(Errc::invalid_argument, fmt::format("adapter '{}' is not one of {}", shown(text), all));
}

Result<AdapterKind> adapter_of(int stored) {
  for (const auto& kind : kinds)
    if (static_cast<int>(kind.kind) == stored) return kind.kind;
  return Error(Errc::invalid_argument, fmt::format("no adapter has the number {}", stored));
}

std::string_view name(AdapterKind kind) {
  return row(kind).name;
}

std::string_view alias(AdapterKind kind) {
  return row(kind).alias;
}

AdapterKind normalize(AdapterKind kind) {
  return row(kind).language ? magic : kind;
}

std::span<const AdapterKind> adapter_kinds() {
  static constexpr auto all = [] {
    std::array<AdapterKind, kinds.size()> out{};
    for (std::size_t i = 0; i < kinds.size(); ++i)
      out[i] = kinds[i].kind;
    return out;
  }();
  return all;
}

Result<Average> parse_average(std::string_view text) {
  if (text == "mean") return Average::mean;
  if (text == "median") return Average::median;
  return Error(Errc::invalid_argument, fmt::format("average '{}' is neither mean nor median", shown(text)));
}

std::string_view name(Average average) {
  return average == Average::mean ? "mean" : "median";
}

Result<Fold> parse_fold(std::string_view text) {
  for (const auto fold : {Fold::min, Fold::max, Fold::mean, Fold::median})
    if (name(fold) == text) return fold;
  return Error(Errc::invalid_argument, fmt::format("fold '{}' is not one of min, max, mean, median", shown(text)));
}

std::string_view name(Fold fold) {
  switch (fold) {
    case Fold::min: return "min";
    case Fold::max: return "max";
    case Fold::mean: return "mean";
    case Fold::median: return "median";
  }
  return "";
}

}  // namespace bencher
