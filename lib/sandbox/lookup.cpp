#include "lib/sandbox/lookup.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/image/files.hpp"

namespace bencher::sandbox {

using files::Fd;

namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == UINT32_MAX) return std::nullopt;
  return value;
}

// At most 1 MiB of it.
std::string read_in_root(int root, const std::string& path) {
  Fd fd = files::open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  std::string out(1u << 20, '\0');
  std::size_t size = 0;
  while (size < out.size()) {
    const auto got = read(fd.get(), out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  out.resize(size);
  return out;
}

std::vector<std::string> fields(const std::string& line, char separator) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);)
    out.push_back(field);
  return out;
}

}  // namespace

std::string path_of(const std::vector<std::pair<std::string, std::string>>& env) {
  for (const auto& [key, value] : env)
    if (key == "PATH") return value;
  return default_path;
}

Program find_program(int root, const std::string& command, const std::string& working_dir, const std::string& path) {
  std::vector<std::string> candidates;
  if (command.empty()) return {.status = 127, .path = {}};
  if (command.find('/') != std::string::npos) {
    candidates.push_back(command[0] == '/' ? command : working_dir + "/" + command);
  } else {
    for (const auto& dir : fields(path, ':'))
      candidates.push_back((dir.empty() || dir[0] != '/' ? working_dir + "/" : "") + dir + "/" + command);
  }
  bool denied = false;
  for (const auto& candidate : candidates) {
    Fd fd = files::open_in_root(root, candidate, O_PATH);
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0) continue;
    if (!S_ISREG(info.st_mode) || (info.st_mode & 0111) == 0) {
      denied = true;
      continue;
    }
    std::string target(4097, '\0');
    const auto size = readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size()) continue;
    target.resize(static_cast<std::size_t>(size));
    return {.status = 0, .path = std::move(target)};
  }
  return {.status = denied ? 126 : 127, .path = {}};
}

Result<User> find_user(int root, const std::string& text) {
  User user;
  if (text.empty()) return user;
  const auto colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto uid = number(name);
  bool found = uid.has_value();
  if (uid) user.uid = *uid;
  std::string login;
  std::istringstream passwd(read_in_root(root, "etc/passwd"));
  for (std::string line; std::getline(passwd, line);) {
    const auto entry = fields(line, ':');
    if (entry.size() < 4 || !number(entry[2]) || !number(entry[3])) continue;
    if (uid ? *number(entry[2]) != *uid : entry[0] != name) continue;
    user.uid = *number(entry[2]);
    user.gid = *number(entry[3]);
    login = entry[0];
    found = true;
    break;
  }
  if (!found)
    return Error(Errc::invalid_argument, "the image's user '" + name.substr(0, 100) + "' is not in its /etc/passwd");

  const std::string group = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto gid = number(group);
  bool group_found = group.empty() || gid.has_value();
  if (gid) user.gid = *gid;
  std::istringstream groups(read_in_root(root, "etc/group"));
  for (std::string line; std::getline(groups, line);) {
    const auto entry = fields(line, ':');
    if (entry.size() < 3 || !number(entry[2])) continue;
    if (!group.empty() && !gid && entry[0] == group) {
      user.gid = *number(entry[2]);
      group_found = true;
    }
    if (group.empty() && !login.empty() && entry.size() > 3 && user.groups.size() < 64) {
      for (const auto& member : fields(entry[3], ','))
        if (member == login) user.groups.push_back(*number(entry[2]));
    }
  }
  if (!group_found)
    return Error(Errc::invalid_argument, "the image's group '" + group.substr(0, 100) + "' is not in its /etc/group");
  return user;
}

Result<std::map<std::string, std::string>> collect_files(int root, const Request& request) {
  std::map<std::string, std::string> out;
  std::uint64_t total = 0;
  for (const auto& path : request.file_paths) {
    const std::string inside = path.starts_with('/') ? path : request.working_dir + "/" + path;
    Fd fd = files::open_in_root(root, inside, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const auto over = [&] {
      return Error(Errc::too_large, "the output file '" + path.substr(0, 256) +
                                        "' brings the files over the limit of " +
                                        std::to_string(request.max_file_bytes) + " bytes");
    };
    if (static_cast<std::uint64_t>(info.st_size) > request.max_file_bytes - total) return over();
    if (out.size() >= request.max_file_count && !out.count(path))
      return Error(Errc::too_large, "more than " + std::to_string(request.max_file_count) + " output files");
    std::string text;
    std::vector<char> buffer(64 * 1024);
    for (;;) {
      const auto got = read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      if (text.size() + static_cast<std::size_t>(got) > request.max_file_bytes - total) return over();
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    total += text.size();
    out[path] = std::move(text);
  }
  return out;
}

Result<void> check_request(const Machine& machine, const Request& request) {
  const auto wrong = [](const std::string& text) { return Error(Errc::invalid_argument, text); };
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (request.command.empty() || request.command[0].empty())
    return wrong("there is no command to run; set an entrypoint in the image or give one with the job");
  if (machine.cpu == 0 || machine.memory == 0 || machine.disk == 0)
    return wrong("the spec gives no cpu, memory or disk");
  std::size_t bytes = 0;
  for (const auto& argument : request.command) {
    if (has_nul(argument)) return wrong("an argument holds a NUL character");
    if (argument.size() >= 128 * 1024) return wrong("an argument is longer than 128 KiB");
    bytes += argument.size() + 9;
  }
  for (const auto& [key, value] : request.env) {
    if (key.empty() || key.find('=') != std::string::npos || has_nul(key) || has_nul(value))
      return wrong("'" + key.substr(0, 100) + "' cannot be an environment variable");
    if (key.size() + value.size() >= 128 * 1024 - 2)
      return wrong("the environment variable '" + key.substr(0, 100) + "' is longer than 128 KiB");
    bytes += key.size() + value.size() + 10;
  }
  if (bytes > 1536 * 1024) return wrong("command and environment are longer than 1.5 MiB");
  if (!request.working_dir.starts_with('/') || has_nul(request.working_dir))
    return wrong("the working folder '" + request.working_dir.substr(0, 256) + "' is not an absolute path");
  for (const auto& path : request.file_paths) {
    if (path.empty() || path.size() > 4096 || has_nul(path))
      return wrong("'" + path.substr(0, 256) + "' is not a path of an output file");
  }
  if (request.file_paths.size() > request.max_file_count)
    return wrong("more than " + std::to_string(request.max_file_count) + " output files");
  return {};
}

}  // namespace bencher::sandbox
