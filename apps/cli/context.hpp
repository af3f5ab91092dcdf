// Where a run takes place: the repository, the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/json/value.hpp"

namespace bencher::cli {

struct Repository {
  std::string name;         ///< of the work tree's folder
  std::string reference;    ///< `refs/heads/main`; empty when HEAD is detached
  std::string commit;       ///< of HEAD; empty without one
  std::string root_commit;  ///< empty in a shallow clone, and where there is no git program to ask
};

/// The repository that `directory` is in, read from its files. Linked work trees and submodules are followed.
std::optional<Repository> find_repository(const std::string& directory);

/// 13 base-36 characters of a 128-bit machine id.
std::string fingerprint_of(std::uint64_t high, std::uint64_t low);
/// Of the text of a machine-id file: 32 hex digits, hyphens allowed.
std::optional<std::string> fingerprint_of_text(std::string_view machine_id);

/// The `context` of a run: `bencher.dev/v0/…` to text.
json::Value run_context(const std::string& directory);

}  // namespace bencher::cli
