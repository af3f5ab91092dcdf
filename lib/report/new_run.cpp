#include "bencher/report/new_run.hpp"

#include <cmath>

#include <fmt/core.h>

#include "bencher/adapter/mapping.hpp"

#include "lib/report/json.hpp"
#include "lib/report/new_run_json.hpp"

namespace bencher {
namespace {

Error at(std::string_view pointer, Error error) {
  return std::move(error).within(pointer);
}

Result<NewStartPoint> read_start_point(const wire::StartPointBody& w) {
  NewStartPoint s;
  s.branch = w.branch;
  s.hash = w.hash;
  s.max_versions = w.max_versions.value_or(255);
  s.clone_thresholds = w.clone_thresholds.value_or(false);
  s.reset = w.reset.value_or(false);
  return s;
}

template <class T>
Result<void> at_most(const std::optional<T>& list, std::size_t max, std::string_view pointer) {
  if (list && list->size() > max)
    return Error(Errc::invalid_argument,
                 fmt::format("{}: {} items, at most {} are allowed", pointer, list->size(), max));
  return {};
}

Result<NewJob> read_job(const wire::JobBody& w) {
  BENCHER_DO(at_most(w.entrypoint, 64, "/job/entrypoint"));
  BENCHER_DO(at_most(w.cmd, 64, "/job/cmd"));
  BENCHER_DO(at_most(w.env, 255, "/job/env"));
  BENCHER_DO(at_most(w.file_paths, 255, "/job/file_paths"));
  if (w.image.empty()) return Error(Errc::invalid_argument, "/job/image: the image reference must not be empty");
  if (w.timeout && (*w.timeout == 0 || *w.timeout > 2147483647))
    return Error(Errc::invalid_argument, "/job/timeout: must be 1 to 2147483647 seconds");
  NewJob j;
  j.image = w.image;
  j.spec = w.spec;
  j.entrypoint = w.entrypoint;
  j.cmd = w.cmd;
  j.env = w.env;
  j.timeout = w.timeout;
  j.file_paths = w.file_paths;
  j.build_time = w.build_time.value_or(false);
  j.file_size = w.file_size.value_or(false);
  j.iter = w.iter.value_or(1);
  j.allow_failure = w.allow_failure.value_or(false);
  j.backdate = w.backdate;
  return j;
}

Result<ReadSettings> read_settings(const wire::SettingsBody& w) {
  ReadSettings out;
  if (w.adapter) {
    auto adapter = parse_adapter(*w.adapter);
    if (!adapter) return at("/settings/adapter", std::move(adapter).error());
    out.adapter = normalize(*adapter);
  }
  out.options.average = w.average;
  out.options.all_measures = w.all_measures.value_or(false);
  out.options.distinct_names = w.distinct_names.value_or(false);
  out.options.fold_repeats = w.fold_repeats;
  out.fold = w.fold;
  if (w.mapping) {
    // Said before a job runs for nothing.
    if (const auto mapping = Mapping::parse(*w.mapping); !mapping) return at("/settings/mapping", mapping.error());
    out.mapping = w.mapping;
  }
  if (!w.file_adapters) return out;
  BENCHER_DO(at_most(w.file_adapters, 255, "/settings/file_adapters"));
  for (const auto& [path, wanted] : *w.file_adapters) {
    auto adapter = parse_adapter(wanted);
    if (!adapter) return at("/settings/file_adapters/" + path, std::move(adapter).error());
    out.file_adapters.emplace(path, normalize(*adapter));
  }
  return out;
}

template <class W>
Result<NewRun> read_common(W& w) {
  NewRun run;
  run.hash = w.hash;
  if (w.start_point) {
    BENCHER_TRY(run.start_point, read_start_point(*w.start_point));
  }
  if (w.thresholds) {
    run.thresholds_reset = w.thresholds->reset.value_or(false);
    if (w.thresholds->models) {
      for (const auto& [measure, model] : *w.thresholds->models) {
        auto id = ResourceNameId::parse(measure);
        if (!id) return at("/thresholds/models", std::move(id).error());
        auto read = wire::read_model(model);
        if (!read) return at("/thresholds/models/" + measure, std::move(read).error());
        run.models.push_back({*std::move(id), *read});
      }
    }
  }
  run.start_time = w.start_time;
  run.end_time = w.end_time;
  run.results = std::move(w.results);
  if (w.settings) {
    BENCHER_TRY(run.settings, read_settings(*w.settings));
  }
  return run;
}

}  // namespace

namespace wire {

Result<Model> read_model(const ModelBody& w) {
  Model m;
  if (w.test == "z")
    m.test = ModelTest::z_score;
  else if (w.test == "t")
    m.test = ModelTest::t_test;
  else if (const auto test = json::enum_from<ModelTest>(w.test))
    m.test = *test;
  else
    return Error(Errc::invalid_argument,
                 fmt::format("'{}' is no test; use one of {}", w.test, json::enum_names<ModelTest>()));
  if (w.min_sample_size == 0u || w.max_sample_size == 0u || w.window == 0u)
    return Error(Errc::invalid_argument, "sample sizes and the window must be at least 1");
  m.min_sample_size = w.min_sample_size;
  m.max_sample_size = w.max_sample_size;
  m.window = w.window;
  m.lower_boundary = w.lower_boundary;
  m.upper_boundary = w.upper_boundary;
  return m;
}

}  // namespace wire

Result<NewRun> parse_new_run(std::string_view text) {
  BENCHER_TRY(auto w, json::parse<wire::RunBody>(text));
  BENCHER_TRY(auto run, read_common(w));
  run.project = w.project;
  run.branch = w.branch;
  run.testbed = w.testbed;
  run.spec_reset = w.spec_reset.value_or(false);
  run.has_context = w.context.has_value();
  if (w.context) run.context = std::move(*w.context);
  run.idempotency_key = w.idempotency_key;
  if (w.job) {
    BENCHER_TRY(run.job, read_job(*w.job));
  }
  return run;
}

Result<NewRun> parse_new_report(std::string_view text) {
  BENCHER_TRY(auto w, json::parse<wire::ReportBody>(text));
  BENCHER_TRY(auto run, read_common(w));
  run.branch = w.branch;
  run.testbed = w.testbed;
  return run;
}

const std::string* context_value(const NewRun& run, std::string_view key) {
  const auto found = run.context.find("bencher.dev/v0/" + std::string(key));
  return found == run.context.end() ? nullptr : &found->second;
}

BranchNameId run_branch(const NewRun& run) {
  if (run.branch) return *run.branch;
  if (const auto* name = context_value(run, "branch/ref/name"))
    if (auto branch = BranchName::parse(*name)) return *BranchNameId::parse(*name);
  return *BranchNameId::parse("main");
}

std::optional<std::string> run_hash(const NewRun& run) {
  if (run.hash) return run.hash->str();
  if (const auto* hash = context_value(run, "branch/hash"))
    if (GitHash::parse(*hash)) return *hash;
  return std::nullopt;
}

ResourceNameId run_testbed(const NewRun& run) {
  if (run.testbed) return *run.testbed;
  if (const auto* os = context_value(run, "testbed/os"))
    if (auto id = ResourceNameId::parse(*os)) return *std::move(id);
  return *ResourceNameId::parse("localhost");
}

namespace {

std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
    --bytes;
  return text.substr(0, bytes);
}

}  // namespace

std::string context_project_name(const NewRun& run) {
  const auto* name = context_value(run, "repo/name");
  if (!name) return "Project";
  auto parsed = ResourceName::parse(cut(*name, 64));
  return parsed ? parsed->str() : "Project";
}

std::string context_project_slug(const NewRun& run) {
  std::string text;
  const auto add = [&](std::string_view key, std::size_t bytes) {
    const auto* part = context_value(run, key);
    if (!part || part->empty()) return;
    if (!text.empty()) text += ' ';
    text += cut(*part, bytes);
  };
  add("repo/name", 42);
  add("repo/hash", 7);
  add("testbed/fingerprint", 13);
  return slugify(text);
}

}  // namespace bencher
