#include "lib/sandbox/guest/init.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace bencher::sandbox::guest;

namespace {

char* copy(const char* text, std::size_t size) {
  auto* out = static_cast<char*>(std::malloc(size + 1));
  if (!out) fail("memory");
  std::memcpy(out, text, size);
  out[size] = '\0';
  return out;
}

void add(char**& list, std::size_t& count, const char* text, std::size_t size) {
  if (!list) list = static_cast<char**>(std::calloc(Job::most + 1, sizeof(char*)));
  if (!list || count >= Job::most) {
    errno = E2BIG;
    fail("arguments");
  }
  list[count++] = copy(text, size);
}

void receive(Job& job) {
  for (;;) {
    Order kind;
    char* payload = nullptr;
    std::size_t size = 0;
    while (next_order(kind, payload, size)) {
      switch (kind) {
        case Order::argument: add(job.arguments, job.argument_count, payload, size); break;
        case Order::variable: add(job.env, job.env_count, payload, size); break;
        case Order::file: add(job.files, job.file_count, payload, size); break;
        case Order::folder: job.folder = copy(payload, size); break;
        case Order::user: {
          std::uint32_t number = 0;
          for (std::size_t i = 0; i * 4 + 4 <= size && i < 66; ++i) {
            std::memcpy(&number, payload + i * 4, 4);
            if (i == 0)
              job.uid = number;
            else if (i == 1)
              job.gid = number;
            else
              job.groups[job.group_count++] = number;
          }
          break;
        }
        case Order::limits:
          if (size == sizeof job.limits) std::memcpy(&job.limits, payload, size);
          break;
        case Order::start:
          if (job.argument_count > 0) return;
          errno = EPROTO;
          fail("order");
        case Order::done: power_off();
        case Order::terminate:
        case Order::kill: break;
      }
    }
    pollfd wait{control(), POLLIN, 0};
    poll(&wait, 1, -1);
  }
}

}  // namespace

int main() {
  if (getpid() != 1) return 1;
  signal(SIGPIPE, SIG_IGN);
  // Nobody may look into this process: its descriptors are the channels.
  prctl(PR_SET_DUMPABLE, 0);
  mount_basics();
  load_modules();
  open_channels();
  const auto up = now_us();
  send(Report::hello, &up, sizeof up);
  static Job job;
  receive(job);
  start_network(job.limits.network != 0);
  const Group group = enter_root(job);
  run(job, group);
  power_off();
}
