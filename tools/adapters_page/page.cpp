#include "tools/adapters_page/page.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include <fmt/core.h>

#include "bencher/adapter/bmf.hpp"
#include "bencher/adapter/mapping.hpp"

#include "lib/adapter/registry.hpp"
#include "tools/adapters_page/excerpt.hpp"

namespace bencher::tools {
namespace {

namespace fs = std::filesystem;

using adapter::Averages;
using adapter::Row;

constexpr auto none_of_it = "–";

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) return Error(Errc::not_found, fmt::format("cannot read {}", path.string()));
  return text;
}

std::string bmf(const Results& results) {
  std::string out;
  write_bmf(results, [&](std::string_view piece) {
    out += piece;
    return true;
  });
  return out;
}

/// How often each measure is there.
using Measures = std::map<std::string, std::size_t, std::less<>>;

void count(const Results& results, Measures& out) {
  for (const auto benchmark : results)
    for (const auto m : benchmark.measures)
      ++out[std::string(m.measure)];
}

/// The most frequent of those that are not in `others`.
std::string most_frequent(const Measures& measures, const Measures& others) {
  constexpr std::size_t most = 6;
  std::vector<std::pair<std::size_t, std::string_view>> order;
  for (const auto& [name, times] : measures)
    if (!others.contains(name)) order.emplace_back(times, name);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out;
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i)
    out += fmt::format("{}`{}`", i == 0 ? "" : ", ", order[i].second);
  if (order.size() > most) out += fmt::format(" and {} more", order.size() - most);
  return out.empty() ? none_of_it : out;
}

