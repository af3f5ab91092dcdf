#include "lib/sandbox/engine_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox/tools.hpp"

namespace bencher::sandbox {

using files::Fd;

namespace {

constexpr uid_t nobody = 65534;

// After the fork: only system calls, on what was prepared before.
struct Child {
  const EngineProcess& process;
  std::vector<char*> argv;
  std::vector<int> kept, entrances;
  pid_t parent;
  int out, err, null;

  [[noreturn]] void run() const {
    setsid();
    for (const int entrance : entrances)
      if (write(entrance, "0", 1) != 1) _exit(125);
    pin(0, process.cpus);
    dup2(null, 0);
    dup2(out, 1);
    dup2(err, 2);
    std::array<int, 64> list{0, 1, 2};
    std::size_t count = 3;
    for (const int fd : kept)
      if (fd > 2 && count < list.size()) list[count++] = fd;
    close_all_but(list.data(), count);
    for (const int fd : kept)
      if (fd > 2) fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (const int fd : process.inherited)
      fcntl(fd, F_SETFD, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < NSIG; ++number)
      signal(number, SIG_DFL);
    const rlimit no_core{0, 0}, few{256, 256};
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_NOFILE, &few);
    if (chdir(process.folder.c_str()) != 0) _exit(125);
    // It talks through what it inherits; the machine's network is only for guests that may use it.
    if (geteuid() == 0) {
      unshare(process.host_network ? CLONE_NEWIPC : CLONE_NEWIPC | CLONE_NEWNET);
      if (process.drop_user && (setgroups(process.group ? 1 : 0, &process.group) != 0 ||
                                setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0))
        _exit(125);
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    // Last, since a change of user clears it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(125);
    char* env[] = {nullptr};
    execve(process.program.c_str(), argv.data(), env);
    const char text[] = "it cannot be executed\n";
    [[maybe_unused]] const auto wrote = write(2, text, sizeof text - 1);
    _exit(127);
  }
};

}  // namespace

Result<int> start(const EngineProcess& process) {
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return files::system_error("cannot open /dev/null");
  Child child{.process = process,
              .argv = pointers(process.arguments),
              .kept = process.inherited,
              .entrances = {},
              .parent = getpid(),
              .out = process.out >= 0 ? process.out : null.get(),
              .err = process.err >= 0 ? process.err : null.get(),
              .null = null.get()};
  if (process.cgroup) child.entrances = process.cgroup->entrances();
  std::sort(child.kept.begin(), child.kept.end());
  const pid_t pid = fork();
  if (pid < 0) return files::system_error("cannot start a process");
  if (pid == 0) child.run();
  return pid;
}

Vm::~Vm() {
  if (pid > 0) {
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (!folder.empty()) files::remove_tree(folder);
}

Vm::Vm(Vm&& other) noexcept
    : control(std::move(other.control)),
      out(std::move(other.out)),
      err(std::move(other.err)),
      console(std::move(other.console)),
      errors(std::move(other.errors)),
      listening(other.listening),
      folder(std::exchange(other.folder, {})),
      pid(std::exchange(other.pid, -1)) {}

void place(const Vm& vm, const std::vector<int>& cpus) {
  if (cpus.empty() || vm.pid <= 0) return;
  const std::filesystem::path tasks = "/proc/" + std::to_string(vm.pid) + "/task";
  std::error_code error;
  for (std::filesystem::directory_iterator task(tasks, error), end; !error && task != end; task.increment(error)) {
    std::ifstream in(task->path() / "comm");
    std::string name;
    std::getline(in, name);
    // As QEMU (`CPU 0/KVM`) and Firecracker (`fc_vcpu 0`) name them.
    std::size_t number = cpus.size() - 1;
    for (const std::string_view prefix : {"CPU ", "fc_vcpu "})
      if (name.starts_with(prefix)) number = static_cast<std::size_t>(std::atoi(name.c_str() + prefix.size()));
    pin(std::atoi(task->path().filename().c_str()), {cpus[number % cpus.size()]});
  }
}

bool kvm_opens() {
  return Fd(open("/dev/kvm", O_RDWR | O_CLOEXEC)).get() >= 0;
}

}  // namespace bencher::sandbox
