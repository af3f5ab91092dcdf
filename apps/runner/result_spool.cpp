#include "apps/runner/result_spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "bencher/base/encoding.hpp"

namespace bencher::runner {

namespace {

constexpr std::size_t memory_limit = 1u << 20;
constexpr std::size_t read_part = 64 * 1024;

Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return files::system_error("cannot write '" + path.string() + "'");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// A text as the inside of a JSON string.
std::string escaped(const std::string& utf8) {
  const auto quoted = boost::json::serialize(utf8);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

Result<void> SpillFile::append(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < memory_limit ? Result<void>() : flush();
}

Result<void> SpillFile::flush() {
  if (!fd_) {
    std::error_code ignored;
    std::filesystem::create_directories(path_.parent_path(), ignored);
    fd_ = files::Fd(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd_) return files::system_error("cannot write '" + path_.string() + "'");
  }
  BENCHER_DO(write_all(fd_.get(), buffer_, path_));
  on_disk_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<void> SpillFile::read(const std::function<Result<void>(std::string_view)>& take) const {
  std::string part(on_disk_ > 0 ? read_part : 0, '\0');
  for (std::uint64_t at = 0; at < on_disk_;) {
    const auto n = pread(fd_.get(), part.data(), part.size(), static_cast<off_t>(at));
    if (n <= 0) return files::system_error("cannot read '" + path_.string() + "'");
    BENCHER_DO(take(std::string_view(part).substr(0, static_cast<std::size_t>(n))));
    at += static_cast<std::uint64_t>(n);
  }
  for (std::string_view left = buffer_; !left.empty(); left.remove_prefix(std::min(left.size(), read_part)))
    BENCHER_DO(take(left.substr(0, read_part)));
  return {};
}

void SpillFile::clear() {
  buffer_ = {};
  on_disk_ = 0;
  if (!fd_) return;
  fd_.reset();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

ResultSpool::ResultSpool(const std::filesystem::path& dir, std::uint64_t limit)
    : limit_(limit), streams_{SpillFile(dir / "stdout"), SpillFile(dir / "stderr")}, document_(dir / "results.json") {
  write(R"({"results":[)");
}

void ResultSpool::output(bool standard_error, std::string_view bytes) {
  if (error_) return;
  if (auto written = streams_[standard_error ? 1 : 0].append(bytes); !written) error_ = written.error();
}

void ResultSpool::keep(int exit_code, const std::map<std::string, std::string>& files) {
  write((first_ ? "{\"exit_code\":" : ",{\"exit_code\":") + std::to_string(exit_code));
  first_ = false;
  write_text("stdout", streams_[0]);
  write_text("stderr", streams_[1]);
  if (!files.empty()) {
    const char* before = R"(,"output":{)";
    for (const auto& [path, text] : files) {
      write(before + boost::json::serialize(to_valid_utf8(path)) + ":" + boost::json::serialize(to_valid_utf8(text)));
      before = ",";
    }
    write("}");
  }
  write("}");
  drop();
}

void ResultSpool::drop() {
  for (auto& stream : streams_)
    stream.clear();
}

Result<std::filesystem::path> ResultSpool::finish(const std::string& error) {
  if (!finished_) write(error.empty() ? "]}" : "],\"error\":" + boost::json::serialize(to_valid_utf8(error)) + "}");
  finished_ = true;
  if (error_) return *error_;
  BENCHER_DO(document_.flush());
  return document_.path();
}

void ResultSpool::write(std::string_view json) {
  if (error_) return;
  if (document_.size() + json.size() > limit_) {
    error_ = Error(Errc::too_large, "the results are over " + std::to_string(limit_) + " bytes");
    document_.clear();
    return;
  }
  if (auto written = document_.append(json); !written) error_ = written.error();
}

void ResultSpool::write_text(std::string_view key, const SpillFile& text) {
  if (text.size() == 0) return;
  write(",\"" + std::string(key) + "\":\"");
  Utf8Stream utf8;
  auto read = text.read([&](std::string_view part) -> Result<void> {
    write(escaped(utf8.feed(part)));
    return {};
  });
  if (!read && !error_) error_ = read.error();
  write(escaped(utf8.finish()) + "\"");
}

}  // namespace bencher::runner
