#include "bencher/adapter/read.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "bencher/adapter/mapping.hpp"

namespace bencher {
namespace {

/// Keeps warnings of one text after another.
class Warnings {
 public:
  explicit Warnings(std::vector<std::string>& out) : out_(out) {}

  void add(std::string warning) {
    if (std::find(out_.begin(), out_.end(), warning) != out_.end()) return;
    // The last place is for how many there were.
    if (out_.size() + 1 < max_read_warnings)
      out_.push_back(std::move(warning));
    else
      ++more_;
  }
  void finish() {
    if (more_ > 0) out_.push_back(fmt::format("and {} more", more_));
  }

 private:
  std::vector<std::string>& out_;
  std::size_t more_ = 0;
};

std::string name_of(const Output& output, std::size_t at) {
  return output.path.empty() ? fmt::format("result {}", at) : std::string(output.path);
}

}  // namespace

Result<ReadResults> read_outputs(const ReadSettings& settings, std::span<const Output> outputs) {
  std::optional<Mapping> mapping;
  if (settings.mapping) {
    auto parsed = Mapping::parse(*settings.mapping);
    if (!parsed) return std::move(parsed).error().within("mapping");
    mapping = *std::move(parsed);
  }
  ReadResults out;
  out.results.reserve(outputs.size());
  Warnings warnings(out.warnings);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& output = outputs[i];
    const auto own = settings.file_adapters.find(std::string(output.path));
    const bool by_name = own != settings.file_adapters.end();
    auto parsed = mapping && !by_name
                      ? mapping->read(output.text, settings.options)
                      : parse(normalize(by_name ? own->second : settings.adapter), output.text, settings.options);
    if (!parsed) return std::move(parsed).error().within(name_of(output, i));
    for (auto& warning : parsed->warnings)
      warnings.add(outputs.size() == 1 ? std::move(warning) : fmt::format("{}: {}", name_of(output, i), warning));
    out.results.push_back(std::move(parsed->results));
  }
  warnings.finish();
  if (settings.fold && !out.results.empty()) {
    auto folded = fold(*settings.fold, out.results);
    out.results.clear();
    out.results.push_back(std::move(folded));
  }
  return out;
}

}  // namespace bencher
