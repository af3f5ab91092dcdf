// A virtual machine for each run: the image as a read-only disk with a writable layer over it.
#include "lib/sandbox/microvm.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include "bencher/image/digest.hpp"

namespace bencher::sandbox {

namespace fs = std::filesystem;
using files::Fd;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t smallest_disk = 16 * mib;
// Of the machine's memory, for its kernel; the program has what the spec says to itself. Below, no kernel comes up.
constexpr std::uint64_t kernel_memory = 96 * mib, smallest_memory = 160 * mib;
// Of the engine's, beside the guest's memory: code, translated code, buffers.
constexpr std::uint64_t engine_memory = 384 * mib;
// With KVM a guest is up in well under a second.
constexpr auto kvm_start_limit = seconds(10), tcg_start_limit = seconds(90);

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string out;
  std::getline(in, out);
  return out;
}

std::uint64_t machine_memory(std::uint64_t program) {
  // The kernel's own tables grow with the memory.
  const auto all = program + program / 32 + kernel_memory;
  return std::max(smallest_memory, (all + mib - 1) / mib * mib);
}

Result<void> write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  out.close();
  if (!out) return Error(Errc::unavailable, "cannot write '" + path.string() + "'");
  return {};
}

// Whether guests come up under KVM, as it was found out since this machine started.
class KvmRecord {
 public:
  explicit KvmRecord(const fs::path& folder) : path_(folder / ".kvm") {}
  std::optional<bool> get() const {
    std::ifstream in(path_);
    std::string id, word;
    if (!(in >> id >> word) || id != boot_id()) return std::nullopt;
    return word == "works";
  }
  void set(bool works) const {
    const auto scratch = path_.string() + std::to_string(getpid());
    if (write_file(scratch, boot_id() + (works ? " works\n" : " fails\n"))) ::rename(scratch.c_str(), path_.c_str());
  }

 private:
  fs::path path_;
};

class MicroVm final : public Sandbox {
 public:
  MicroVm(const Options& options, MicroVmParts parts) : options_(options), parts_(std::move(parts)) {}

  std::string_view name() const override { return "microvm"; }
  void cancel() noexcept override { cancel_.set(); }

