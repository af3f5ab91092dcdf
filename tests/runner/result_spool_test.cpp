#include "apps/runner/result_spool.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "tests/support/image.hpp"

namespace json = boost::json;
using namespace bencher;
using namespace bencher::runner;
using namespace bencher::test;

namespace {

json::value document(ResultSpool& spool, const std::string& error = "") {
  const auto file = spool.finish(error);
  REQUIRE_MESSAGE(file, file.error().message());
  return json::parse(read_file(*file));
}

bool holds_nothing(const std::filesystem::path& dir) {
  return !std::filesystem::exists(dir) || std::filesystem::is_empty(dir);
}

}  // namespace

TEST_CASE("the spool's document is that of a message, whatever the results hold") {
  TempDir dir;
  ResultSpool spool(dir / "results", 1 << 20);
  spool.output(false, "a\"b\\\n\x01");
  spool.output(true, "caf\xc3");
  spool.output(true, "\xa9 \xff");
  spool.keep(3, {{"/out/\"x\".json", "{\"a\":1}"}});
  spool.output(false, "dropped");
  spool.drop();
  spool.keep(0, {});
  CHECK(document(spool, "it \"failed\"") == json::parse(R"({"results":[
      {"exit_code":3,"stdout":"a\"b\\\n\u0001","stderr":"café \uFFFD","output":{"/out/\"x\".json":"{\"a\":1}"}},
      {"exit_code":0}],"error":"it \"failed\""})"));
  // An upload that is tried again takes the same document.
  CHECK(document(spool, "it \"failed\"").at("results").as_array().size() == 2);

  ResultSpool none(dir / "none", 1 << 20);
  CHECK(document(none) == json::parse(R"({"results":[]})"));
}

TEST_CASE("little is kept in memory, much in files, which are gone in the end") {
  TempDir dir;
  {
    ResultSpool spool(dir / "results", 64u << 20);
    spool.output(false, std::string(1000, 'x'));
    spool.keep(0, {});
    CHECK(holds_nothing(dir / "results"));
    for (int i = 0; i < 100; ++i) {
      spool.output(false, std::string(64 * 1024, 'o'));
      spool.output(true, std::string(64 * 1024, 'e'));
    }
    CHECK(std::filesystem::file_size(dir / "results/stdout") > 5u << 20);
    spool.keep(0, {});
    CHECK_FALSE(std::filesystem::exists(dir / "results/stdout"));
    const auto all = document(spool);
    CHECK(all.at("results").at(1).at("stdout").as_string() == std::string(6400 * 1024, 'o'));
    CHECK(all.at("results").at(1).at("stderr").as_string() == std::string(6400 * 1024, 'e'));
  }
  CHECK(holds_nothing(dir / "results"));
}

TEST_CASE("characters that lie across a part's end stay whole") {
  TempDir dir;
  ResultSpool spool(dir / "results", 64u << 20);
  std::string text = "x";
  while (text.size() < 3u << 20)
    text += "é€😀";
  spool.output(false, text);
  spool.keep(0, {});
  CHECK(std::string(document(spool).at("results").at(0).at("stdout").as_string()) == text);
}

TEST_CASE("a document over the limit, and a disk that takes nothing, are errors and leave nothing") {
  TempDir dir;
  ResultSpool spool(dir / "results", 2u << 20);
  for (int i = 0; i < 100; ++i)
    spool.output(false, std::string(64 * 1024, 'x'));
  spool.keep(0, {});
  const auto large = spool.finish("");
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == Errc::too_large);
  CHECK(large.error().message().find("2097152") != std::string::npos);
  CHECK(holds_nothing(dir / "results"));

  write_file(dir / "file", "");
  ResultSpool blocked(dir / "file" / "results", 64u << 20);
  blocked.output(false, std::string(2u << 20, 'x'));
  blocked.keep(0, {});
  CHECK_FALSE(blocked.finish(""));
}
