// The whole pipeline in one process: a run asks for a job, a "runner" executes it, its output is read, compared with
// its history, and raises an alert. No server, no socket, no thread.
#include <cstdio>
#include <filesystem>

#include "bencher/pipeline/pipeline.hpp"

using namespace bencher;

/// One run of the image: submit, claim, execute, complete. `latency` stands for what the benchmark measures.
static Result<Report> run_once(Pipeline& pipeline, Uuid<Runner> runner, double latency) {
  NewRun run;
  run.project = *ResourceId::parse("parser");
  run.branch = *BranchNameId::parse("main");
  run.settings.adapter = AdapterKind::json;
  run.job = NewJob{.image = "parser:v1"};
  run.models = {{*ResourceNameId::parse("latency"), Model{.test = ModelTest::percentage, .upper_boundary = 0.1}}};
  BENCHER_TRY(const auto report, pipeline.submit(run));
  BENCHER_TRY(const auto job, pipeline.claim(runner));
  if (!job) return Error(Errc::not_found, "no job is waiting");
  BENCHER_DO(pipeline.start(job->uuid));
  IterationOutput output;
  output.stdout_ = R"({"parse": {"latency": {"value": )" + std::to_string(latency) + "}}}";
  BENCHER_DO(pipeline.complete(job->uuid, JobOutput{{output}, {}}));
  return pipeline.report(report.uuid);
}

static Result<void> demonstrate(Store& store, BlobStore& blobs) {
  SystemClock clock;
  SystemRandom random;
  Pipeline pipeline(store, blobs, clock, random);
  BENCHER_TRY(const auto spec, pipeline.add_spec({.name = "Small", .is_default = true}));
  BENCHER_TRY(const auto runner, pipeline.add_runner("In-process", {spec.uuid}));
  BENCHER_TRY(const auto project, pipeline.project("parser", "Parser"));
  BENCHER_TRY(const auto config, blobs.put_blob(project.uuid.str(), "{}"));
  const auto manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
      R"("application/vnd.oci.image.config.v1+json","size":2,"digest":")" +
      config.str() + R"("},"layers":[]})";
  BENCHER_DO(blobs.put_manifest(project.uuid.str(), "application/vnd.oci.image.manifest.v1+json", manifest, "v1"));
  for (const double latency : {100.0, 101.0, 125.0}) {
    BENCHER_TRY(const auto report, run_once(pipeline, runner.uuid, latency));
    std::printf("latency %.0f: %u alerts\n", latency, report.counts.alerts.total);
  }
  return {};
}

int main() {
  const auto folder = std::filesystem::temp_directory_path() / "bencher-embed-pipeline";
  SystemRandom random;
  auto store = Store::open(":memory:");
  BlobStore blobs(folder, random);
  const auto done = demonstrate(*store, blobs);
  std::filesystem::remove_all(folder);
  if (!done) std::fprintf(stderr, "error: %s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
