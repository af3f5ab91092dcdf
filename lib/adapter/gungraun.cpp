#include "lib/adapter/gungraun.hpp"

#include <algorithm>
#include <array>

namespace bencher::adapter {
namespace {

constexpr std::array callgrind{
    GungraunMeasure{"instructions", "Instructions", "Ir", true},
    GungraunMeasure{"l1-hits", "L1 Hits", "L1hits", true},
    GungraunMeasure{"l2-hits", "L2 Hits", "", true},
    GungraunMeasure{"ll-hits", "LL Hits", "LLhits", true},
    GungraunMeasure{"ram-hits", "RAM Hits", "RamHits", true},
    GungraunMeasure{"total-read-write", "Total read+write", "TotalRW", true},
    GungraunMeasure{"estimated-cycles", "Estimated Cycles", "EstimatedCycles", true},
    GungraunMeasure{"global-bus-events", "Ge", "Ge"},
    GungraunMeasure{"dr", "Dr", "Dr", true},
    GungraunMeasure{"dw", "Dw", "Dw", true},
    GungraunMeasure{"i1mr", "I1mr", "I1mr", true},
    GungraunMeasure{"d1mr", "D1mr", "D1mr", true},
    GungraunMeasure{"ilmr", "ILmr", "ILmr", true},
    GungraunMeasure{"dlmr", "DLmr", "DLmr", true},
    GungraunMeasure{"d1mw", "D1mw", "D1mw", true},
    GungraunMeasure{"dlmw", "DLmw", "DLmw", true},
    GungraunMeasure{"i1-miss-rate", "I1 Miss Rate", "I1MissRate", true},
    GungraunMeasure{"lli-miss-rate", "LLi Miss Rate", "LLiMissRate", true},
    GungraunMeasure{"d1-miss-rate", "D1 Miss Rate", "D1MissRate", true},
    GungraunMeasure{"lld-miss-rate", "LLd Miss Rate", "LLdMissRate", true},
    GungraunMeasure{"ll-miss-rate", "LL Miss Rate", "LLMissRate", true},
    GungraunMeasure{"l1-hit-rate", "L1 Hit Rate", "L1HitRate", true},
    GungraunMeasure{"ll-hit-rate", "LL Hit Rate", "LLHitRate", true},
    GungraunMeasure{"ram-hit-rate", "RAM Hit Rate", "RamHitRate", true},
    GungraunMeasure{"sys-count", "SysCount", "SysCount"},
    GungraunMeasure{"sys-time", "SysTime", "SysTime"},
    GungraunMeasure{"sys-cpu-time", "SysCpuTime", "SysCpuTime"},
    GungraunMeasure{"bc", "Bc", "Bc"},
    GungraunMeasure{"bcm", "Bcm", "Bcm"},
    GungraunMeasure{"bi", "Bi", "Bi"},
    GungraunMeasure{"bim", "Bim", "Bim"},
    GungraunMeasure{"ildmr", "ILdmr", "ILdmr"},
    GungraunMeasure{"dldmr", "DLdmr", "DLdmr"},
    GungraunMeasure{"dldmw", "DLdmw", "DLdmw"},
    GungraunMeasure{"accost1", "AcCost1", "AcCost1"},
    GungraunMeasure{"accost2", "AcCost2", "AcCost2"},
    GungraunMeasure{"sploss1", "SpLoss1", "SpLoss1"},
    GungraunMeasure{"sploss2", "SpLoss2", "SpLoss2"},
};

constexpr std::array dhat{
    GungraunMeasure{"total-bytes", "Total bytes", "TotalBytes"},
    GungraunMeasure{"total-blocks", "Total blocks", "TotalBlocks"},
    GungraunMeasure{"total-units", "Total units", "TotalUnits"},
    GungraunMeasure{"total-events", "Total events", "TotalEvents"},
    GungraunMeasure{"total-lifetimes", "Total lifetimes", "TotalLifetimes"},
    GungraunMeasure{"at-t-gmax-bytes", "At t-gmax bytes", "AtTGmaxBytes"},
    GungraunMeasure{"at-t-gmax-blocks", "At t-gmax blocks", "AtTGmaxBlocks"},
    GungraunMeasure{"at-t-end-bytes", "At t-end bytes", "AtTEndBytes"},
    GungraunMeasure{"at-t-end-blocks", "At t-end blocks", "AtTEndBlocks"},
    GungraunMeasure{"reads-bytes", "Reads bytes", "ReadsBytes"},
    GungraunMeasure{"writes-bytes", "Writes bytes", "WritesBytes"},
    GungraunMeasure{"maximum-bytes", "Maximum bytes", "MaximumBytes"},
    GungraunMeasure{"maximum-blocks", "Maximum blocks", "MaximumBlocks"},
};

constexpr std::array memcheck{
    GungraunMeasure{"memcheck-errors", "Errors", "Errors"},
    GungraunMeasure{"memcheck-contexts", "Contexts", "Contexts"},
    GungraunMeasure{"memcheck-suppressed-errors", "Suppressed Errors", "SuppressedErrors"},
    GungraunMeasure{"memcheck-suppressed-contexts", "Suppressed Contexts", "SuppressedContexts"},
};
constexpr std::array helgrind{
    GungraunMeasure{"helgrind-errors", "Errors", "Errors"},
    GungraunMeasure{"helgrind-contexts", "Contexts", "Contexts"},
    GungraunMeasure{"helgrind-suppressed-errors", "Suppressed Errors", "SuppressedErrors"},
    GungraunMeasure{"helgrind-suppressed-contexts", "Suppressed Contexts", "SuppressedContexts"},
};
constexpr std::array drd{
    GungraunMeasure{"drd-errors", "Errors", "Errors"},
    GungraunMeasure{"drd-contexts", "Contexts", "Contexts"},
    GungraunMeasure{"drd-suppressed-errors", "Suppressed Errors", "SuppressedErrors"},
    GungraunMeasure{"drd-suppressed-contexts", "Suppressed Contexts", "SuppressedContexts"},
};

}  // namespace

std::span<const GungraunMeasure> gungraun_measures(GungraunTool tool) {
  switch (tool) {
    case GungraunTool::callgrind:
    case GungraunTool::cachegrind: return callgrind;
    case GungraunTool::dhat: return dhat;
    case GungraunTool::memcheck: return memcheck;
    case GungraunTool::helgrind: return helgrind;
    case GungraunTool::drd: return drd;
  }
  return {};
}

bool gungraun_tool(std::string_view name, GungraunTool& out) {
  struct Named {
    std::string_view header, name;
    GungraunTool tool;
  };
  static constexpr std::array tools{Named{"CALLGRIND", "Callgrind", GungraunTool::callgrind},
                                    Named{"CACHEGRIND", "Cachegrind", GungraunTool::cachegrind},
                                    Named{"DHAT", "DHAT", GungraunTool::dhat},
                                    Named{"MEMCHECK", "Memcheck", GungraunTool::memcheck},
                                    Named{"HELGRIND", "Helgrind", GungraunTool::helgrind},
                                    Named{"DRD", "DRD", GungraunTool::drd}};
  const auto found =
      std::find_if(tools.begin(), tools.end(), [&](const Named& t) { return t.header == name || t.name == name; });
  if (found == tools.end()) return false;
  out = found->tool;
  return true;
}

std::string strip_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\n') continue;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

}  // namespace bencher::adapter
