// The schema's steps, compiled in from lib/storage/migrations.
#pragma once

#include <string_view>
#include <vector>

namespace bencher::storage {

struct Migration {
  int version;  // PRAGMA user_version after `up`
  std::string_view name;
  std::string_view up;
  std::string_view down;
};

/// Every migration, oldest first.
const std::vector<Migration>& migrations();

}  // namespace bencher::storage
