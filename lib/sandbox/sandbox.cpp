#include "bencher/sandbox/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sandbox/backend.hpp"

namespace bencher::sandbox {

namespace {

struct Row {
  std::string_view name;
  Result<std::unique_ptr<Sandbox>> (*make)(const Options&);
};

// From the least isolation to the most.
constexpr std::array<Row, 3> rows{
    {{"process", make_process}, {"container", make_container}, {"microvm", make_microvm}}};

}  // namespace

std::vector<std::string_view> names() {
  std::vector<std::string_view> out;
  for (const auto& row : rows)
    out.push_back(row.name);
  return out;
}

Result<std::unique_ptr<Sandbox>> make(std::string_view name, const Options& options) {
  if (name == "firecracker") name = "microvm";
  for (const auto& row : rows) {
    if (row.name != name) continue;
    std::error_code error;
    std::filesystem::create_directories(options.work_dir, error);
    if (error) {
      return Error(Errc::unavailable,
                   "cannot make the work folder '" + options.work_dir.string() + "': " + error.message());
    }
    return row.make(options);
  }
  return Error(Errc::invalid_argument,
               "'" + std::string(name) + "' is not a sandbox; there are: process, container, microvm");
}

Result<RunFolder> RunFolder::make(const std::filesystem::path& work_dir) {
  std::string name = (std::filesystem::absolute(work_dir) / "run-XXXXXX").string();
  if (!mkdtemp(name.data())) return files::system_error("cannot make a folder in '" + work_dir.string() + "'");
  return RunFolder(std::filesystem::path(name));
}

RunFolder::~RunFolder() {
  if (!path_.empty()) files::remove_tree(path_);
}

std::optional<Outcome> cannot_start(int root, const Request& request, EventSink& events, Program& program) {
  const auto end = [&](int code, const std::string& text) {
    const std::string line = "bencher: " + text + "\n";
    events.output(Stream::stderr_, line);
    Outcome outcome;
    outcome.exit_code = code;
    outcome.stderr_bytes = line.size();
    return outcome;
  };
  // Folders that every sandbox has, whether the image does or not.
  const auto given = [&] {
    const auto& dir = request.working_dir;
    return dir == "/tmp" || dir == "/run" || dir == "/dev" || dir == "/proc";
  };
  if (!given() && !files::open_in_root(root, request.working_dir, O_PATH | O_DIRECTORY))
    return end(1, "the working folder '" + request.working_dir + "' is not in the image");
  program = find_program(root, request.command[0], request.working_dir, path_of(request.env));
  if (program.status == 127) return end(127, "'" + request.command[0] + "' was not found in the image");
  if (program.status == 126) return end(126, "'" + request.command[0] + "' in the image is not executable");
  return std::nullopt;
}

std::vector<int> cpus_for(const Options& options, std::uint32_t count, EventSink& events) {
  if (options.cpus.empty()) return {};
  if (options.cpus.size() < count) {
    events.warning("the program may use " + std::to_string(count) + " cores; of its own there are " +
                   std::to_string(options.cpus.size()) + ", so it runs on all of the machine's");
    return {};
  }
  return {options.cpus.begin(), options.cpus.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::vector<std::string> environment(const Request& request, const User& user) {
  std::vector<std::string> out;
  bool path = false, home = false;
  for (const auto& [key, value] : request.env) {
    out.push_back(key + "=" + value);
    path = path || key == "PATH";
    home = home || key == "HOME";
  }
  if (!path) out.push_back(std::string("PATH=") + default_path);
  if (!home) out.push_back(user.uid == 0 ? "HOME=/root" : "HOME=/");
  return out;
}

}  // namespace bencher::sandbox
