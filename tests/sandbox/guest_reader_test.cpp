#include "lib/sandbox/guest_reader.hpp"

#include <cstring>
#include <random>

#include <doctest/doctest.h>

using namespace bencher;
using namespace bencher::sandbox;
using guest::Ended;
using guest::Finished;
using guest::Report;

namespace {

std::string record(Report kind, std::string_view payload = {}) {
  std::string out;
  append_order(out, static_cast<guest::Order>(kind), payload);
  return out;
}

template <class T>
std::string record_of(Report kind, const T& value) {
  return record(kind, {reinterpret_cast<const char*>(&value), sizeof value});
}

std::string file(std::uint32_t index, std::string_view data) {
  return record_of(Report::file, index) + record(Report::data, data);
}

const std::string up = record_of(Report::hello, std::uint64_t{1});
const std::string started = up + record(Report::started);
const std::string ended = started + record_of(Report::ended, Ended{.status = 3 << 8, .wall_us = 7});

Request two_files() {
  Request request;
  request.file_paths = {"/a", "/b"};
  request.max_file_bytes = 10;
  return request;
}

}  // namespace

TEST_CASE("a whole course is read the same in any pieces") {
  const auto request = two_files();
  const auto course = ended + file(1, "12345") + record(Report::data, "678") + file(0, "") +
                      record_of(Report::finished, Finished{.out_written = 9, .out_sent = 5});
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{7}, course.size()}) {
    CAPTURE(size);
    GuestReader reader(request);
    for (std::size_t at = 0; at < course.size(); at += size)
      REQUIRE(reader.take(std::string_view(course).substr(at, size)));
    CHECK(reader.hello());
    CHECK(reader.started());
    REQUIRE(reader.ended());
    CHECK(reader.ended()->status == 3 << 8);
    CHECK(reader.files() == std::map<std::string, std::string>{{"/a", ""}, {"/b", "12345678"}});
    REQUIRE(reader.finished());
    CHECK(reader.finished()->out_sent == 5);
  }
}

TEST_CASE("a guest that forges records is found out") {
  struct Row {
    std::string what, bytes;
  };
  std::string huge = record(Report::log);
  huge[4] = '\x7f';
  for (const auto& [what, bytes] :
       {Row{"a length beyond all", huge}, Row{"no kind", record(static_cast<Report>('?'))},
        Row{"a kind of the runner's", up + record(static_cast<Report>('y'))}, Row{"hello twice", up + up},
        Row{"a start without hello", record(Report::started)}, Row{"two starts", started + record(Report::started)},
        Row{"an end without a start", up + record_of(Report::ended, Ended{})},
        Row{"a short end", started + record(Report::ended, "x")},
        Row{"two ends", ended + record_of(Report::ended, Ended{})},
        Row{"a file before the end", started + file(0, "x")}, Row{"a file not asked for", ended + file(2, "x")},
        Row{"a file far out", ended + file(0xffffffff, "x")}, Row{"a file twice", ended + file(0, "x") + file(0, "y")},
        Row{"data of no file", ended + record(Report::data, "x")},
        Row{"a finish before the end", started + record_of(Report::finished, Finished{})},
        Row{"more sent than written", ended + record_of(Report::finished, Finished{.err_written = 1, .err_sent = 2})},
        Row{"a file after the finish", ended + record_of(Report::finished, Finished{}) + file(0, "x")},
        Row{"two finishes",
            ended + record_of(Report::finished, Finished{}) + record_of(Report::finished, Finished{})}}) {
    CAPTURE(what);
    const auto request = two_files();
    GuestReader reader(request);
    const auto taken = reader.take(bytes);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code() == Errc::conflict);
  }
}

TEST_CASE("files over the limit together are refused by the name of the one that is too much") {
  const auto request = two_files();
  GuestReader reader(request);
  REQUIRE(reader.take(ended + file(0, "123456")));
  const auto taken = reader.take(file(1, "12345"));
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code() == Errc::too_large);
  CHECK(taken.error().message().find("/b") != std::string::npos);
}

TEST_CASE("what a guest logs is cleaned, short and little") {
  const Request request;
  GuestReader reader(request);
  REQUIRE(reader.take(up + record(Report::log, std::string("\x1b[2Jline\n\xff") + std::string(1000, 'x'))));
  auto lines = reader.take_log();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() == 256);
  CHECK(lines[0].starts_with(" [2Jline  x"));
  for (int i = 0; i < 1000; ++i)
    REQUIRE(reader.take(record(Report::log, "more")));
  CHECK(reader.take_log().size() < 50);
  const auto failed = reader.take(record(Report::failed, "disk: \x07 no"));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("disk:   no") != std::string::npos);
}

TEST_CASE("no bytes whatever make the reader fail other than by an error") {
  std::mt19937 random(20240607);
  const auto course = ended + file(0, "123") + record_of(Report::finished, Finished{.out_written = 9, .out_sent = 5});
  const auto request = two_files();
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = course;
    for (int change = 0; change < 3; ++change)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    GuestReader reader(request);
    bool good = true;
    for (std::size_t at = 0; good && at < bytes.size(); at += 11)
      good = reader.take(std::string_view(bytes).substr(at, 11)).has_value();
    std::size_t held = 0;
    for (const auto& [path, text] : reader.files())
      held += text.size();
    REQUIRE(held <= request.max_file_bytes);
  }
}
