// What is asked for, and the body that says so to the server.

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "bencher/adapter/mapping.hpp"
#include "bencher/base/encoding.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/image/reference.hpp"

#include "apps/cli/context.hpp"
#include "apps/cli/run.hpp"
#include "apps/cli/types.hpp"

namespace bencher::cli {
namespace {

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw Failure{Exit::usage, fmt::format(text, std::forward<Args>(args)...)};
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

/// The words of the command: from the line, else the variable.
std::vector<std::string> command_words(World& world, const Arguments& arguments) {
  if (!arguments.words().empty()) return arguments.words();
  if (const auto command = world.env("BENCHER_CMD")) return {*command};
  return {};
}

std::vector<std::string> command_argv(const std::vector<std::string>& words, const Arguments& arguments) {
  const bool shell = words.size() == 1 && !arguments.has("exec");
  if (!words.empty() && !shell)
    for (const auto* flag : {"shell", "flag"})
      if (arguments.given(flag))
        refuse("--{} is for a command of one word, which a shell reads; this one has {}", flag, words.size());
  if (!shell) return words;
  return {arguments.get_or("shell", "/bin/sh"), arguments.get_or("flag", "-c"), words.front()};
}

void check_project(World& world, const Arguments& arguments) {
  // A local history has one project where none is named, in CI too.
  if (arguments.has("project") || arguments.has("local")) return;
  const auto image = arguments.get("image");
  if (image && must(ImageReference::parse(*image)).project()) return;
  if (arguments.get_or("key", "").starts_with("bencher_run_"))
    refuse("a project key needs its project: give --project (or set BENCHER_PROJECT)");
  if (world.env("CI") == "true" && !arguments.has("ci-on-the-fly"))
    refuse("no project in CI: give --project (or set BENCHER_PROJECT), or --ci-on-the-fly to have one made");
}

json::Value job_of(const RunPlan& plan, const Arguments& arguments) {
  json::Value job;
  job.set("image", *plan.image);
  if (const auto spec = arguments.get("spec")) job.set("spec", *spec);
  if (const auto entrypoint = arguments.get("entrypoint")) {
    json::Value list;
    list.push(*entrypoint);
    job.set("entrypoint", std::move(list));
  }
  const auto strings = [](const std::vector<std::string>& values) {
    json::Value list = json::Value::array();
    for (const auto& value : values)
      list.push(to_valid_utf8(value));
    return list;
  };
  if (!plan.argv.empty()) job.set("cmd", strings(plan.argv));
  if (const auto pairs = arguments.all("env"); !pairs.empty()) {
    json::Value env = json::Value::object();
    for (const auto& pair : pairs) {
      const auto equals = pair.find('=');
      env.set(pair.substr(0, equals), pair.substr(equals + 1));
    }
    job.set("env", std::move(env));
  }
  if (const auto timeout = arguments.get("job-timeout")) job.set("timeout", json::Value::number_text(*timeout));
  if (!plan.files.empty()) {
    std::vector<std::string> paths;
    for (const auto& file : plan.files)
      paths.push_back(file.path);
    job.set("file_paths", strings(paths));
  }
  if (!plan.file_sizes.empty()) {
    job.set("file_paths", strings(plan.file_sizes));
    job.set("file_size", true);
  }
  if (plan.build_time) job.set("build_time", true);
  job.set("iter", json::Value::number(static_cast<std::int64_t>(plan.iterations)));
  if (plan.allow_failure) job.set("allow_failure", true);
  if (plan.backdate) job.set("backdate", Timestamp{*plan.backdate}.str());
  return job;
}

/// How the server reads what it gets.
json::Value settings_of(const RunPlan& plan, const Arguments& arguments) {
  json::Value settings;
  settings.set("adapter", plan.reads_here() || plan.settings.mapping ? "json" : arguments.get_or("adapter", "magic"));
  if (const auto average = arguments.get("average"); average && !plan.reads_here()) settings.set("average", *average);
  if (const auto fold = arguments.get("fold")) settings.set("fold", *fold);
  if (!plan.image) return settings;
  const auto& options = plan.settings.options;
  if (options.all_measures) settings.set("all_measures", true);
  if (options.distinct_names) settings.set("distinct_names", true);
  if (options.fold_repeats) settings.set("fold_repeats", std::string(name(*options.fold_repeats)));
  if (plan.settings.mapping) settings.set("mapping", to_valid_utf8(*plan.settings.mapping));
  json::Value adapters = json::Value::object();
  for (const auto& file : plan.files)
    if (file.adapter) adapters.set(file.path, std::string(name(*file.adapter)));
  if (!adapters.members().empty()) settings.set("file_adapters", std::move(adapters));
  return settings;
}

}  // namespace

ResultFile result_file(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon != std::string::npos && colon > 0)
    if (const auto adapter = parse_adapter(std::string_view(text).substr(colon + 1)))
      return {text.substr(0, colon), normalize(*adapter)};
  return {text, {}};
}

