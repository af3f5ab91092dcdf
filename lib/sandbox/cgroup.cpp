#include "lib/sandbox/cgroup.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <mutex>
#include <poll.h>
#include <signal.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace bencher::sandbox {

using files::Fd;

namespace {

constexpr std::string_view prefix = "bencher-";

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

bool write_text(const std::string& path, const std::string& text) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

bool has_word(const std::string& list, std::string_view word, char separator) {
  std::istringstream in(list);
  for (std::string item; std::getline(in, item, separator);) {
    while (!item.empty() && (item.back() == '\n' || item.back() == ' '))
      item.pop_back();
    if (item == word) return true;
  }
  return false;
}

struct Mount {
  std::string root, point, type, options;
};

std::vector<Mount> cgroup_mounts() {
  std::vector<Mount> out;
  std::istringstream in(read_text("/proc/self/mountinfo"));
  for (std::string line; std::getline(in, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream left(line.substr(0, dash)), right(line.substr(dash + 3));
    std::string skip, source;
    Mount mount;
    left >> skip >> skip >> skip >> mount.root >> mount.point;
    right >> mount.type >> source >> mount.options;
    if (mount.type == "cgroup" || mount.type == "cgroup2") out.push_back(std::move(mount));
  }
  return out;
}

// Our own group below a mount: /proc/self/cgroup says `id:controllers:path`.
std::string own_folder(const Mount& mount) {
  std::istringstream in(read_text("/proc/self/cgroup"));
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    bool ours = false;
    if (mount.type == "cgroup2") {
      ours = controllers.empty();
    } else {
      std::istringstream names(controllers);
      for (std::string name; std::getline(names, name, ',');)
        ours = ours || has_word(mount.options, name, ',');
    }
    if (!ours) continue;
    if (mount.root != "/" && path.starts_with(mount.root)) path.erase(0, mount.root.size());
    while (path.ends_with('/'))
      path.pop_back();
    const std::string folder = mount.point + path;
    return exists(folder + "/cgroup.procs") ? folder : mount.point;
  }
  return mount.point;
}

// Version 2 lets only groups without processes of their own hand controllers on (the topmost excepted): we move into
// a leaf beside the groups of the runs.
void delegate(const std::string& folder) {
  std::string wanted = "+cpu +memory +pids";
  const std::string available = read_text(folder + "/cgroup.controllers");
  if (!has_word(available, "memory", ' ')) return;
  if (has_word(read_text(folder + "/cgroup.subtree_control"), "memory", ' ')) {
    write_text(folder + "/cgroup.subtree_control", "+cpuset");
    return;
  }
  if (has_word(available, "cpuset", ' ')) wanted += " +cpuset";
  if (write_text(folder + "/cgroup.subtree_control", wanted)) return;
  const std::string leaf = folder + "/" + std::string(prefix) + "runner";
  if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return;
  write_text(leaf + "/cgroup.procs", "0");
  write_text(folder + "/cgroup.subtree_control", wanted);
}

// Where the groups of the runs are made, one folder for each hierarchy; computed once, since `delegate` moves us.
struct Bases {
  struct Base {
    std::string folder;
    bool v2 = false;
    bool processors_only = false;  // a hierarchy of version 1 that does nothing but divide processors
  };
  std::vector<Base> bases;
};

const Bases& bases() {
  static const Bases found = [] {
    Bases out;
    bool memory = false, pids = false, cpu = false, cpuset = false, unified = false;
    for (const auto& mount : cgroup_mounts()) {
      if (mount.type == "cgroup2") {
        if (unified) continue;
        unified = true;
        const auto folder = own_folder(mount);
        delegate(folder);
        out.bases.push_back({folder, true});
        continue;
      }
      const auto take = [&](bool& have, const char* name) {
        if (have || !has_word(mount.options, name, ',')) return false;
        return have = true;
      };
      const bool limits = take(memory, "memory") | take(pids, "pids") | take(cpu, "cpu");
      const bool processors = take(cpuset, "cpuset");
      if (limits || processors) out.bases.push_back({own_folder(mount), false, !limits});
    }
    return out;
  }();
  return found;
}

std::vector<int> read_pids(const std::string& folder) {
  std::vector<int> out;
  std::istringstream in(read_text(folder + "/cgroup.procs"));
  for (int pid; in >> pid;)
    out.push_back(pid);
  return out;
}

// A group can be busy for a moment after its last process went.
void remove_folder(const std::string& folder) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    if (rmdir(folder.c_str()) == 0 || errno != EBUSY) return;
    poll(nullptr, 0, 5);
  }
}

std::uint64_t number_after(const std::string& text, const std::string& key) {
  std::istringstream in(text);
  std::string name;
  for (std::uint64_t value; in >> name >> value;)
    if (name == key) return value;
  return 0;
}

// Version 2: the strongest kind of partition that the kernel takes, as it says itself afterwards.
std::string partition_of(const std::string& folder) {
  const std::string file = folder + "/cpuset.cpus.partition";
  for (const std::string kind : {"isolated", "root"}) {
    if (!write_text(file, kind)) continue;
    auto now = read_text(file);
    while (now.ends_with('\n'))
      now.pop_back();
    if (now == kind) return kind;
  }
  write_text(file, "member");
  return "member";
}

// Empty when this hierarchy does not divide processors, or not so.
std::string confine(const std::string& base, const std::string& folder, bool v2, const Placement& placement) {
  std::string list;
  for (const int number : placement.cpus)
    list += (list.empty() ? "" : ",") + std::to_string(number);
  if (list.empty()) return {};
  if (!v2 && !write_text(folder + "/cpuset.mems", read_text(base + "/cpuset.mems"))) return {};
  if (!write_text(folder + "/cpuset.cpus", list)) return {};
  return v2 && placement.exclusive ? partition_of(folder) : "member";
}

}  // namespace

