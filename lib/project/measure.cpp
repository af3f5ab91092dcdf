#include "bencher/project/measure.hpp"

#include <array>

namespace bencher {
namespace {

constexpr std::array table{
    BuiltInMeasure{"Latency", "latency", "nanoseconds (ns)"},
    BuiltInMeasure{"Throughput", "throughput", "operations / second (ops/s)"},
    BuiltInMeasure{"Build Time", "build-time", "seconds (s)"},
    BuiltInMeasure{"File Size", "file-size", "bytes (B)"},
    BuiltInMeasure{"Instructions", "instructions", "instructions"},
    BuiltInMeasure{"L1 Accesses", "l1-accesses", "accesses"},
    BuiltInMeasure{"L2 Accesses", "l2-accesses", "accesses"},
    BuiltInMeasure{"RAM Accesses", "ram-accesses", "accesses"},
    BuiltInMeasure{"Estimated Cycles", "estimated-cycles", "cycles"},
    BuiltInMeasure{"Compute Jitter", "compute-jitter", "percentage (%)"},
    BuiltInMeasure{"Cache Jitter", "cache-jitter", "percentage (%)"},
    BuiltInMeasure{"I/O Jitter", "io-jitter", "percentage (%)"},
    BuiltInMeasure{"CPU Steal", "cpu-steal", "percentage (%)"},
    BuiltInMeasure{"Noise Score", "noise-score", "decibels (dB)"},
    BuiltInMeasure{"L1 Hits", "l1-hits", "hits"},
    BuiltInMeasure{"L2 Hits", "l2-hits", "hits"},
    BuiltInMeasure{"LL Hits", "ll-hits", "hits"},
    BuiltInMeasure{"RAM Hits", "ram-hits", "hits"},
    BuiltInMeasure{"Total read+write", "total-read-write", "reads/writes"},
    BuiltInMeasure{"Ge", "global-bus-events", "events"},
    BuiltInMeasure{"Dr", "dr", "reads"},
    BuiltInMeasure{"Dw", "dw", "writes"},
    BuiltInMeasure{"I1mr", "i1mr", "misses (reads)"},
    BuiltInMeasure{"D1mr", "d1mr", "misses (reads)"},
    BuiltInMeasure{"ILmr", "ilmr", "misses (reads)"},
    BuiltInMeasure{"DLmr", "dlmr", "misses (reads)"},
    BuiltInMeasure{"ILdmr", "ildmr", "misses (reads)"},
    BuiltInMeasure{"DLdmr", "dldmr", "misses (reads)"},
    BuiltInMeasure{"D1mw", "d1mw", "misses (writes)"},
    BuiltInMeasure{"DLmw", "dlmw", "misses (writes)"},
    BuiltInMeasure{"DLdmw", "dldmw", "misses (writes)"},
    BuiltInMeasure{"I1 Miss Rate", "i1-miss-rate", "misses (%)"},
    BuiltInMeasure{"LLi Miss Rate", "lli-miss-rate", "misses (%)"},
    BuiltInMeasure{"D1 Miss Rate", "d1-miss-rate", "misses (%)"},
    BuiltInMeasure{"LLd Miss Rate", "lld-miss-rate", "misses (%)"},
    BuiltInMeasure{"LL Miss Rate", "ll-miss-rate", "misses (%)"},
    BuiltInMeasure{"L1 Hit Rate", "l1-hit-rate", "hits (%)"},
    BuiltInMeasure{"LL Hit Rate", "ll-hit-rate", "hits (%)"},
    BuiltInMeasure{"RAM Hit Rate", "ram-hit-rate", "hits (%)"},
    BuiltInMeasure{"SysCount", "sys-count", "syscalls"},
    BuiltInMeasure{"SysTime", "sys-time", "msec/usec/nsec"},
    BuiltInMeasure{"SysCpuTime", "sys-cpu-time", "nsec"},
    BuiltInMeasure{"Bc", "bc", "branches"},
    BuiltInMeasure{"Bcm", "bcm", "branches"},
    BuiltInMeasure{"Bi", "bi", "branches"},
    BuiltInMeasure{"Bim", "bim", "branches"},
    BuiltInMeasure{"AcCost1", "accost1", "temporal locality count"},
    BuiltInMeasure{"AcCost2", "accost2", "temporal locality count"},
    BuiltInMeasure{"SpLoss1", "sploss1", "spatial loss count"},
    BuiltInMeasure{"SpLoss2", "sploss2", "spatial loss count"},
    BuiltInMeasure{"Total bytes", "total-bytes", "bytes (B)"},
    BuiltInMeasure{"At t-gmax bytes", "at-t-gmax-bytes", "bytes (B)"},
    BuiltInMeasure{"At t-end bytes", "at-t-end-bytes", "bytes (B)"},
    BuiltInMeasure{"Reads bytes", "reads-bytes", "bytes (B)"},
    BuiltInMeasure{"Writes bytes", "writes-bytes", "bytes (B)"},
    BuiltInMeasure{"Total blocks", "total-blocks", "blocks"},
    BuiltInMeasure{"At t-gmax blocks", "at-t-gmax-blocks", "blocks"},
    BuiltInMeasure{"At t-end blocks", "at-t-end-blocks", "blocks"},
    BuiltInMeasure{"Memcheck Errors", "memcheck-errors", "errors"},
    BuiltInMeasure{"Memcheck Contexts", "memcheck-contexts", "contexts"},
    BuiltInMeasure{"Memcheck Suppressed Errors", "memcheck-suppressed-errors", "suppressed errors"},
    BuiltInMeasure{"Memcheck Suppressed Contexts", "memcheck-suppressed-contexts", "suppressed contexts"},
    BuiltInMeasure{"Helgrind Errors", "helgrind-errors", "errors"},
    BuiltInMeasure{"Helgrind Contexts", "helgrind-contexts", "contexts"},
    BuiltInMeasure{"Helgrind Suppressed Errors", "helgrind-suppressed-errors", "suppressed errors"},
    BuiltInMeasure{"Helgrind Suppressed Contexts", "helgrind-suppressed-contexts", "suppressed contexts"},
    BuiltInMeasure{"DRD Errors", "drd-errors", "errors"},
    BuiltInMeasure{"DRD Contexts", "drd-contexts", "contexts"},
    BuiltInMeasure{"DRD Suppressed Errors", "drd-suppressed-errors", "suppressed errors"},
    BuiltInMeasure{"DRD Suppressed Contexts", "drd-suppressed-contexts", "suppressed contexts"},
};

/// What the checkers call their measures; the first one that has it is meant.
constexpr std::array<std::string_view, 4> tool_names{"Errors", "Contexts", "Suppressed Errors", "Suppressed Contexts"};
constexpr std::string_view first_checker = "Memcheck ";

}  // namespace

std::span<const BuiltInMeasure> built_in_measures() {
  return table;
}

const BuiltInMeasure* built_in_measure(std::string_view text) {
  for (const auto& measure : table)
    if (text == measure.name || text == measure.slug) return &measure;
  for (const auto tool_name : tool_names) {
    if (text != tool_name) continue;
    for (const auto& measure : table)
      if (measure.name.starts_with(first_checker) && measure.name.substr(first_checker.size()) == text) return &measure;
  }
  return nullptr;
}

}  // namespace bencher
