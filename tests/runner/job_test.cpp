#include "bencher/runner/job.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "bencher/base/encoding.hpp"

using namespace bencher;
using namespace bencher::runner;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

std::string claim(const std::string& config_more = "", const std::string& spec_more = "") {
  return R"({"uuid":"550e8400-e29b-41d4-a716-446655440000","status":"claimed","spec":{"os":"linux",)"
         R"("architecture":"x86_64","sandbox":null,"cpu":2,"memory":4294967296,"disk":10737418240)" +
         spec_more + R"(},"config":{"registry":"http://127.0.0.1:1/","project":"p-1","digest":")" + digest +
         R"(","timeout":300)" + config_more + R"(},"oci_token":"jwt","timeout":300,"unknown":[1]})";
}

ClaimedJob job(const std::string& config_more = "") {
  return **parse_claim(claim(config_more));
}

}  // namespace

TEST_CASE("a claimed job is read with the defaults of what is left out") {
  const auto parsed = parse_claim(claim());
  REQUIRE_MESSAGE(parsed, parsed.error().message());
  REQUIRE(*parsed);
  const auto& j = **parsed;
  CHECK(j.uuid == "550e8400-e29b-41d4-a716-446655440000");
  CHECK(j.cpu == 2);
  CHECK(j.memory == 4294967296u);
  CHECK(j.timeout == std::chrono::seconds(300));
  CHECK(j.digest.str() == digest);
  CHECK(j.iterations == 1);
  CHECK_FALSE(j.sandbox);
  CHECK_FALSE(j.entrypoint);
  CHECK_FALSE(j.network);
}

TEST_CASE("a claimed job is read with everything in it") {
  const auto parsed = parse_claim(claim(R"(,"image":"bench:v1","entrypoint":["/b"],"cmd":[],"env":{"A":"1"},)"
                                        R"("file_paths":["/o"],"build_time":true,"file_size":true,"iter":0,)"
                                        R"("allow_failure":true,"average":"mean")",
                                        R"(,"network":true)"));
  REQUIRE_MESSAGE(parsed, parsed.error().message());
  const auto& j = **parsed;
  CHECK(j.image == "bench:v1");
  CHECK(j.entrypoint->at(0) == "/b");
  CHECK(j.cmd->empty());
  CHECK(j.env.at(0).second == "1");
  CHECK(j.iterations == 0);
  CHECK(j.build_time);
  CHECK(j.file_size);
  CHECK(j.allow_failure);
  CHECK(j.network);
}

TEST_CASE("no job is null, and what is no job is refused with its field") {
  REQUIRE(parse_claim("null"));
  CHECK_FALSE(*parse_claim("null"));
  const auto says = [](const std::string& text, const std::string& word) {
    const auto parsed = parse_claim(text);
    REQUIRE_FALSE(parsed);
    CHECK_MESSAGE(parsed.error().message().find(word) != std::string::npos, parsed.error().message());
  };
  says("{", "JSON");
  says("{}", "spec");
  says(claim(R"(,"iter":-1)"), "iter");
  says(claim(R"(,"cmd":"x")"), "cmd");
  says(claim(R"(,"env":{"A":1})"), "env");
  auto text = claim();
  says(text.replace(text.find("sha256"), 6, "md5xxx"), "digest");
  text = claim();
  says(text.replace(text.find("550e"), 4, "../."), "uuid");
}

TEST_CASE("a command is made of the job's and the image's words as docker does") {
  ImageConfig image;
  image.entrypoint = {"/entry"};
  image.cmd = {"a", "b"};
  using Words = std::vector<std::string>;
  CHECK(command_of(job(), image) == Words{"/entry", "a", "b"});
  CHECK(command_of(job(R"(,"cmd":["c"])"), image) == Words{"/entry", "c"});
  CHECK(command_of(job(R"(,"entrypoint":["/x"])"), image) == Words{"/x"});
  CHECK(command_of(job(R"(,"entrypoint":["/x"],"cmd":["c"])"), image) == Words{"/x", "c"});
  CHECK(command_of(job(R"(,"cmd":[])"), {}).empty());
}

TEST_CASE("the job's environment replaces and extends the image's") {
  ImageConfig image;
  image.env = {"PATH=/bin", "A=1=2", "BARE"};
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(env_of(job(R"(,"env":{"A":"x","B":"y"})"), image) ==
        Pairs{{"PATH", "/bin"}, {"A", "x"}, {"BARE", ""}, {"B", "y"}});
}