Result<Cgroup> Cgroup::create(const Machine& machine, const Placement& placement) {
  static std::atomic<unsigned> counter{0};
  const std::string name = std::string(prefix) + std::to_string(getpid()) + "-" + std::to_string(++counter);
  Cgroup group;
  bool memory = false, pids = false, cpu = false;
  std::string reason;
  for (const auto& base : bases().bases) {
    const std::string folder = base.folder + "/" + name;
    if (base.processors_only && placement.cpus.empty()) continue;
    if (mkdir(folder.c_str(), 0755) != 0) {
      reason += " (" + base.folder + ": " + std::strerror(errno) + ")";
      continue;
    }
    const auto kind = confine(base.folder, folder, base.v2, placement);
    if (!kind.empty()) group.partition_ = kind;
    if (kind.empty() && base.processors_only) {
      // Without processors and memory nodes of its own nobody could enter it.
      rmdir(folder.c_str());
      continue;
    }
    group.folders_.push_back(folder);
    Fd entrance(open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!entrance) return files::system_error("cannot use the control group '" + folder + "'");
    group.entrances_.push_back(std::move(entrance));

    const std::string bytes = std::to_string(machine.memory);
    if (!memory && write_text(folder + "/memory.max", bytes)) {
      memory = true;
      write_text(folder + "/memory.swap.max", "0");
    } else if (!memory && write_text(folder + "/memory.limit_in_bytes", bytes)) {
      memory = true;
      // Memory and swap together; without that file the group may not swap at all.
      if (!write_text(folder + "/memory.memsw.limit_in_bytes", bytes)) write_text(folder + "/memory.swappiness", "0");
    }
    // The sandbox's own two processes are in the group, too.
    if (!pids && write_text(folder + "/pids.max", std::to_string(machine.processes + 2ull))) pids = true;
    const std::string quota = std::to_string(static_cast<std::uint64_t>(machine.cpu) * 100'000);
    if (!cpu && write_text(folder + "/cpu.max", quota + " 100000")) {
      cpu = true;
    } else if (!cpu && write_text(folder + "/cpu.cfs_period_us", "100000") &&
               write_text(folder + "/cpu.cfs_quota_us", quota)) {
      cpu = true;
    }
  }
  if (!memory || !pids || !cpu) {
    std::string missing;
    for (const auto& [have, word] : {std::pair(memory, "memory"), std::pair(pids, "pids"), std::pair(cpu, "cpu")})
      if (!have) missing += (missing.empty() ? "" : ", ") + std::string(word);
    return Error(Errc::unavailable, "control groups are not usable here; missing: " + missing +
                                        "; run as root, or in a systemd unit with Delegate=yes" + reason);
  }
  return group;
}

void Cgroup::sweep() noexcept {
  static std::once_flag once;
  try {
    std::call_once(once, [] {
      for (const auto& base : bases().bases) {
        DIR* dir = opendir(base.folder.c_str());
        if (!dir) continue;
        std::vector<std::string> stale;
        while (const dirent* entry = readdir(dir)) {
          const std::string_view name = entry->d_name;
          if (!name.starts_with(prefix)) continue;
          const int pid = std::atoi(entry->d_name + prefix.size());
          if (pid > 0 && pid != getpid() && kill(pid, 0) != 0 && errno == ESRCH)
            stale.push_back(base.folder + "/" + std::string(name));
        }
        closedir(dir);
        for (const auto& folder : stale) {
          for (const int pid : read_pids(folder))
            kill(pid, SIGKILL);
          remove_folder(folder);
        }
      }
    });
  } catch (...) {  // out of memory: next time
  }
}

Cgroup::~Cgroup() {
  if (folders_.empty()) return;
  kill_all();
  entrances_.clear();
  for (const auto& folder : folders_)
    remove_folder(folder);
}

std::vector<int> Cgroup::entrances() const {
  std::vector<int> out;
  for (const auto& entrance : entrances_)
    out.push_back(entrance.get());
  return out;
}

const std::string* Cgroup::with(const char* file) const {
  for (const auto& folder : folders_)
    if (exists(folder + "/" + file)) return &folder;
  return nullptr;
}

std::vector<int> Cgroup::processes() const {
  std::vector<int> out;
  for (const auto& folder : folders_)
    for (const int pid : read_pids(folder))
      if (std::find(out.begin(), out.end(), pid) == out.end()) out.push_back(pid);
  return out;
}

void Cgroup::signal_all(int signal, int except_pid) const {
  for (const int pid : processes())
    if (pid > 0 && pid != except_pid) kill(pid, signal);
}

bool Cgroup::kill_all() const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const std::string* killer = with("cgroup.kill");
  for (;;) {
    if (killer) write_text(*killer + "/cgroup.kill", "1");
    const auto pids = processes();
    if (pids.empty()) return true;
    // Where the kernel cannot kill a group at once: faster than they multiply, since pids.max holds them.
    for (const int pid : pids)
      if (pid > 0) kill(pid, SIGKILL);
    if (std::chrono::steady_clock::now() >= deadline) return false;
    poll(nullptr, 0, 1);
  }
}

std::uint64_t Cgroup::oom_kills() const {
  if (const auto* folder = with("memory.events"))
    return number_after(read_text(*folder + "/memory.events"), "oom_kill");
  if (const auto* folder = with("memory.oom_control"))
    return number_after(read_text(*folder + "/memory.oom_control"), "oom_kill");
  return 0;
}

}  // namespace bencher::sandbox
