#include "bencher/storage/store.hpp"

#include "lib/storage/connection.hpp"

namespace bencher {

Store::Store(std::unique_ptr<storage::Connection> connection) : connection_(std::move(connection)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& file) {
  try {
    auto connection = std::make_unique<storage::Connection>(file);
    // Nobody checkpoints beside this one connection.
    connection->raw().exec("PRAGMA wal_autocheckpoint = 1000");
    storage::migrate(*connection, storage::newest_version());
    return Store(std::move(connection));
  } catch (const std::exception& e) {
    return Error(Errc::unavailable, "cannot open the store '" + file + "': " + e.what());
  }
}

}  // namespace bencher