namespace {

constexpr std::string_view mapping_prefix = "mapping:";

ReadSettings read_settings(const World& world, const Arguments& arguments, const std::string& adapter) {
  ReadSettings out;
  if (adapter.starts_with(mapping_prefix)) {
    const auto file = adapter.substr(mapping_prefix.size());
    auto text = read_file(world, file);
    if (!text) refuse("--adapter {}: {}", adapter, text.error().message());
    if (const auto mapping = Mapping::parse(*text); !mapping) refuse("{}: {}", file, mapping.error().message());
    out.mapping = *std::move(text);
  } else {
    out.adapter = must(parse_adapter(adapter));
  }
  auto& options = out.options;
  if (const auto average = arguments.get("average")) options.average = must(parse_average(*average));
  options.all_measures = arguments.has("all-measures");
  options.distinct_names = arguments.has("distinct-names");
  if (const auto fold = arguments.get("fold-repeats")) options.fold_repeats = must(parse_fold(*fold));
  return out;
}

}  // namespace

bool RunPlan::reads_here() const {
  if (image || build_time || !file_sizes.empty()) return false;
  const auto own = [](const ResultFile& file) { return file.adapter.has_value(); };
  const auto& options = settings.options;
  return settings.mapping || options.all_measures || options.distinct_names || options.fold_repeats ||
         std::ranges::any_of(files, own);
}

RunPlan plan_run(World& world, const Arguments& arguments) {
  // The first that is known and not built: no benchmark runs for nothing.
  for (const auto* flag : {"github-actions", "ci-only-thresholds", "ci-only-on-alert", "ci-public-links", "ci-id",
                           "ci-number", "ci-i-am-vulnerable-to-pwn-requests"})
    if (arguments.has(flag)) refuse("--{}: posting to GitHub Actions is not built yet in this version", flag);
  check_project(world, arguments);
  types::thresholds_of(arguments);

  RunPlan plan;
  plan.image = arguments.get("image");
  for (const auto& file : arguments.all("file"))
    plan.files.push_back(result_file(file));
  plan.file_sizes = arguments.all("file-size");
  plan.build_time = arguments.has("build-time");
  plan.quiet = arguments.has("quiet");
  plan.dry_run = arguments.has("dry-run");
  plan.detach = arguments.has("detach");
  plan.error_on_alert = arguments.has("error-on-alert");
  plan.allow_failure = arguments.has("allow-failure");
  const auto format = arguments.get_or("format", "human");
  plan.format = format == "json" ? Format::json : format == "html" ? Format::html : Format::human;
  plan.iterations = static_cast<std::uint32_t>(std::stoul(*arguments.get("iter")));
  if (plan.iterations == 0) refuse("--iter 0 runs nothing; it takes 1 or more");
  if (const auto backdate = arguments.get("backdate")) plan.backdate = std::stoll(*backdate);
  if (plan.files.size() > 255 || plan.file_sizes.size() > 255) refuse("at most 255 files");
  if (arguments.all("env").size() > 255) refuse("--env: at most 255");

  auto words = command_words(world, arguments);
  if (const auto cmd = arguments.all("cmd"); !cmd.empty()) {
    if (!words.empty()) refuse("the command is there twice: as --cmd and as '{}'", join(words));
    plan.argv = cmd;
  } else {
    plan.argv = command_argv(words, arguments);
  }
  plan.display = join(plan.argv);
  if (plan.image && plan.argv.size() > 64)
    refuse("a command in an image has at most 64 words, this one {}", plan.argv.size());

  const auto adapter = arguments.get_or("adapter", "magic");
  plan.settings = read_settings(world, arguments, adapter);
  if ((plan.build_time || !plan.file_sizes.empty()) && adapter != "magic" && adapter != "json")
    refuse("--build-time and --file-size make results of their own: leave --adapter {} out", adapter);
  if (plan.image) return plan;
  if (plan.build_time && plan.argv.empty()) refuse("--build-time needs a command to run, or --image");
  if (plan.argv.empty() && plan.files.empty() && plan.file_sizes.empty()) {
    plan.input = must(world.read_input());
    if (!plan.input || plan.input->empty())
      refuse("nothing to run: give a command, --file, --file-size or --image, or results on standard input");
  }
  return plan;
}

