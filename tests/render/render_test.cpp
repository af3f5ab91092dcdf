#include <string>

#include <doctest/doctest.h>

#include "bencher/render/report.hpp"

#include "lib/json/value.hpp"
#include "lib/render/parts.hpp"
#include "tests/support/golden.hpp"

using namespace bencher;
using json::Value;

namespace {

Value recorded(const std::string& name) {
  return Value::parse(test::read_data("examples/" + name + ".json")).value()["response"]["body"];
}

render::Report report_of(const Value& json) {
  auto report = render::Report::parse(json.compact());
  if (!report) FAIL(report.error().message());
  return *std::move(report);
}

constexpr auto console = "http://localhost:3000";

}  // namespace

TEST_SUITE("render/report") {
  TEST_CASE("a recorded report is read") {
    const auto report = report_of(recorded("run_post_alert"));
    CHECK(report.project.slug == "the-computer");
    CHECK(report.branch.slug == "main");
    CHECK(report.testbed.slug == "base-camp");
    CHECK(report.iterations.size() == recorded("run_post_alert")["results"].items().size());
    CHECK(report.iterations.front().front().rows.front().value == 11.0);
    CHECK(report.alerts.size() == recorded("run_post_alert")["alerts"].items().size());
    CHECK(report.alerts.front().limit == Limit::upper);
  }

  TEST_CASE("what is no report is refused by name") {
    CHECK(render::Report::parse("{").error().message().starts_with("JSON, byte 1"));
    CHECK(render::Report::parse("[]").error().message() == "report: not a JSON object");
    CHECK(render::Report::parse("{}").error().message() == "report: 'uuid' is missing or not of its type");
    CHECK(render::Report::parse(R"({"uuid":"u","project":{}})").error().message() ==
          "report: 'project' is missing or not of its type");
  }
}

TEST_SUITE("render/terminal") {
  TEST_CASE("recorded reports render as their golden texts") {
    for (const std::string name : {"report_get", "run_post_alert", "run_z_score", "report_after_job",
                                   "run_empty_results", "run_on_the_fly_anon"})
      test::check_golden("render/" + name + ".txt",
                         render::terminal(report_of(recorded(name)), {.console_url = console}));
  }

  TEST_CASE("alerts come first, then the table, then the links that scripts look for") {
    const auto text = render::terminal(report_of(recorded("run_post_alert")), {.console_url = console});
    const auto alert = text.find("is over the limit"), table = text.find("Benchmark"),
               link = text.find("View report: ");
    CHECK(alert < table);
    CHECK(table < link);
    CHECK(link != std::string::npos);
  }

  TEST_CASE("a noisy machine is told in one line, a quiet or unknown one is not") {
    const auto with = [](const std::string& host) {
      auto text = std::string(
          R"({"uuid":"u","project":{"slug":"p"},"branch":{"slug":"b"},"testbed":{"slug":"t"},"start_time":"2024-07-11T06:23:00Z","end_time":"2024-07-11T06:23:00Z","results":[],"alerts":[])");
      if (!host.empty()) text += R"(,"host":)" + host;
      const auto report = render::Report::parse(text + "}").value();
      return std::pair(render::terminal(report, {}), render::comment(report, {}));
    };
    const std::string line =
        "The machine was noisy: the same work varied by 31.2 % before the job ran, and 7.0 % of its time went "
        "elsewhere.";
    const auto [text, html] = with(R"({"noise":{"noisy":true,"cv_percent":31.2,"steal_percent":7}})");
    CHECK(text.find(line + "\n") != std::string::npos);
    CHECK(html.find(line) != std::string::npos);
    for (const char* host : {"", "null", "{}", "[]", R"({"noise":5})", R"({"noise":{"noisy":true}})",
                             R"({"noise":{"noisy":false,"cv_percent":31.2}})"}) {
      CAPTURE(host);
      CHECK(with(host).first.find("noisy") == std::string::npos);
      CHECK(with(host).second.find("noisy") == std::string::npos);
    }
  }

  TEST_CASE("colours are there only when asked for") {
    const auto report = report_of(recorded("run_post_alert"));
    CHECK(render::terminal(report, {.console_url = console}).find('\x1b') == std::string::npos);
    CHECK(render::terminal(report, {.console_url = console, .colour = true}).find('\x1b') != std::string::npos);
  }

  TEST_CASE("a name cannot steer the terminal") {
    auto report = report_of(recorded("run_post_alert"));
    report.iterations[0][0].name = "a\x1b[2Jb\nc";
    report.alerts[0].benchmark.name = "\x07";
    const auto text = render::terminal(report, {.console_url = console});
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find("a [2Jb c") != std::string::npos);
  }
}

