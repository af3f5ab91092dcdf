// What the image's files say: programs, users.
#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/sandbox/sandbox.hpp"

namespace bencher::sandbox {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The value of `PATH` in `env`, or the default.
std::string path_of(const std::vector<std::pair<std::string, std::string>>& env);

/// Where a program is, on this machine's disk.
struct Program {
  int status = 0;    ///< 0, 126 or 127
  std::string path;  ///< with links resolved, when 0
};
/// Looks for `command` within the root folder (a descriptor), as execvp would there.
Program find_program(int root, const std::string& command, const std::string& working_dir, const std::string& path);

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};
/// Reads `user[:group]` with the root's etc/passwd and etc/group. Error: `invalid_argument`, naming it.
Result<User> find_user(int root, const std::string& text);

/// Reads the files asked for, following links within the root only; what is missing or no regular file is left out.
/// Error: `too_large`.
Result<std::map<std::string, std::string>> collect_files(int root, const Request& request);

/// Error: `invalid_argument` for a request that no sandbox can run.
Result<void> check_request(const Machine& machine, const Request& request);

}  // namespace bencher::sandbox
