#include "bencher/host/survey.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <thread>
#include <unistd.h>

#include "lib/host/text.hpp"

namespace bencher::host {

namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int steps = 10'000;
constexpr std::uint64_t usual_cache = 8u << 20, most_cache = 256u << 20;

// Repeats it for that long, at least once; without the first tenth, in which all settles.
Result<Spread> repeat(milliseconds time, const std::function<Result<void>()>& work) {
  std::vector<double> samples;
  const auto end = SteadyClock::now() + time;
  auto before = SteadyClock::now();
  do {
    BENCHER_DO(work());
    const auto after = SteadyClock::now();
    samples.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
  } while (before < end);
  return spread(std::span(samples).subspan(samples.size() / 10));
}

// Gone with the object.
class Folder {
 public:
  static Result<Folder> make(const std::filesystem::path& in) {
    auto name = (in / "bencher-noise-XXXXXX").string();
    if (!mkdtemp(name.data()))
      return Error(Errc::unavailable, "cannot make a folder in '" + in.string() + "': " + std::strerror(errno));
    return Folder(name);
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Folder& operator=(Folder&&) = delete;
  std::string file() const { return (path_ / "sample").string(); }

 private:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<void> write_and_read(const std::string& path) {
  std::array<char, 4096> block{};
  const auto failed = [&] { return Error(Errc::unavailable, "'" + path + "': " + std::strerror(errno)); };
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed();
  const bool wrote = write(fd, block.data(), block.size()) == static_cast<ssize_t>(block.size()) && fsync(fd) == 0;
  if (!wrote) {
    const auto error = failed();
    close(fd);
    return error;
  }
  close(fd);
  fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed();
  const bool got = read(fd, block.data(), block.size()) == static_cast<ssize_t>(block.size());
  const auto error = failed();
  close(fd);
  if (!got) return error;
  return {};
}

std::optional<Ticks> ticks(const Files& files) {
  const auto text = files.read("/proc/stat");
  return text ? parse_stat(*text) : std::nullopt;
}

Level level(double value, double quiet, double moderate, double noisy) {
  if (value <= quiet) return Level::quiet;
  if (value <= moderate) return Level::moderate;
  return value <= noisy ? Level::noisy : Level::very_noisy;
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::quiet: return "quiet";
    case Level::moderate: return "moderate";
    case Level::noisy: return "noisy";
    case Level::very_noisy: return "very noisy";
  }
  return {};
}

Level level_of_cv(double cv) {
  return level(cv, 25, 50, 100);
}
Level level_of_steal(double steal) {
  return level(steal, 1, 5, 15);
}
Level level_of_score(double score) {
  return level(score, 40, 55, 70);
}

double score(const Survey& s) {
  double weighted = 0.30 * s.compute.cv() + 0.40 * s.cache.cv() + 0.15 * s.io.cv();
  if (s.steal)
    weighted += 0.15 * *s.steal;
  else
    weighted += 0.05 * (s.compute.cv() + s.cache.cv() + s.io.cv());
  if (weighted <= 0) return 0;
  return std::clamp(33 * std::log10(weighted), 0.0, 100.0);
}

std::uint64_t cache_size(const Files& files, int level) {
  const std::string folder = "/sys/devices/system/cpu/cpu0/cache";
  for (const auto& name : files.list(folder)) {
    const auto at = folder + "/" + name;
    if (current(files, at + "/level") != std::to_string(level) || current(files, at + "/type") == "Instruction")
      continue;
    const auto text = current(files, at + "/size");
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || size > 1u << 30) return 0;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    return size << (unit == "K" ? 10 : unit == "M" ? 20 : 0);
  }
  return 0;
}

std::string virtualization(const Files& files) {
  if (files.read("/.dockerenv")) return "docker";
  if (files.read("/run/.containerenv")) return "podman";
  auto product = current(files, "/sys/class/dmi/id/product_name");
  for (char& c : product)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const char* word : {"kvm", "vmware", "virtual"})
    if (product.find(word) != std::string::npos) return word;
  return read_facts(files).virtualized ? "hypervisor" : "";
}

Result<Survey> survey(const Files& files, const std::filesystem::path& scratch, std::chrono::seconds duration,
                      const std::function<void(std::string_view)>& progress) {
  Survey out;
  out.duration = duration;
  out.l1d = cache_size(files, 1);
  out.l2 = cache_size(files, 2);
  out.l3 = cache_size(files, 3);
  out.virtualization = virtualization(files);
  const milliseconds all = duration;
  const auto start = SteadyClock::now();
  const auto before = ticks(files);
  std::uint64_t value = 1;

  progress("compute");
  BENCHER_TRY(out.compute, repeat(all * 3 / 10, [&]() -> Result<void> {
                value = arithmetic(value, steps);
                return {};
              }));
  progress("cache");
  std::vector<std::uint64_t> array(std::min(out.l3 ? out.l3 / 4 * 3 : usual_cache, most_cache) / sizeof value, value);
  BENCHER_TRY(out.cache, repeat(all * 3 / 10, [&]() -> Result<void> {
                // One word of each line.
                for (std::size_t i = 0; i < array.size(); i += 8)
                  array[i] = array[i] * 3 + 1;
                // Or the compiler would see that nobody reads it.
                asm volatile("" : : "r"(array.data()) : "memory");
                return {};
              }));
  progress("files");
  BENCHER_TRY(const auto folder, Folder::make(scratch));
  BENCHER_TRY(out.io, repeat(all / 5, [&] { return write_and_read(folder.file()); }));
  progress("platform");
  const auto rest = all - std::chrono::duration_cast<milliseconds>(SteadyClock::now() - start);
  // What others take from an idle machine is measured too, for all of the time that was asked for.
  if (rest.count() > 0) std::this_thread::sleep_for(rest);
  if (const auto after = ticks(files); before && after) {
    out.steal = steal(*before, *after);
    const auto took = std::chrono::duration<double>(SteadyClock::now() - start).count();
    if (after->switches >= before->switches && took > 0)
      out.switches_per_second = static_cast<double>(after->switches - before->switches) / took;
  }
  return out;
}

}  // namespace bencher::host