TEST_SUITE("render/comment") {
  TEST_CASE("recorded reports render as their golden comments") {
    for (const std::string name :
         {"report_get", "run_post_alert", "run_z_score", "report_after_job", "run_empty_results"}) {
      const auto report = report_of(recorded(name));
      const auto html = render::comment(report, {.console_url = console});
      test::check_golden("render/" + name + ".html", html);
      CHECK(html.find('\n') == std::string::npos);
    }
  }

  TEST_CASE("the hidden tag is the very end") {
    const auto report = report_of(recorded("run_post_alert"));
    const auto ends = [&](const render::CommentOptions& options, const std::string& id) {
      return render::comment(report, options)
          .ends_with("<div id=\"bencher.dev/projects/the-computer/id/" + id + "\"></div>");
    };
    CHECK(ends({.console_url = console}, "main/base-camp/json"));
    CHECK(ends({.console_url = console, .build_time = true, .file_size = true},
               "main/base-camp/json-build_time-file_size"));
    CHECK(ends({.console_url = console, .id = "mine"}, "mine"));
  }

  TEST_CASE("names are escaped") {
    auto report = report_of(recorded("run_post_alert"));
    report.project.name = "<script>&\"'";
    report.iterations[0][0].name = "a<b\n";
    const auto html = render::comment(report, {.console_url = console});
    CHECK(html.find("<script>") == std::string::npos);
    CHECK(html.find("&lt;script&gt;&amp;&quot;&#39;") != std::string::npos);
    CHECK(html.find("a&lt;b ") != std::string::npos);
  }

  TEST_CASE("the shortened form has counts and links, no tables of results") {
    const auto html =
        render::comment(report_of(recorded("run_post_alert")), {.console_url = console, .shortened = true});
    CHECK(html.find("🚨") != std::string::npos);
    CHECK(html.find("<details>") == std::string::npos);
    CHECK(html.find("<thead>") == std::string::npos);
  }

  TEST_CASE("with thresholds required, only measures with a limit are shown, and nobody is asked for more") {
    const auto report = report_of(recorded("report_get"));
    const auto all = render::comment(report, {.console_url = console});
    const auto required = render::comment(report, {.console_url = console, .require_thresholds = true});
    CHECK(all.find("have no threshold") != std::string::npos);
    CHECK(required.find("have no threshold") == std::string::npos);
    CHECK(required.find("Latency") == std::string::npos);
  }

  TEST_CASE("links into a private project lead through the console, and only the hosted console is told who asks") {
    auto report = report_of(recorded("run_post_alert"));
    report.is_public = false;
    const auto html = render::comment(report, {.console_url = "https://console.example/"});
    CHECK(html.find("https://console.example/console/projects/the-computer/reports/") != std::string::npos);
    CHECK(html.find("https://console.example/console/projects/the-computer/perf?branches=") != std::string::npos);
    CHECK(html.find("utm_") == std::string::npos);
    CHECK(render::comment(report, {.console_url = "https://bencher.dev"}).find("utm_source=cli&amp;") !=
          std::string::npos);
  }
}

TEST_SUITE("render/units") {
  TEST_CASE("a unit is scaled by the smallest number") {
    const auto symbol = [](const char* units, double smallest) { return render::scale_for(units, smallest).symbol; };
    CHECK(symbol("nanoseconds (ns)", 999) == "ns");
    CHECK(symbol("nanoseconds (ns)", 1000) == "µs");
    CHECK(symbol("nanoseconds (ns)", 5.9e10) == "s");
    CHECK(symbol("nanoseconds (ns)", 6e10) == "m");
    CHECK(symbol("nanoseconds (ns)", 1e13) == "h");
    CHECK(symbol("seconds (s)", 3600) == "h");
    CHECK(symbol("bytes (B)", 1e15) == "PB");
    CHECK(symbol("operations / second (ops/s)", 1) == "ops/s");
    CHECK(symbol("operations / second (ops/s)", 1e6) == "ops/s x 1e6");
    CHECK(symbol("cycles", 1e3) == " x 1e3");
    CHECK(render::scale_for("cycles", 1e3).units == "cycles x 1e3");
    CHECK(render::scaled(1500, render::scale_for("cycles", 1e3)) == "1.50 x 1e3");
  }

  TEST_CASE("numbers have two decimals and a comma every three digits") {
    CHECK(render::number(0) == "0.00");
    CHECK(render::number(-1234.5) == "-1,234.50");
    CHECK(render::number(999.999) == "1,000.00");
    CHECK(render::number(1234567.891) == "1,234,567.89");
    CHECK(render::number(-0.001) == "0.00");
  }

  TEST_CASE("a change from nothing is no change") {
    CHECK(render::change_percent(112.5, 100) == "+12.50%");
    CHECK(render::change_percent(50, 100) == "-50.00%");
    CHECK(render::change_percent(5, 0) == "0.00%");
    CHECK(render::change_percent(5, 5e-324) == "0.00%");
  }
}