/// The outputs that are of an adapter, by name.
std::vector<fs::path> outputs(const fs::path& data, std::string_view adapter) {
  std::vector<fs::path> out;
  for (const auto& folder : {data / adapter, data / "further" / adapter, data / "refused" / adapter}) {
    if (!fs::is_directory(folder)) continue;
    for (const auto& file : fs::directory_iterator(folder)) {
      const auto name = file.path().filename().string();
      if (name.find(".expected.") == name.npos && !name.ends_with(".golden")) out.push_back(file.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Page {
 public:
  Page(const fs::path& root, std::span<const Harness> harnesses)
      : root_(root), data_(root / "tests" / "data" / "adapters"), harnesses_(harnesses) {}

  Result<std::string> whole() {
    BENCHER_DO(check());
    BENCHER_TRY(const auto form, read_file(root_ / "tools" / "adapters_page" / "adapters.md.in"));
    std::string out =
        "<!-- Made by tools/adapters_page; after a change run build/dev/bin/adapters_page . > docs/adapters.md -->\n";
    std::string_view rest = form;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('@'), rest.size());
      out += rest.substr(0, end);
      rest.remove_prefix(end);
      if (rest.empty()) break;
      const auto close = rest.find('@', 1);
      if (close == rest.npos) return Error(Errc::invalid_argument, "adapters.md.in: an @ is not closed");
      BENCHER_TRY(const auto filled, fill(rest.substr(1, close - 1)));
      out += filled;
      rest.remove_prefix(close + 1);
    }
    return out;
  }

 private:
  Result<std::string> fill(std::string_view what) {
    if (what == "table") return table();
    if (what == "languages") return languages();
    if (what == "samples") return samples();
    if (what.starts_with("mapping ")) return mapping(std::string(what.substr(8)));
    return Error(Errc::invalid_argument, fmt::format("adapters.md.in: there is no '{}'", what));
  }

  /// Every adapter is on the page, once.
  Result<void> check() const {
    for (const auto kind : adapter_kinds()) {
      if (!row_of(kind)) continue;
      const auto there =
          std::count_if(harnesses_.begin(), harnesses_.end(), [&](const Harness& h) { return h.kind == kind; });
      if (there != 1)
        return Error(Errc::invalid_argument,
                     fmt::format("the adapter {} has {} rows in tools/adapters_page/harnesses.cpp: each has one, with "
                                 "its tool, its forms and a sample",
                                 name(kind), there));
    }
    return {};
  }

  static const Row* row_of(AdapterKind kind) {
    for (const auto& row : adapter::rows())
      if (row.kind == kind) return &row;
    return nullptr;
  }
  const Harness& harness_of(AdapterKind kind) const {
    return *std::find_if(harnesses_.begin(), harnesses_.end(), [&](const Harness& h) { return h.kind == kind; });
  }

  static std::string averages(Averages averages) {
    switch (averages) {
      case Averages::any: return "mean, median";
      case Averages::same: return "both are the same";
      case Averages::mean: return "mean";
      case Averages::median: return "median";
      case Averages::none: return none_of_it;
    }
    return "";
  }

  /// The measures by default and the extras, as cells.
  std::string measures(const Harness& harness) const {
    if (harness.open) return fmt::format("as the text names them | {}", none_of_it);
    Measures plain, all;
    auto files = outputs(data_, name(harness.kind));
    files.push_back(data_ / harness.sample);
    for (const auto& file : files) {
      const auto text = read_file(file);
      if (!text) continue;
      for (const bool extras : {false, true})
        if (const auto parsed = parse(harness.kind, *text, {.all_measures = extras}))
          count(parsed->results, extras ? all : plain);
    }
    return fmt::format("{} | {}", most_frequent(plain, {}), most_frequent(all, plain));
  }

  Result<std::string> table() const {
    std::string out =
        "| adapter | reads | forms | averages | measures | extras | magic |\n|---|---|---|---|---|---|---|\n";
    for (const auto kind : adapter_kinds()) {
      const auto* row = row_of(kind);
      if (!row) continue;
      const auto& harness = harness_of(kind);
      const auto other = bencher::alias(kind);
      out += fmt::format("| [`{0}`](#{0}){1} | {2} | {3} | {4} | {5} | {6} |\n", name(kind),
                         other.empty() ? "" : fmt::format(", `{}`", other), harness.tool, harness.forms,
                         averages(row->averages), measures(harness), row->detected ? "✓" : "");
    }
    out.pop_back();
    return out;
  }

  Result<std::string> languages() const {
    std::string out;
    for (const auto language : adapter_kinds()) {
      std::string its;
      for (const auto& row : adapter::rows())
        if (row.language == language && row.kind != language && row.detected)
          its += fmt::format("{}`{}`", its.empty() ? "" : ", ", name(row.kind));
      if (!its.empty()) out += fmt::format("{}`{}` ({})", out.empty() ? "" : ", ", name(language), its);
    }
    return out;
  }

  std::string link(const std::string& file) const { return fmt::format("[{0}](../tests/data/adapters/{0})", file); }

  Result<std::string> samples() const {
    std::string out;
    for (const auto kind : adapter_kinds()) {
      if (!row_of(kind)) continue;
      const auto& harness = harness_of(kind);
      const std::string file(harness.sample);
      BENCHER_TRY(const auto text, read_file(data_ / file));
      const auto parsed = parse(kind, text);
      if (!parsed || parsed->results.empty())
        return Error(Errc::invalid_argument, fmt::format("{}, the sample of {}, gives no results{}", file, name(kind),
                                                         parsed ? "" : ": " + parsed.error().message()));
      BENCHER_TRY(const auto shown, excerpt(text, harness.from));
      out += fmt::format("{}### {}\n\nFrom {} ({}):\n\n{}\n\nIts results:\n\n{}", out.empty() ? "" : "\n\n", name(kind),
                         harness.tool, link(file), block(shown, language_of(file)),
                         block(excerpt(bmf(parsed->results)), "json"));
    }
    return out;
  }

  Result<std::string> mapping(const std::string& file) const {
    const auto document_file = "mapping/" + fs::path(file).stem().string() + ".mapping.json";
    BENCHER_TRY(const auto document, read_file(data_ / document_file));
    BENCHER_TRY(const auto text, read_file(data_ / "mapping" / file));
    auto mapping = Mapping::parse(document);
    if (!mapping) return std::move(mapping).error().within(document_file);
    auto parsed = mapping->read(text);
    if (!parsed) return std::move(parsed).error().within(file);
    std::string warnings;
    for (const auto& warning : parsed->warnings)
      warnings += "warning: " + warning + "\n";
    return fmt::format("### {}\n\n{}\n\nwith\n\n{}\n\nis\n\n{}{}", file, block(text, language_of(file)),
                       block(document, "json"), block(bmf(parsed->results), "json"),
                       warnings.empty() ? "" : "\n\n" + block(warnings, "text"));
  }

  fs::path root_, data_;
  std::span<const Harness> harnesses_;
};

}  // namespace

Result<std::string> adapters_page(const fs::path& root, std::span<const Harness> harnesses) {
  return Page(root, harnesses).whole();
}

}  // namespace bencher::tools
