// What comes from a guest on its control channel. The guest is hostile: it may send anything, in any pieces.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/sandbox/sandbox.hpp"

#include "lib/sandbox/guest/protocol.hpp"

namespace bencher::sandbox {

/// Reads the records and holds what they say. Keeps at most one record and the files, within the request's limits.
class GuestReader {
 public:
  explicit GuestReader(const Request& request) : request_(request) {}

  /// Takes the next bytes. After an error nothing more can be taken. Errors: `conflict`, a guest that does not follow
  /// the protocol; `too_large`, a file, by its name; `unavailable`, what the guest could not set up.
  Result<void> take(std::string_view bytes);

  bool hello() const { return hello_; }
  bool started() const { return started_; }
  const std::optional<guest::Ended>& ended() const { return ended_; }
  const std::optional<guest::Finished>& finished() const { return finished_; }
  std::map<std::string, std::string>& files() { return files_; }
  /// What the guest told the operator since the last call, made harmless; a few lines a run.
  std::vector<std::string> take_log();

 private:
  Result<void> record(guest::Report kind, std::string_view payload);
  Result<void> file(std::string_view payload);
  Result<void> data(std::string_view payload);

  const Request& request_;
  std::string buffer_;
  bool hello_ = false, started_ = false;
  std::optional<guest::Ended> ended_;
  std::optional<guest::Finished> finished_;
  std::map<std::string, std::string> files_;
  std::optional<std::size_t> file_;  // the one that data go to
  std::vector<bool> seen_;
  std::uint64_t file_bytes_ = 0;
  std::vector<std::string> log_;
  std::size_t logged_ = 0;
};

/// Printable ASCII of a text from a guest, at most `limit` bytes; the rest as blanks.
std::string harmless(std::string_view text, std::size_t limit);

/// A record to a guest.
void append_order(std::string& out, guest::Order kind, std::string_view payload = {});

}  // namespace bencher::sandbox
