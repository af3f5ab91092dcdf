#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/image/digest.hpp"
#include "bencher/image/manifest.hpp"

namespace bencher::runner {

/// A job as the server hands it to a runner.
struct ClaimedJob {
  std::string uuid;

  // The spec.
  std::optional<std::string> sandbox;  ///< `firecracker`; none: the runner's own choice
  std::string architecture;
  std::uint32_t cpu = 1;
  std::uint64_t memory = 0;  ///< bytes
  std::uint64_t disk = 0;    ///< bytes
  bool network = false;

  // The configuration.
  std::string registry;  ///< URL
  std::string project;
  Digest digest;
  std::string image;  ///< as the user wrote it; may be empty
  std::optional<std::vector<std::string>> entrypoint, cmd;
  std::vector<std::pair<std::string, std::string>> env;
  std::chrono::seconds timeout{0};  ///< of each iteration
  std::vector<std::string> file_paths;
  bool build_time = false;
  bool file_size = false;
  std::uint32_t iterations = 1;
  bool allow_failure = false;

  std::string oci_token;
};

/// Reads the answer of a claim; none for `null`. Error: `invalid_argument`, saying which field is wrong.
Result<std::optional<ClaimedJob>> parse_claim(std::string_view json);

/// What to run: the job's entrypoint, else the image's; then the job's cmd, else the image's unless the job brings its
/// own entrypoint. May be empty.
std::vector<std::string> command_of(const ClaimedJob& job, const ImageConfig& image);
/// The image's environment with the job's over it.
std::vector<std::pair<std::string, std::string>> env_of(const ClaimedJob& job, const ImageConfig& image);

/// One finished iteration as it is reported.
struct Iteration {
  int exit_code = 0;
  std::string standard_output, standard_error;
  std::map<std::string, std::string> output;  ///< files by path
};

/// What takes the place of the files when the job asks for build time or file sizes: one entry in Bencher Metric
/// Format, or none when there is nothing to say.
std::map<std::string, std::string> measured(const ClaimedJob& job, const std::map<std::string, std::string>& files,
                                            std::chrono::microseconds wall);

/// Cuts the longest texts, with a mark, until all of them fit `bytes` of JSON. Whether it had to.
bool fit(std::vector<Iteration>& iterations, std::size_t bytes);

/// What a message may hold, with room for the rest under the server's limit of 4 MiB.
constexpr std::size_t message_limit = 3'670'016;

/// The messages of the job's channel.
std::string event_message(std::string_view event, const std::string& job);
/// A heartbeat that tells what was reached at this moment: `pulled`, `booted` or `ran`.
std::string stage_message(const std::string& job, std::string_view stage);
/// A heartbeat that says what the machine is like: a JSON object, which other servers than ours pass over.
std::string host_message(const std::string& job, const std::string& host);
std::string completed_message(const std::string& job, const std::vector<Iteration>& iterations);
std::string failed_message(const std::string& job, const std::vector<Iteration>& iterations, const std::string& error);
/// The same, when the results were uploaded before.
std::string completed_uploaded_message(const std::string& job);
std::string failed_uploaded_message(const std::string& job, const std::string& error);
/// `data` is UTF-8, `offset` the bytes of the stream's text before it in this iteration.
std::string log_message(const std::string& job, std::uint32_t iteration, bool standard_error, std::uint64_t offset,
                        const std::string& data);
/// The bodies of the PATCH fallback.
std::string patch_running();
std::string patch_completed(const std::vector<Iteration>& iterations);
std::string patch_failed(const std::vector<Iteration>& iterations, const std::string& error);

/// What the server says on the channel.
enum class ServerEvent { ack, cancel, job, no_job, update, other };
ServerEvent parse_server_event(std::string_view json);
/// `job` of an ack, `uuid` of a job, or empty.
std::string parse_job_uuid(std::string_view json);
/// `version` of an update, or empty.
std::string parse_update_version(std::string_view json);
/// Asks for a job on the runner's own channel. Without a version the server does not offer updates.
struct RunnerVersion {
  std::string os, arch, version;
};
std::string ready_message(std::chrono::seconds poll_timeout, const std::optional<RunnerVersion>& runner);
/// `status` of a PATCH's answer, or empty.
std::string parse_patch_status(std::string_view json);

/// Turns bytes that come in pieces into UTF-8 without splitting a character: malformed bytes become U+FFFD.
class Utf8Stream {
 public:
  std::string feed(std::string_view bytes);
  /// What is left, at the end.
  std::string finish();

 private:
  std::string rest_;
};

}  // namespace bencher::runner