  Result<Outcome> run(const fs::path& image, const Machine& machine, const Request& request,
                      EventSink& events) override {
    BENCHER_DO(check_request(machine, request));
    if (cancel_.is_set()) return Error(Errc::cancelled, "cancelled before the program started");
    Fd image_fd(open(image.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!image_fd) return files::system_error("cannot open the image's root '" + image.string() + "'");
    BENCHER_TRY(const User user, find_user(image_fd.get(), request.user));
    Program program;
    if (auto outcome = cannot_start(image_fd.get(), request, events, program)) return *std::move(outcome);

    BENCHER_TRY(const auto folder, RunFolder::make(options_.work_dir));
    BENCHER_TRY(const Fd root, root_disk(image, request.image_digest, folder.path()));
    const std::string orders = orders_of(machine, request, user);
    const bool kvm = options_.acceleration == Acceleration::kvm || !parts_.engine->emulates() ||
                     (options_.acceleration == Acceleration::automatic && kvm_opens() &&
                      KvmRecord(parts_.cache.folder()).get().value_or(true));
    bool came_up = false;
    if (kvm) {
      auto outcome = attempt(true, root.get(), folder.path(), machine, request, orders, events, came_up);
      if (options_.acceleration == Acceleration::kvm || !parts_.engine->emulates() || outcome || came_up ||
          outcome.error().code() == Errc::cancelled)
        return outcome;
      KvmRecord(parts_.cache.folder()).set(false);
      events.warning("no guest comes up under KVM here, so the virtual machine is emulated: " +
                     outcome.error().message());
    }
    events.warning(
        "the virtual machine is emulated, without KVM: what it measures is 10 to 25 times slower than this machine");
    return attempt(false, root.get(), folder.path(), machine, request, orders, events, came_up);
  }

 private:
  // An image whose digest is known is made once.
  Result<Fd> root_disk(const fs::path& image, const std::string& digest, const fs::path& folder) {
    const auto cancelled = [this] { return cancel_.is_set(); };
    const auto build = [&](const fs::path& file) -> Result<void> {
      std::vector<std::string> command{parts_.mksquashfs, fs::absolute(image).string(), file.string(), "-noappend",
                                       "-no-progress", "-quiet", "-no-xattrs",
                                       // Uncompressed: an emulated guest would take long to expand it.
                                       "-noI", "-noD", "-noF", "-noX"};
      if (geteuid() != 0) command.push_back("-all-root");
      auto made = run_tool(command, cancelled);
      if (!made) return std::move(made).error().within("the image cannot be made a disk");
      return {};
    };
    if (digest.empty()) {
      BENCHER_DO(build(folder / "root.img"));
      Fd fd(open((folder / "root.img").c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) return files::system_error("cannot open the image's disk");
      return fd;
    }
    const auto name = Digest::of(digest).str().substr(7, 40);
    return parts_.cache.get((geteuid() == 0 ? "root1-" : "user1-") + name, build, cancelled);
  }

  static std::string orders_of(const Machine& machine, const Request& request, const User& user) {
    std::string out;
    for (const auto& argument : request.command)
      append_order(out, guest::Order::argument, argument);
    for (const auto& variable : environment(request, user))
      append_order(out, guest::Order::variable, variable);
    append_order(out, guest::Order::folder, request.working_dir);
    std::vector<std::uint32_t> ids{user.uid, user.gid};
    ids.insert(ids.end(), user.groups.begin(), user.groups.end());
    append_order(out, guest::Order::user, {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof ids[0]});
    for (const auto& path : request.file_paths)
      append_order(out, guest::Order::file, path);
    const guest::Limits limits{.memory = machine.memory,
                               .processes = machine.processes,
                               .disk = machine.disk,
                               .output = request.max_output,
                               .files = request.max_file_bytes,
                               .network = machine.network};
    append_order(out, guest::Order::limits, {reinterpret_cast<const char*>(&limits), sizeof limits});
    append_order(out, guest::Order::start);
    return out;
  }

  Result<Outcome> attempt(bool kvm, int root, const fs::path& folder, const Machine& machine, const Request& request,
                          const std::string& orders, EventSink& events, bool& came_up) {
    VmConfig config{.cpus = std::min(machine.cpu, std::max(1u, std::thread::hardware_concurrency())),
                    .memory = machine_memory(machine.memory),
                    .network = machine.network,
                    .kernel = parts_.kernel.get(),
                    .initramfs = parts_.initramfs.get(),
                    .image = root,
                    .scratch = -1,
                    .kvm = kvm,
                    .cgroup = nullptr,
                    .placed = {}};
    if (config.cpus < machine.cpu) {
      events.warning("the virtual machine has " + std::to_string(config.cpus) + " processors, all that there are, of " +
                     std::to_string(machine.cpu));
    }
    Fd scratch;
    if (machine.disk >= smallest_disk) {
      const auto file = folder / (kvm ? "scratch-kvm.img" : "scratch.img");
      BENCHER_TRY(scratch, make_ext4(file, machine.disk));
      config.scratch = scratch.get();
    }
    // One more than the guest has, if there is one, for the engine's own threads.
    if (!cpus_for(options_, config.cpus, events).empty()) {
      const auto count = std::min<std::size_t>(options_.cpus.size(), config.cpus + 1u);
      config.placed.assign(options_.cpus.begin(), options_.cpus.begin() + static_cast<std::ptrdiff_t>(count));
    }
    // Around the engine, should a guest break out into it.
    std::optional<Cgroup> group;
    if (auto made = Cgroup::create({.cpu = config.cpus + 1, .memory = config.memory + engine_memory, .processes = 256},
                                   {.cpus = config.placed, .exclusive = options_.exclusive_cpus}))
      group.emplace(*std::move(made));
    else
      events.warning("the virtual machine's own process has no limits: " + made.error().message());
    config.cgroup = group ? &*group : nullptr;

    BENCHER_TRY(auto vm, parts_.engine->start(config));
    const GuestTask task{
        .request = request, .orders = orders, .start_limit = kvm ? kvm_start_limit : tcg_start_limit, .on_hello = [&] {
          place(vm, config.placed);
        }};
    return talk(vm, task, events, cancel_, came_up);
  }

  Options options_;
  MicroVmParts parts_;
  CancelFlag cancel_;
};

}  // namespace

Result<std::unique_ptr<Engine>> find_engine(const Options& options) {
  if (!options.firecracker.empty()) return make_firecracker(options.firecracker.string());
  auto qemu = make_qemu();
  if (qemu) return qemu;
  const auto firecracker = find_tool("firecracker");
  return firecracker.empty() ? std::move(qemu) : make_firecracker(firecracker);
}

Result<MicroVmParts> microvm_parts(const Options& options) {
  const auto init = init_program();
  if (init.empty()) return Error(Errc::unavailable, "microVMs need an x86_64 machine");
  BENCHER_TRY(auto engine, find_engine(options));
  std::string mksquashfs = find_tool("mksquashfs");
  if (mksquashfs.empty()) return Error(Errc::unavailable, "mksquashfs is not installed (package squashfs-tools)");
  if (find_tool("mke2fs").empty()) return Error(Errc::unavailable, "mke2fs is not installed (package e2fsprogs)");
  BENCHER_TRY(const auto kernel, find_kernel(options.kernel));
  BENCHER_TRY(auto cache, ImageCache::open(options.cache_dir.empty() ? ImageCache::default_folder() : options.cache_dir,
                                           options.cache_bytes));
  // By what they are made of. A kernel's modules come with it, of one build.
  BENCHER_TRY(const auto image, read_whole(kernel.image, most_kernel));
  const auto kernel_hash = Digest::of(image).str().substr(7, 32);
  const auto init_hash = Digest::of(init).str().substr(7, 32);
  BENCHER_TRY(auto kernel_file, cache.get("kernel1-" + kernel_hash, [&](const fs::path& file) -> Result<void> {
    BENCHER_TRY(const auto bytes, boot_image(kernel));
    return write_file(file, bytes);
  }));
  BENCHER_TRY(auto initramfs, cache.get("initramfs1-" + (engine->vsock() ? std::string("vsock-") : std::string()) +
                                            kernel_hash + init_hash,
                                        [&](const fs::path& file) -> Result<void> {
                                          BENCHER_TRY(const auto bytes, make_initramfs(kernel, init, engine->vsock()));
                                          return write_file(file, bytes);
                                        }));
  return MicroVmParts{.engine = std::move(engine),
                      .mksquashfs = std::move(mksquashfs),
                      .kernel_name = kernel.version,
                      .cache = std::move(cache),
                      .kernel = std::move(kernel_file),
                      .initramfs = std::move(initramfs)};
}

bool kvm_works(const MicroVmParts& parts) {
  if (!kvm_opens()) return false;
  const KvmRecord record(parts.cache.folder());
  if (const auto known = record.get()) return *known;
  // A guest that has nothing to do: its init says hello, and that is all that is asked.
  auto vm = parts.engine->start({.cpus = 1,
                                 .memory = smallest_memory,
                                 .kernel = parts.kernel.get(),
                                 .initramfs = parts.initramfs.get(),
                                 .kvm = true});
  bool works = false;
  if (vm) {
    // Of an engine that the guest calls, the call says enough.
    pollfd wait{vm->control.get(), POLLIN, 0};
    char first = 0;
    if (vm->listening) {
      works = poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(kvm_start_limit).count())) == 1;
      record.set(works);
      return works;
    }
    works = poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(kvm_start_limit).count())) == 1 &&
            read(vm->control.get(), &first, 1) == 1 && first == static_cast<char>(guest::Report::hello);
  }
  record.set(works);
  return works;
}

Result<std::unique_ptr<Sandbox>> make_microvm(const Options& options) {
  auto parts = microvm_parts(options);
  if (!parts) return std::move(parts).error().within("the microVM sandbox");
  if (options.acceleration == Acceleration::tcg && !parts->engine->emulates())
    return Error(Errc::unavailable, "the microVM sandbox: " + parts->engine->describe() + " cannot emulate");
  if (options.acceleration == Acceleration::kvm && !kvm_opens())
    return Error(Errc::unavailable, "the microVM sandbox: this user cannot open /dev/kvm");
  Cgroup::sweep();
  return std::unique_ptr<Sandbox>(std::make_unique<MicroVm>(options, *std::move(parts)));
}

}  // namespace bencher::sandbox