TEST_CASE("build time and file sizes take the place of the files as one metric document") {
  using Files = std::map<std::string, std::string>;
  const Files files{{"/out/a.bin", "12345"}, {"/b", ""}};
  const std::string key("\0bencher", 8);
  const auto wall = std::chrono::microseconds(1'234'567);
  CHECK(measured(job(), files, wall) == files);
  CHECK(measured(job(R"(,"build_time":true,"cmd":["make","all"])"), {}, wall) ==
        Files{{key, R"({"make all":{"build-time":{"value":1.23,"lower_value":null,"upper_value":null}}})"}});
  CHECK(measured(job(R"(,"build_time":true,"image":"bench:v1")"), {}, wall).at(key).starts_with(R"({"bench:v1":)"));
  CHECK(measured(job(R"(,"build_time":true)"), {}, wall).at(key).starts_with(R"({"p-1@sha256:aaa)"));
  const auto sizes = measured(job(R"(,"file_size":true)"), files, wall).at(key);
  CHECK(boost::json::parse(sizes).at("a.bin").at("file-size").at("value").as_int64() == 5);
  CHECK(boost::json::parse(sizes).at("b").at("file-size").at("value").as_int64() == 0);
  CHECK(measured(job(R"(,"file_size":true)"), {}, wall).empty());
}

TEST_CASE("messages leave empty parts out and replace malformed text") {
  const std::vector<Iteration> results{
      {.exit_code = 0, .standard_output = "a\xff", .standard_error = {}, .output = {}},
      {.exit_code = 3, .standard_output = {}, .standard_error = "e", .output = {{"/o", "x"}}}};
  CHECK(completed_message("j", results) ==
        "{\"event\":\"completed\",\"job\":\"j\",\"results\":[{\"exit_code\":0,\"stdout\":\"a\xEF\xBF\xBD\"},"
        "{\"exit_code\":3,\"stderr\":\"e\",\"output\":{\"/o\":\"x\"}}]}");
  CHECK(failed_message("j", {}, "why") == R"({"event":"failed","job":"j","results":[],"error":"why"})");
  CHECK(event_message("heartbeat", "j") == R"({"event":"heartbeat","job":"j"})");
  CHECK(log_message("j", 1, true, 7, "x\n") ==
        R"({"event":"log","job":"j","iteration":1,"stream":"stderr","offset":7,"data":"x\n"})");
  CHECK(patch_completed({}) == R"({"status":"completed","results":[]})");
  CHECK(patch_failed({}, "why") == R"({"status":"failed","results":[],"error":"why"})");
}

TEST_CASE("the server's messages are told apart, nonsense too") {
  CHECK(parse_server_event(R"({"event":"ack"})") == ServerEvent::ack);
  CHECK(parse_server_event(R"({"event":"ack","job":"x"})") == ServerEvent::ack);
  CHECK(parse_server_event(R"({"event":"cancel"})") == ServerEvent::cancel);
  CHECK(parse_server_event(R"({"event":1})") == ServerEvent::other);
  CHECK(parse_server_event("{") == ServerEvent::other);
  CHECK(parse_patch_status(R"({"status":"canceled"})") == "canceled");
  CHECK(parse_patch_status("x").empty());
}

TEST_CASE("results too large to send are cut at the longest texts, with a mark, and stay valid") {
  const std::string euro = "\xE2\x82\xAC";
  std::string euros;
  for (int i = 0; i < 200'000; ++i)
    euros += euro;
  std::vector<Iteration> results{
      {.exit_code = 0, .standard_output = std::string(500'000, '\x01'), .standard_error = "short", .output = {}},
      {.exit_code = 1, .standard_output = euros, .standard_error = {}, .output = {{"/o", std::string(900'000, '"')}}}};
  fit(results, 1'000'000);
  const auto text = completed_message("j", results);
  CHECK(text.size() < 1'000'000);
  CHECK(text.size() > 500'000);
  CHECK(results[0].standard_error == "short");
  for (const auto* part : {&results[0].standard_output, &results[1].standard_output, &results[1].output.at("/o")}) {
    CHECK(part->find("cut here") != std::string::npos);
    CHECK(is_utf8(*part));
  }
  const auto before = completed_message("j", results);
  fit(results, 1'000'000);
  CHECK(completed_message("j", results) == before);
}

TEST_CASE("text that comes in pieces is never split within a character") {
  const std::string all = "a\xC3\xA9\xE6\xB8\xAC\xF0\x9F\x98\x80z\xff\xC3";
  const std::string expected = "a\xC3\xA9\xE6\xB8\xAC\xF0\x9F\x98\x80z\xEF\xBF\xBD\xEF\xBF\xBD";
  for (std::size_t size = 1; size <= all.size(); ++size) {
    Utf8Stream stream;
    std::string out;
    for (std::size_t at = 0; at < all.size(); at += size) {
      const auto piece = stream.feed(all.substr(at, size));
      CHECK(is_utf8(piece));
      out += piece;
    }
    out += stream.finish();
    CHECK(out == expected);
  }
}
