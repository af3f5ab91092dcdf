#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace bencher {

/// How much of a job's output has been received. A runner that was cut off sends again what it is not sure of, so that
/// parts come twice; after a loss that it could not make good, parts are missing.
class LogProgress {
 public:
  /// The part of `data`, which begins at `offset` of its stream, that is new; empty when all of it was here before.
  std::string_view fresh(std::uint32_t iteration, bool standard_error, std::uint64_t offset, std::string_view data) {
    auto& received = received_[{iteration, standard_error}];
    if (offset < received) {
      const auto known = received - offset;
      if (known >= data.size()) return {};
      data.remove_prefix(known);
      offset = received;
    }
    received = offset + data.size();
    return data;
  }

 private:
  std::map<std::pair<std::uint32_t, bool>, std::uint64_t> received_;
};

}  // namespace bencher
