#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"
#include "bencher/base/timestamp.hpp"
#include "bencher/threshold/boundary.hpp"

namespace bencher::render {

/// What a report shows, as read from the API's report.
struct Report {
  struct Named {
    std::string uuid, name, slug;
  };
  struct Measure : Named {
    std::string units;
  };
  struct Threshold {
    std::string uuid;
    std::string model;  ///< UUID of the model that judged; empty when it had none
  };
  struct Row {
    Measure measure;
    std::optional<double> value;
    std::optional<Threshold> threshold;
    Boundary boundary;
  };
  struct Benchmark : Named {
    std::vector<Row> rows;
  };
  struct Alert {
    std::string uuid;
    std::size_t iteration = 0;
    Named benchmark;
    Measure measure;
    Threshold threshold;
    std::optional<double> value;
    Boundary boundary;
    Limit limit = Limit::upper;
    bool active = true;  ///< neither dismissed nor silenced
  };

  std::string uuid;
  Named project;
  std::string organization;  ///< UUID
  bool is_public = true;
  bool claimed = true;
  Named branch, testbed;
  std::string head;  ///< UUID of the branch's head
  std::string spec;  ///< UUID; empty when the report has none
  Timestamp start_time, end_time;
  std::string adapter;
  std::vector<std::vector<Benchmark>> iterations;
  std::vector<Alert> alerts;
  std::size_t alert_count = 0;  ///< of any status
  std::string job;              ///< UUID; empty without one
  std::string noise;            ///< what is to be said of a noisy machine, one line; empty for a quiet one

  /// Reads the JSON of a report. Error: `invalid_argument`, naming the member that is missing or wrong.
  static Result<Report> parse(std::string_view json);

  bool has_benchmarks() const;
};

struct TerminalOptions {
  std::string console_url = {};  ///< empty: no links
  bool colour = false;
  bool summary = true;  ///< alerts and the table of values before the links
};
/// Alerts first, then a table of each iteration (value, baseline, change, limit), then the links that scripts look for
/// (`View report: …`). Lines end in LF; names are shown without control characters.
std::string terminal(const Report& report, const TerminalOptions& options);

struct CommentOptions {
  std::string console_url = {};
  std::string id = {};                         ///< of the comment; empty: branch, testbed and adapter
  bool require_thresholds = false;             ///< show only measures with a limit, and do not ask for thresholds
  bool shortened = false;                      ///< without tables
  bool build_time = false, file_size = false;  ///< part of the default id
  std::string source = "cli";                  ///< who asks, for the hosted console's links
};
/// The report as HTML in one line, for pull requests, check summaries and `--format html`. Ends with the hidden tag
/// `<div id="bencher.dev/projects/<project>/id/<id>"></div>`, by which a comment is found again.
std::string comment(const Report& report, const CommentOptions& options);

/// A unit and the power of it that a number is shown in.
struct Scale {
  double factor = 1;
  std::string units;   ///< `milliseconds (ms)`
  std::string symbol;  ///< `ms`
};
/// The scale in which `smallest` of what is shown together reads well.
Scale scale_for(std::string_view units, double smallest);
/// Two decimals, a comma every three digits: `-1,234.50`.
std::string number(double value);

}  // namespace bencher::render
