#include "lib/job/json.hpp"

#include "lib/report/new_run_json.hpp"

namespace bencher {

JobOutputWire to_wire(const JobOutput& output) {
  JobOutputWire w;
  for (const auto& r : output.results) {
    IterationOutputWire i;
    i.exit_code = r.exit_code;
    if (r.stdout_ && !r.stdout_->empty()) i.stdout_ = *r.stdout_;
    if (r.stderr_ && !r.stderr_->empty()) i.stderr_ = *r.stderr_;
    if (r.output) i.output = *r.output;
    w.results.push_back(std::move(i));
  }
  if (output.error) w.error = *output.error;
  return w;
}

IterationOutput from_wire(IterationOutputWire w) {
  IterationOutput i;
  i.exit_code = w.exit_code;
  i.stdout_ = std::move(w.stdout_);
  i.stderr_ = std::move(w.stderr_);
  i.output = std::move(w.output);
  return i;
}

JobOutput from_wire(JobOutputWire w) {
  JobOutput out;
  for (auto& r : w.results)
    out.results.push_back(from_wire(std::move(r)));
  out.error = std::move(w.error);
  return out;
}

Result<JobOutput> parse_job_output(std::string_view text) {
  BENCHER_TRY(auto w, json::parse<JobOutputWire>(text));
  return from_wire(std::move(w));
}

std::string print(const JobOutput& output) {
  return json::print(to_wire(output));
}

JobConfigWire to_wire(const JobConfig& c) {
  JobConfigWire w;
  w.registry = c.registry;
  w.project = c.project;
  w.digest = c.digest;
  w.image = c.image;
  w.entrypoint = c.entrypoint;
  w.cmd = c.cmd;
  w.env = c.env;
  w.timeout = c.timeout;
  w.file_paths = c.file_paths;
  if (c.build_time == true) w.build_time = true;
  if (c.file_size == true) w.file_size = true;
  const auto& settings = c.settings;
  if (settings.options.average) w.average = std::string(name(*settings.options.average));
  if (settings.fold) w.fold = std::string(name(*settings.fold));
  if (settings.options.all_measures) w.all_measures = true;
  if (settings.options.distinct_names) w.distinct_names = true;
  if (settings.options.fold_repeats) w.fold_repeats = std::string(name(*settings.options.fold_repeats));
  w.mapping = settings.mapping;
  if (!settings.file_adapters.empty()) w.file_adapters = std::map<std::string, std::string>();
  for (const auto& [path, adapter] : settings.file_adapters)
    w.file_adapters->emplace(path, name(adapter));
  if (c.iter && *c.iter != 1) w.iter = *c.iter;
  if (c.allow_failure == true) w.allow_failure = true;
  w.backdate = c.backdate;
  return w;
}

Result<JobConfig> parse_job_config(std::string_view text) {
  BENCHER_TRY(auto w, json::parse<JobConfigWire>(text));
  JobConfig c;
  c.registry = w.registry;
  c.project = w.project;
  c.digest = w.digest;
  c.image = w.image;
  c.entrypoint = w.entrypoint;
  c.cmd = w.cmd;
  c.env = w.env;
  c.timeout = w.timeout;
  c.file_paths = w.file_paths;
  c.build_time = w.build_time;
  c.file_size = w.file_size;
  auto& settings = c.settings;
  if (w.average) settings.options.average = json::enum_from<Average>(*w.average);
  if (w.fold) settings.fold = json::enum_from<Fold>(*w.fold);
  settings.options.all_measures = w.all_measures.value_or(false);
  settings.options.distinct_names = w.distinct_names.value_or(false);
  if (w.fold_repeats) settings.options.fold_repeats = json::enum_from<Fold>(*w.fold_repeats);
  settings.mapping = w.mapping;
  if (w.file_adapters) {
    for (const auto& [path, wanted] : *w.file_adapters) {
      BENCHER_TRY(const auto adapter, parse_adapter(wanted));
      settings.file_adapters.emplace(path, adapter);
    }
  }
  c.iter = w.iter;
  c.allow_failure = w.allow_failure;
  c.backdate = w.backdate;
  return c;
}

std::string print(const JobConfig& config) {
  return json::print(to_wire(config));
}

namespace {

JobTimesWire to_wire(const JobTimes& times) {
  const auto text = [&](JobStage stage) {
    const auto& at = times[static_cast<std::size_t>(stage)];
    return at ? json::Sparse<std::string>(time_text(*at)) : json::Sparse<std::string>();
  };
  return {text(JobStage::queued), text(JobStage::claimed), text(JobStage::pulled),
          text(JobStage::booted), text(JobStage::ran),     text(JobStage::processed)};
}

}  // namespace

JobWire to_wire(const Job& j) {
  JobWire w;
  w.uuid = j.uuid;
  w.status = j.status;
  w.spec = j.spec;
  w.runner = j.runner;
  w.claimed = j.claimed;
  w.started = j.started;
  w.completed = j.completed;
  w.created = j.created;
  w.modified = j.modified;
  w.position = j.position;
  w.times = to_wire(j.times);
  if (j.output) w.output = to_wire(*j.output);
  return w;
}

}  // namespace bencher
