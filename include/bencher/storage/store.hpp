#pragma once

#include <memory>
#include <string>

#include "bencher/base/result.hpp"

namespace bencher {

namespace storage {
class Connection;
}

/// Everything that is remembered, in one SQLite file. For one thread at a time; a program with many threads opens one
/// each, or keeps a lock.
class Store {
 public:
  /// Opens the file, makes it when it is missing, and brings its schema up to date. `:memory:` lives as long as the
  /// object. Error: `unavailable`, the file cannot be opened or is of a newer program.
  static Result<Store> open(const std::string& file);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// For the library itself.
  storage::Connection& connection() { return *connection_; }

 private:
  explicit Store(std::unique_ptr<storage::Connection> connection);
  std::unique_ptr<storage::Connection> connection_;
};

}  // namespace bencher
