#include "lib/storage/database.hpp"

#include <atomic>
#include <filesystem>
#include <future>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace bencher::storage;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / fmt::format("bencher-database-test-{}", ::getpid());
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

Database::Options options(const Folder& folder) {
  Database::Options o;
  o.file = (folder.path / "test.db").string();
  return o;
}

/// Writes and waits for the commit.
void write(Database& db, Database::Write work) {
  std::promise<void> done;
  REQUIRE(db.write(std::move(work), [&](std::exception_ptr e) { e ? done.set_exception(e) : done.set_value(); }));
  done.get_future().get();
}

int count(Database& db) {
  std::promise<int> found;
  REQUIRE(db.read([&](Connection& c) { found.set_value(*c.value<int>("SELECT count(*) FROM t")); }));
  return found.get_future().get();
}

}  // namespace

TEST_SUITE("storage/database") {
  TEST_CASE("what one read sees is of one moment, whatever is written meanwhile; the next sees it") {
    Folder folder;
    Database db(options(folder));
    write(db, [](Connection& c) {
      c.exec("CREATE TABLE t (x INTEGER) STRICT");
      return true;
    });
    std::promise<void> begun, written;
    std::promise<std::pair<int, int>> found;
    REQUIRE(db.read([&](Connection& c) {
      const auto before = *c.value<int>("SELECT count(*) FROM t");
      begun.set_value();
      written.get_future().wait();
      found.set_value({before, *c.value<int>("SELECT count(*) FROM t")});
    }));
    begun.get_future().wait();
    write(db, [](Connection& c) {
      c.exec("INSERT INTO t VALUES (1)");
      return true;
    });
    written.set_value();
    CHECK(found.get_future().get() == std::pair(0, 0));
    CHECK(count(db) == 1);
  }

  TEST_CASE("a write is seen by readers once it is answered") {
    Folder folder;
    Database db(options(folder));
    write(db, [](Connection& c) {
      c.exec("CREATE TABLE t (x INTEGER) STRICT");
      return true;
    });
    write(db, [](Connection& c) {
      c.exec("INSERT INTO t VALUES (1)");
      return true;
    });
    CHECK(count(db) == 1);
  }

  TEST_CASE("in a group, one write that refuses or throws is rolled back alone") {
    Folder folder;
    Database db(options(folder));
    write(db, [](Connection& c) {
      c.exec("CREATE TABLE t (x INTEGER) STRICT");
      return true;
    });
    // The first one holds the writer until the others wait, so that they become one group.
    std::promise<void> go;
    auto gate = go.get_future().share();
    std::atomic<int> done = 0, thrown = 0;
    std::promise<void> all;
    const auto finished = [&](std::exception_ptr e) {
      if (e) ++thrown;
      if (++done == 4) all.set_value();
    };
    REQUIRE(db.write(
        [gate](Connection&) {
          gate.wait();
          return true;
        },
        finished));
    REQUIRE(db.write(
        [](Connection& c) {
          c.exec("INSERT INTO t VALUES (1)");
          return true;
        },
        finished));
    REQUIRE(db.write(
        [](Connection& c) {
          c.exec("INSERT INTO t VALUES (2)");
          return false;
        },
        finished));
    REQUIRE(db.write(
        [](Connection& c) -> bool {
          c.exec("INSERT INTO t VALUES (3)");
          throw std::runtime_error("broken");
        },
        finished));
    go.set_value();
    all.get_future().get();
    CHECK(thrown == 1);
    CHECK(count(db) == 1);
  }

  TEST_CASE("what was answered is there after the file is opened again") {
    Folder folder;
    {
      Database db(options(folder));
      write(db, [](Connection& c) {
        c.exec("CREATE TABLE t (x INTEGER) STRICT");
        c.exec("INSERT INTO t VALUES (1)");
        return true;
      });
    }
    Database db(options(folder));
    CHECK(count(db) == 1);
    CHECK(fs::file_size(folder.path / "test.db") > 0);
  }

  TEST_CASE("a reader cannot write") {
    Folder folder;
    Database db(options(folder));
    std::promise<bool> refused;
    REQUIRE(db.read([&](Connection& c) {
      try {
        c.exec("CREATE TABLE t (x INTEGER) STRICT");
        refused.set_value(false);
      } catch (const SQLite::Exception&) {
        refused.set_value(true);
      }
    }));
    CHECK(refused.get_future().get());
  }

  TEST_CASE("more than the queue holds is refused, not kept") {
    Folder folder;
    auto o = options(folder);
    o.queue_limit = 1;
    Database db(o);
    std::promise<void> started, go;
    auto gate = go.get_future().share();
    std::promise<void> first, second;
    REQUIRE(db.write(
        [&started, gate](Connection&) {
          started.set_value();
          gate.wait();
          return true;
        },
        [&](std::exception_ptr) { first.set_value(); }));
    started.get_future().get();
    REQUIRE(db.write([](Connection&) { return true; }, [&](std::exception_ptr) { second.set_value(); }));
    CHECK_FALSE(db.write([](Connection&) { return true; }, [](std::exception_ptr) {}));
    go.set_value();
    first.get_future().get();
    second.get_future().get();
  }
}
