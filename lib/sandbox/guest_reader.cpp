#include "lib/sandbox/guest_reader.hpp"

#include <algorithm>
#include <cstring>

namespace bencher::sandbox {

using guest::Report;

namespace {

constexpr std::size_t most_log_lines = 32;

Error broken(const std::string& what) {
  return Error(Errc::conflict, "the virtual machine does not keep to the protocol: " + what);
}

template <class T>
bool read_exactly(std::string_view payload, T& out) {
  if (payload.size() != sizeof out) return false;
  std::memcpy(&out, payload.data(), sizeof out);
  return true;
}

}  // namespace

Result<void> GuestReader::take(std::string_view bytes) {
  while (!bytes.empty()) {
    // The head first, then as much as it says: the buffer never holds more than one record.
    std::size_t wanted = guest::head_size;
    if (buffer_.size() >= guest::head_size) {
      std::uint32_t length = 0;
      std::memcpy(&length, buffer_.data() + 1, sizeof length);
      wanted += length;
    }
    const auto part = bytes.substr(0, wanted - buffer_.size());
    buffer_ += part;
    bytes.remove_prefix(part.size());
    if (buffer_.size() < guest::head_size) return {};
    std::uint32_t length = 0;
    std::memcpy(&length, buffer_.data() + 1, sizeof length);
    if (length > guest::max_payload) return broken("a record of " + std::to_string(length) + " bytes");
    if (buffer_.size() < guest::head_size + length) continue;
    BENCHER_DO(record(static_cast<Report>(buffer_[0]), std::string_view(buffer_).substr(guest::head_size)));
    buffer_.clear();
  }
  return {};
}

Result<void> GuestReader::record(Report kind, std::string_view payload) {
  switch (kind) {
    case Report::log:
      if (logged_ < most_log_lines) log_.push_back(harmless(payload, 256));
      ++logged_;
      return {};
    case Report::failed:
      return Error(Errc::unavailable, "the virtual machine cannot be set up: " + harmless(payload, 256));
    case Report::hello:
      if (hello_) return broken("it says hello twice");
      hello_ = true;
      return {};
    case Report::started:
      if (!hello_ || started_) return broken("a start out of turn");
      started_ = true;
      return {};
    case Report::ended: {
      guest::Ended end;
      if (!started_ || ended_ || !read_exactly(payload, end)) return broken("an end out of turn");
      ended_ = end;
      return {};
    }
    case Report::file: return file(payload);
    case Report::data: return data(payload);
    case Report::finished: {
      guest::Finished finished;
      if (!ended_ || finished_ || !read_exactly(payload, finished)) return broken("a finish out of turn");
      if (finished.out_sent > finished.out_written || finished.err_sent > finished.err_written)
        return broken("more output sent than written");
      finished_ = finished;
      return {};
    }
  }
  return broken("a record of kind " + std::to_string(static_cast<unsigned char>(kind)));
}

Result<void> GuestReader::file(std::string_view payload) {
  std::uint32_t index = 0;
  if (!ended_ || finished_ || !read_exactly(payload, index)) return broken("a file out of turn");
  seen_.resize(request_.file_paths.size());
  if (index >= seen_.size() || seen_[index]) return broken("a file that was not asked for");
  seen_[index] = true;
  file_ = index;
  const auto& path = request_.file_paths[index];
  if (files_.size() >= request_.max_file_count && !files_.contains(path))
    return Error(Errc::too_large, "more than " + std::to_string(request_.max_file_count) + " output files");
  files_[path].clear();
  return {};
}

Result<void> GuestReader::data(std::string_view payload) {
  if (!file_ || finished_) return broken("data of no file");
  const auto& path = request_.file_paths[*file_];
  if (payload.size() > request_.max_file_bytes - file_bytes_) {
    return Error(Errc::too_large, "the output file '" + path.substr(0, 256) + "' brings the files over the limit of " +
                                      std::to_string(request_.max_file_bytes) + " bytes");
  }
  file_bytes_ += payload.size();
  files_[path] += payload;
  return {};
}

std::vector<std::string> GuestReader::take_log() {
  return std::exchange(log_, {});
}

std::string harmless(std::string_view text, std::size_t limit) {
  std::string out(text.substr(0, limit));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, ' ');
  return out;
}

void append_order(std::string& out, guest::Order kind, std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  out += static_cast<char>(kind);
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out += payload;
}

}  // namespace bencher::sandbox
