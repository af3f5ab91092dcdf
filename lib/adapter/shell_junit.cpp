// The durations of test cases in JUnit's XML, as many test tools write it.

#include <string>

#include <fmt/core.h>

#include "lib/adapter/registry.hpp"
#include "lib/adapter/text.hpp"
#include "lib/adapter/xml.hpp"

namespace bencher::adapter {
namespace {

class Report {
 public:
  Report(std::string_view text, std::size_t from, Builder& out) : xml_(text, from), out_(out) {}

  Result<void> read() {
    for (auto token = xml_.next(); token != Xml::Token::end; token = xml_.next())
      token == Xml::Token::open ? open() : close();
    if (xml_.failed()) return xml_.error();
    if (left_out_ > 0)
      out_.warn(fmt::format("{} test cases that failed, were skipped or have no time are left out", left_out_));
    if (out_.empty())
      return Error(Errc::invalid_argument, "the XML has no <testcase> that passed and has a name and a time");
    return {};
  }

 private:
  void open() {
    const auto tag = xml_.name();
    if (tag == "testsuite") {
      // Only libtest's reports have a package of that name; it does not say that its benches are in another unit.
      libtest_ = xml_.attribute("package", suite_) && suite_ == "test";
      suite_.clear();
      (void)xml_.attribute("name", suite_);
    } else if (tag == "testcase") {
      test_case();
      depth_ = xml_.depth();
    } else if (xml_.depth() == depth_ + 1 && (tag == "failure" || tag == "error" || tag == "skipped")) {
      good_ = false;
    }
  }

  void test_case() {
    std::string_view key, raw, name, time, in, status, result;
    for (std::size_t at = 0; xml_.next_attribute(at, key, raw);) {
      auto* into = key == "name"        ? &name
                   : key == "time"      ? &time
                   : key == "classname" ? &in
                   : key == "status"    ? &status
                   : key == "result"    ? &result
                                        : nullptr;
      if (into && !into->data()) *into = raw;
    }
    auto& text = scratch_;
    Xml::unescape(name, name_);
    Xml::unescape(time, text);
    double seconds = 0;
    good_ = any_number(trimmed(text), seconds) && !name_.empty() && has_run(status) && has_run(result);
    ns_ = seconds * 1e9;
    const bool bench = libtest_ && in.starts_with(libtest_bench);
    if (bench) {
      ns_ = seconds / libtest_samples;
      in.remove_prefix(libtest_bench.size());
      if (in == "unknown") in = {};
    }
    // CTest and jest-junit say the name twice.
    if (in.empty() || in == name) return;
    // Classes of Rust and C++ are joined as those languages do.
    Xml::unescape(in, text);
    text.append(bench || text.find("::") != std::string::npos ? "::" : ".").append(name_);
    name_.swap(text);
  }

  void close() {
    if (xml_.name() != "testcase") return;
    if (!good_ || !name_fits(name_)) {
      ++left_out_;
      return;
    }
    out_.benchmark(name_);
    out_.latency({ns_, {}, {}});
    if (out_.wants_distinct_names() && !suite_.empty())
      out_.distinct_name(std::string(name_part(suite_)).append(" ").append(name_));
  }

  static bool has_run(std::string_view status) {
    if (status.empty() || status == "run" || status == "completed") return true;
    for (const std::string_view none : {"disabled", "notrun", "skipped", "suppressed"})
      if (status == none) return false;
    return true;
  }

  /// The time of a bench is the sum of its samples, of which there are as many, each in nanoseconds for an iteration.
  static constexpr double libtest_samples = 50;
  static constexpr std::string_view libtest_bench = "benchmark::";

  Xml xml_;
  Builder& out_;
  bool libtest_ = false;
  std::string suite_, scratch_;
  // Of the test case that is open.
  std::string name_;
  double ns_ = 0;
  bool good_ = false;
  std::size_t depth_ = 0, left_out_ = 0;
};

}  // namespace

Result<void> read_junit(std::string_view text, Builder& out) {
  // What the program printed before may have angle brackets.
  auto root = place_of(text, "<testsuite");
  if (root == std::string_view::npos) root = place_of(text, "<testcase");
  if (root == std::string_view::npos)
    return Error(Errc::invalid_argument, "the text has neither <testsuite> nor <testcase>: it is no JUnit XML");
  return Report(text, root, out).read();
}

}  // namespace bencher::adapter