std::string random_uuid(Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(std::as_writable_bytes(std::span(bytes)));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  return AnyUuid::from_bytes(bytes).str();
}

json::Value run_body(World& world, const RunPlan& plan, const Arguments& arguments, std::vector<std::string> results,
                     Instant start, Instant end) {
  json::Value body = json::Value::object();
  if (const auto project = arguments.get("project")) body.set("project", *project);
  body.set("idempotency_key", random_uuid(world.random));
  if (const auto branch = arguments.get("branch")) body.set("branch", *branch);
  if (const auto hash = arguments.get("hash")) body.set("hash", *hash);

  // Something that cannot be a branch, such as an empty variable in CI, counts as not given.
  auto start_point = arguments.get("start-point");
  if (start_point && !types::branch_id.check(*start_point)) start_point.reset();
  const bool reset = arguments.has("start-point-reset");
  if (start_point || reset) {
    json::Value point;
    if (start_point) point.set("branch", *start_point);
    if (const auto hash = arguments.get("start-point-hash")) point.set("hash", *hash);
    point.set("max_versions", json::Value::number_text(arguments.get_or("start-point-max-versions", "255")));
    point.set("clone_thresholds", arguments.has("start-point-clone-thresholds"));
    point.set("reset", reset);
    body.set("start_point", std::move(point));
  }
  if (const auto testbed = arguments.get("testbed")) body.set("testbed", *testbed);
  if (arguments.has("spec-reset")) body.set("spec_reset", true);
  if (auto thresholds = types::thresholds_of(arguments); !thresholds.is_null())
    body.set("thresholds", std::move(thresholds));

  if (plan.backdate && !plan.image) {
    const auto duration = end - start;
    start = Instant(std::chrono::seconds(*plan.backdate));
    end = start + duration;
  }
  body.set("start_time", time_text(start));
  body.set("end_time", time_text(end));
  json::Value texts = json::Value::array();
  for (auto& result : results)
    texts.push(to_valid_utf8(result));
  body.set("results", std::move(texts));
  body.set("settings", settings_of(plan, arguments));
  body.set("context", run_context(world.directory));
  if (plan.image) body.set("job", job_of(plan, arguments));
  return body;
}

json::Value masked(json::Value body) {
  auto* job = body.find("job");
  if (!job || !job->contains("env")) return body;
  json::Value hidden = json::Value::object();
  for (const auto& [name, value] : (*job)["env"].members())
    hidden.set(name, "***");
  job->set("env", std::move(hidden));
  return body;
}

}  // namespace bencher::cli
