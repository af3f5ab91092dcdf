// Gungraun: the JSON summaries among its output, of schema 6, of what came after, and of iai-callgrind before.

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/gungraun.hpp"
#include "lib/adapter/json_fields.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

using json::Reader;

struct Value {
  std::string key;
  double value;
};

struct Profile {
  std::string tool;
  std::string kind;  ///< of the summary, schema 6: Callgrind, Cachegrind, Dhat, ErrorTool; empty: none
  std::vector<Value> values;
};

struct Document {
  std::string name;
  std::vector<Profile> profiles;
};

bool any_string(Reader& r) {
  std::string_view view;
  std::string scratch;
  return r.string(view, scratch);
}

bool optional_string(Reader& r) {
  return r.take_null() || any_string(r);
}

bool strings(Reader& r) {
  return json::array(r, "an array of texts", [&](std::size_t) { return any_string(r); });
}

/// A string that holds a float, infinite ones too.
bool float_string(Reader& r) {
  const auto mark = r.mark();
  std::string_view view;
  std::string scratch;
  if (!r.string(view, scratch)) return false;
  auto rest = view;
  if (rest.starts_with('+') && rest.size() > 1 && rest[1] != '-') rest.remove_prefix(1);
  double value = 0;
  const auto [stop, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (!rest.empty() && stop == rest.data() + rest.size() && ec != std::errc::invalid_argument) return true;
  r.go(mark);
  return r.fail("expected a text that holds a number");
}

bool integer(Reader& r, std::uint64_t most, bool negative, std::uint64_t& value) {
  const auto mark = r.mark();
  std::string_view digits;
  if (!r.number_text(digits)) return false;
  auto rest = digits;
  if (negative && rest.starts_with('-')) rest.remove_prefix(1);
  const auto [stop, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (ec == std::errc() && stop == rest.data() + rest.size() && value <= most) return true;
  r.go(mark);
  return r.fail("expected an integer in its range");
}

bool integer(Reader& r, std::uint64_t most, bool negative) {
  std::uint64_t ignored = 0;
  return integer(r, most, negative, ignored);
}

/// {"Name": value}: exactly one member, which `read(name)` reads.
template <class Read>
bool variant(Reader& r, const char* what, Read&& read) {
  std::size_t count = 0;
  const bool done = json::object(r, what, [&](std::string_view name) {
    if (++count > 1) return r.fail(fmt::format("expected {} with one member", what));
    return read(name);
  });
  return done && (count == 1 || r.fail(fmt::format("expected {} with one member", what)));
}

bool one_of(Reader& r, std::string& out, std::initializer_list<std::string_view> names) {
  const auto mark = r.mark();
  if (!text(r, out)) return false;
  for (const auto name : names)
    if (name == out) return true;
  r.go(mark);
  return r.fail(fmt::format("'{}' is not known", excerpt(out, 40)));
}

bool metric_value(Reader& r, double& out) {
  return variant(r, "a metric", [&](std::string_view type) {
    if (type == "Float") return r.number(out);
    if (type != "Int") return r.fail("a metric is an Int or a Float");
    std::uint64_t value = 0;
    if (!integer(r, UINT64_MAX, false, value)) return false;
    out = static_cast<double>(value);
    return true;
  });
}

/// Left and Right are of the new and of the old run.
template <class Read>
bool sides(Reader& r, const char* what, Read&& read) {
  return variant(r, what, [&](std::string_view side) {
    if (side == "Left" || side == "Right") return read(side == "Left");
    if (side != "Both") return r.fail("expected Left, Right or Both");
    std::size_t count = 0;
    const bool done = json::array(r, "both sides", [&](std::size_t i) {
      ++count;
      return i < 2 ? read(i == 0) : r.fail("expected two sides");
    });
    return done && (count == 2 || r.fail("expected two sides"));
  });
}

const GungraunMeasure* find_key(std::string_view kind, std::string_view key) {
  GungraunTool tool{};
  if (kind == "ErrorTool")
    tool = GungraunTool::memcheck;
  else if (kind == "Dhat")
    tool = GungraunTool::dhat;
  else if (!gungraun_tool(kind, tool))
    return nullptr;
  for (const auto& m : gungraun_measures(tool))
    if (!m.key.empty() && m.key == key) return &m;
  return nullptr;
}

bool summary(Reader& r, Profile* into) {
  if (r.peek() == '"') {
    std::string none;
    return one_of(r, none, {"None"});
  }
  return variant(r, "a summary", [&](std::string_view kind) {
    if (kind != "Callgrind" && kind != "Cachegrind" && kind != "Dhat" && kind != "ErrorTool")
      return r.fail(fmt::format("'{}' is no known tool", excerpt(kind, 40)));
    if (into) into->kind = kind;
    return json::object(r, "metrics", [&](std::string_view name) {
      const std::string key(name);
      if (!find_key(kind, key)) return r.fail(fmt::format("'{}' is no metric of {}", excerpt(key, 40), kind));
      static constexpr json::Field fields[]{{"diffs", false}, {"metrics"}};
      return json::record(r, "a metric", fields, [&](std::size_t field) {
        if (field == 1) {
          return sides(r, "metrics", [&](bool is_new) {
            double value = 0;
            if (!metric_value(r, value)) return false;
            if (is_new && into) into->values.push_back({key, value});
            return true;
          });
        }
        if (r.take_null()) return true;
        static constexpr json::Field in_diffs[]{{"diff_pct"}, {"factor"}};
        return json::record(r, "differences", in_diffs, [&](std::size_t) { return float_string(r); });
      });
    });
  });
}

bool part_info(Reader& r) {
  static constexpr json::Field fields[]{
      {"command"}, {"details", false}, {"parent_pid", false}, {"part", false}, {"path"}, {"pid"}, {"thread", false}};
  return json::record(r, "a part's details", fields, [&](std::size_t field) {
    switch (field) {
      case 0:
      case 4: return any_string(r);
      case 1: return optional_string(r);
      case 2: return r.take_null() || integer(r, INT32_MAX, true);
      case 5: return integer(r, INT32_MAX, true);
      default: return r.take_null() || integer(r, UINT64_MAX, false);
    }
  });
}

bool regression(Reader& r) {
  return variant(r, "a regression", [&](std::string_view kind) {
    const auto metric = [&] {
      if (r.peek() == '"') {
        std::string none;
        return one_of(r, none, {"None"});
      }
      return variant(r, "a metric", [&](std::string_view tool) {
        std::string key;
        if (!text(r, key)) return false;
        const bool error_tool = tool == "Memcheck" || tool == "Helgrind" || tool == "DRD";
        return find_key(error_tool ? "ErrorTool" : tool, key) != nullptr || r.fail("an unknown metric");
      });
    };
    double value = 0;
    if (kind == "Soft") {
      static constexpr json::Field fields[]{{"metric"}, {"new"}, {"old"}, {"diff_pct"}, {"limit"}};
      return json::record(r, "a regression", fields, [&](std::size_t field) {
        return field == 0 ? metric() : field < 3 ? metric_value(r, value) : float_string(r);
      });
    }
    if (kind != "Hard") return r.fail("a regression is Soft or Hard");
    static constexpr json::Field fields[]{{"metric"}, {"new"}, {"diff"}, {"limit"}};
    return json::record(r, "a regression", fields,
                        [&](std::size_t field) { return field == 0 ? metric() : metric_value(r, value); });
  });
}

bool summaries(Reader& r, Profile& out) {
  static constexpr json::Field fields[]{{"parts"}, {"total"}};
  return json::record(r, "summaries", fields, [&](std::size_t field) {
    if (field == 0) {
      return json::array(r, "an array of parts", [&](std::size_t) {
        static constexpr json::Field in_part[]{{"details"}, {"metrics_summary"}};
        return json::record(r, "a part", in_part, [&](std::size_t i) {
          return i == 0 ? sides(r, "details", [&](bool) { return part_info(r); }) : summary(r, nullptr);
        });
      });
    }
    static constexpr json::Field in_total[]{{"regressions"}, {"summary"}};
    return json::record(r, "a total", in_total, [&](std::size_t i) {
      if (i == 1) return summary(r, &out);
      return json::array(r, "an array of regressions", [&](std::size_t) { return regression(r); });
    });
  });
}

bool flamegraph(Reader& r) {
  static constexpr json::Field fields[]{
      {"event_kind"}, {"base_path", false}, {"diff_path", false}, {"regular_path", false}};
  std::string kind;
  return json::record(r, "a flamegraph", fields, [&](std::size_t field) {
    if (field > 0) return optional_string(r);
    return text(r, kind) && (find_key("Callgrind", kind) || r.fail("an unknown event"));
  });
}

bool profile_6(Reader& r, Profile& out) {
  static constexpr json::Field fields[]{{"flamegraphs"}, {"log_paths"}, {"out_paths"}, {"summaries"}, {"tool"}};
  return json::record(r, "a profile", fields, [&](std::size_t field) {
    switch (field) {
      case 0: return json::array(r, "an array of flamegraphs", [&](std::size_t) { return flamegraph(r); });
      case 1:
      case 2: return strings(r);
      case 3: return summaries(r, out);
      default:
        return one_of(r, out.tool, {"Callgrind", "Cachegrind", "DHAT", "Memcheck", "Helgrind", "DRD", "Massif", "BBV"});
    }
  });
}

bool document_6(Reader& r, Document& out) {
  static constexpr json::Field fields[]{{"baselines"},      {"benchmark_exe"}, {"benchmark_file"},
                                        {"details", false}, {"function_name"}, {"id", false},
                                        {"kind"},           {"module_path"},   {"package_dir"},
                                        {"profiles"},       {"project_root"},  {"summary_output", false},
                                        {"version"}};
  std::string module, id, word;
  const bool done = json::record(r, "a summary of Gungraun", fields, [&](std::size_t field) {
    switch (field) {
      case 0: {
        std::size_t count = 0;
        return json::array(r, "two baselines", [&](std::size_t) { return ++count <= 2 && optional_string(r); }) &&
               (count == 2 || r.fail("expected two baselines"));
      }
      case 3: return optional_string(r);
      case 5: return r.take_null() || text(r, id);
      case 6: return one_of(r, word, {"LibraryBenchmark", "BinaryBenchmark"});
      case 7: return text(r, module);
      case 9:
        return json::array(r, "an array of profiles",
                           [&](std::size_t) { return profile_6(r, out.profiles.emplace_back()); });
      case 11: {
        if (r.take_null()) return true;
        static constexpr json::Field in_output[]{{"format"}, {"path"}};
        return json::record(r, "the summary's output", in_output, [&](std::size_t i) {
          return i == 0 ? one_of(r, word, {"Json", "PrettyJson"}) : any_string(r);
        });
      }
      case 12: return one_of(r, word, {"6"});
      default: return any_string(r);
    }
  });
  out.name = id.empty() ? module : module + "::" + id;
  return done && r.finish();
}

bool has_metrics(Reader& r, const Document& document) {
  const auto& all = document.profiles;
  return std::any_of(all.begin(), all.end(), [](const Profile& p) { return !p.values.empty(); }) ||
         r.fail("it has no metrics");
}

/// Schema 7 and what follows it, as far as it keeps to {"profiles":[{"tool","data":{"total":{"metrics":{KEY:{"values":
/// {"new"}}}}}}]}.
bool document_7(Reader& r, Document& out) {
  static constexpr json::Field fields[]{{"id", false}, {"module_path"}, {"profiles"}, {"version"}};
  std::string module, id, version;
  const auto profile = [&](Profile& p) {
    static constexpr json::Field in_profile[]{{"tool"}, {"data"}};
    static constexpr json::Field in_data[]{{"total"}};
    static constexpr json::Field in_total[]{{"metrics", false}};
    static constexpr json::Field in_metric[]{{"values"}};
    static constexpr json::Field in_values[]{{"new", false}};
    return json::record(r, "a profile", in_profile, [&](std::size_t field) {
      if (field == 0) return text(r, p.tool);
      return json::record(r, "data", in_data, [&](std::size_t) {
        return json::record(r, "a total", in_total, [&](std::size_t) {
          if (r.peek() != '{') return r.skip();
          return json::object(r, "metrics", [&](std::string_view name) {
            const std::string key(name);
            return json::record(r, "a metric", in_metric, [&](std::size_t) {
              return json::record(r, "values", in_values, [&](std::size_t) {
                if (r.take_null()) return true;
                return r.number(p.values.emplace_back(Value{key, 0}).value);
              });
            });
          });
        });
      });
    });
  };
  const bool done = json::record(r, "a summary of Gungraun", fields, [&](std::size_t field) {
    switch (field) {
      case 0: return r.take_null() || text(r, id);
      case 1: return text(r, module);
      case 2:
        return json::array(r, "an array of profiles",
                           [&](std::size_t) { return profile(out.profiles.emplace_back()); });
      default: return text(r, version);
    }
  });
  out.name = id.empty() ? module : module + "::" + id;
  return done && (version != "6" || r.fail("not of schema 7 or later")) && has_metrics(r, out) && r.finish();
}

/// A count, or {"Int": count}, {"Float": number}.
bool count(Reader& r, double& out) {
  if (r.peek() != '{') return r.number(out);
  return variant(r, "a count", [&](std::string_view) { return r.number(out); });
}

/// {KEY: {"new": count}} of schemas 1 and 2, {KEY: {"metrics": {"Left": count}}} since. Parts of one run are added up.
bool counts(Reader& r, Profile& out) {
  if (r.peek() != '{') return r.skip();
  return json::object(r, "metrics", [&](std::string_view name) {
    const std::string key(name);
    const auto add = [&](double value) {
      const auto same =
          std::find_if(out.values.begin(), out.values.end(), [&](const Value& v) { return v.key == key; });
      // No tool has that many; all of them are looked through for each.
      constexpr std::size_t most = 256;
      if (same != out.values.end())
        same->value += value;
      else if (out.values.size() < most)
        out.values.push_back({key, value});
    };
    static constexpr json::Field fields[]{{"metrics", false}, {"new", false}};
    return json::record(r, "a metric", fields, [&](std::size_t field) {
      double value = 0;
      if (field == 1) {
        if (r.take_null()) return true;
        if (!r.number(value)) return false;
        add(value);
        return true;
      }
      return sides(r, "metrics", [&](bool is_new) {
        if (!count(r, value)) return false;
        if (is_new) add(value);
        return true;
      });
    });
  });
}

/// {"total": {"summary": …}}.
template <class Summary>
bool total_of(Reader& r, Summary&& summary) {
  static constexpr json::Field fields[]{{"total"}};
  static constexpr json::Field in_total[]{{"summary"}};
  return json::record(r, "summaries", fields, [&](std::size_t) {
    return json::record(r, "a total", in_total, [&](std::size_t) { return summary(); });
  });
}

/// An array with a part of the run in each, its counts in the field `name`.
bool parts(Reader& r, const char* name, Profile& out) {
  if (r.peek() != '[') return r.skip();
  const json::Field fields[]{{name}};
  return json::array(r, "an array of summaries", [&](std::size_t) {
    return json::record(r, "a summary", fields, [&](std::size_t) { return counts(r, out); });
  });
}

/// Schemas 1 to 3.
bool callgrind_summary(Reader& r, Document& out) {
  if (r.take_null()) return true;
  auto& profile = out.profiles.emplace_back();
  profile.tool = "Callgrind";
  static constexpr json::Field fields[]{{"callgrind_run", false}, {"summaries", false}};
  return json::record(r, "the summary of Callgrind", fields, [&](std::size_t field) {
    if (field == 1) return parts(r, "events", profile);
    return total_of(r, [&] { return counts(r, profile); });
  });
}
bool tool_summary(Reader& r, Profile& out) {
  static constexpr json::Field fields[]{{"tool"}, {"summaries", false}};
  return json::record(r, "the summary of a tool", fields, [&](std::size_t field) {
    return field == 0 ? text(r, out.tool) : parts(r, "costs_summary", out);
  });
}

/// Schemas 4 and 5.
bool profile_5(Reader& r, Profile& out) {
  static constexpr json::Field fields[]{{"tool"}, {"summaries"}};
  return json::record(r, "a profile", fields, [&](std::size_t field) {
    if (field == 0) return text(r, out.tool);
    return total_of(r, [&] {
      if (r.peek() != '{') return r.skip();
      return variant(r, "a summary", [&](std::string_view kind) {
        out.kind = kind;
        return counts(r, out);
      });
    });
  });
}

bool document_before_6(Reader& r, Document& out) {
  static constexpr json::Field fields[]{{"id", false},       {"module_path"},           {"callgrind_summary", false},
                                        {"profiles", false}, {"tool_summaries", false}, {"version"}};
  std::string module, id, version;
  const bool done = json::record(r, "a summary of iai-callgrind", fields, [&](std::size_t field) {
    switch (field) {
      case 0: return r.take_null() || text(r, id);
      case 1: return text(r, module);
      case 2: return callgrind_summary(r, out);
      case 3:
        return json::array(r, "an array of profiles",
                           [&](std::size_t) { return profile_5(r, out.profiles.emplace_back()); });
      case 4:
        return json::array(r, "an array of summaries",
                           [&](std::size_t) { return tool_summary(r, out.profiles.emplace_back()); });
      default: return one_of(r, version, {"1", "2", "3", "4", "5"});
    }
  });
  out.name = id.empty() ? module : module + "::" + id;
  return done && has_metrics(r, out) && r.finish();
}

void add(Builder& out, const Document& document) {
  if (document.name.empty() || document.name.size() > 1024) return;
  out.benchmark(document.name);
  for (const auto& profile : document.profiles) {
    GungraunTool tool{};
    const bool known = gungraun_tool(profile.kind.empty() || profile.kind == "ErrorTool" ? profile.tool
                                     : profile.kind == "Dhat"                            ? "DHAT"
                                                                                         : profile.kind,
                                     tool);
    if (profile.kind == "ErrorTool" &&
        (!known || tool == GungraunTool::callgrind || tool == GungraunTool::cachegrind || tool == GungraunTool::dhat))
      continue;
    for (const auto& [key, value] : profile.values) {
      const GungraunMeasure* found = nullptr;
      if (known)
        for (const auto& m : gungraun_measures(tool))
          if (!m.key.empty() && m.key == key) found = &m;
      // Other tools than Callgrind had labels for keys at first.
      if (known && !found)
        for (const auto& m : gungraun_measures(tool))
          if (m.label == key) found = &m;
      if (found)
        out.metric(out.measure(found->slug), {value, {}, {}});
      else
        out.extra(key, value);
    }
  }
}

std::string_view without_spaces(std::string_view line) {
  const auto first = line.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(' ') - first + 1);
}

std::size_t indent(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

/// For each line `{` where the next line `}` of its indent ends, or npos; the last one first.
std::vector<std::size_t> closes(std::string_view text) {
  std::vector<std::size_t> out;
  std::map<std::size_t, std::size_t> next;
  for (auto end = text.size(); end != std::string_view::npos;) {
    const void* found_feed = end > 0 ? ::memrchr(text.data(), '\n', end) : nullptr;
    const auto feed = found_feed ? static_cast<std::size_t>(static_cast<const char*>(found_feed) - text.data())
                                 : std::string_view::npos;
    const auto line = text.substr(feed + 1, end - (feed + 1));
    const auto content = without_spaces(line);
    if (content == "}") next[indent(line)] = end;
    if (content == "{") {
      const auto found = next.find(indent(line));
      out.push_back(found == next.end() ? std::string_view::npos : found->second);
    }
    end = feed;
  }
  return out;
}

template <bool strict>
Result<void> read_documents(std::string_view text, Builder& out) {
  std::string plain;
  if (has_controls(text)) text = plain = strip_controls(text);
  auto ends = closes(text);
  std::size_t read = 0, number = 0;
  std::string why;
  const auto document = [&](std::string_view whole) {
    Reader r(whole);
    Document found;
    bool is_read = strict ? document_6(r, found) : document_7(r, found);
    if (!strict && !is_read) {
      Reader again(whole);
      found = {};
      is_read = document_before_6(again, found);
    }
    if (is_read) {
      add(out, found);
      ++read;
    } else if (why.empty()) {
      why = fmt::format("the document at line {}: {}", number, r.where_and_why());
    }
  };
  for (std::size_t from = 0; from < text.size();) {
    ++number;
    auto end = std::min(text.find('\n', from), text.size());
    const auto content = without_spaces(text.substr(from, end - from));
    if (content == "{") {
      const auto close = ends.back();
      ends.pop_back();
      if (close != std::string_view::npos) {
        const auto whole = text.substr(from, close - from);
        document(whole);
        // Lines that are within it.
        for (auto feed = whole.find('\n'); feed != std::string_view::npos; feed = whole.find('\n', feed + 1)) {
          ++number;
          const auto line = whole.substr(feed + 1, std::min(whole.find('\n', feed + 1), whole.size()) - (feed + 1));
          if (without_spaces(line) == "{") ends.pop_back();
        }
        end = close;
      }
    } else if (content.size() > 1 && content.front() == '{' && content.back() == '}') {
      document(text.substr(from, end - from));
    }
    from = end + 1;
  }
  if (read > 0) return {};
  if (why.empty())
    return Error(Errc::invalid_argument, number == 1 ? "the one line does not begin a JSON summary"
                                                     : fmt::format("none of {} lines begins a JSON summary", number));
  return Error(Errc::invalid_argument, why);
}

}  // namespace

Result<void> read_gungraun_json(std::string_view text, Builder& out) {
  return read_documents<true>(text, out);
}

Result<void> read_gungraun_json_extended(std::string_view text, Builder& out) {
  return read_documents<false>(text, out);
}

}  // namespace bencher::adapter
