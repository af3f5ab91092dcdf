#include "bencher/runner/job.hpp"

#include <algorithm>
#include <cmath>
#include <simdjson.h>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bencher/base/encoding.hpp"

namespace bencher::runner {

namespace json = boost::json;

namespace {

using simdjson::dom::element;

constexpr std::size_t claim_limit = 8u << 20;
constexpr std::string_view cut_mark = "\n[bencher: cut here, it is too large to send]\n";

Error wrong(const std::string& field, const std::string& what) {
  return Error(Errc::invalid_argument, "the job's " + field + " " + what);
}

// Reads members of one object; the first mistake stays.
class Reader {
 public:
  Reader(element object, std::string name) : object_(object), name_(std::move(name)) {}

  bool find(const char* key, element& out) const { return !object_[key].get(out) && !out.is_null(); }

  std::string text(const char* key, bool required = false) {
    element value;
    std::string_view out;
    if (!find(key, value)) {
      if (required) fail(key, "is missing");
      return {};
    }
    if (value.get(out)) fail(key, "is not a string");
    return std::string(out);
  }
  std::uint64_t number(const char* key, std::uint64_t otherwise, std::uint64_t most, bool required = false) {
    element value;
    std::uint64_t out = otherwise;
    if (!find(key, value)) {
      if (required) fail(key, "is missing");
    } else if (value.get(out) || out > most) {
      fail(key, "is not a number from 0 to " + std::to_string(most));
    }
    return out;
  }
  bool flag(const char* key) {
    element value;
    bool out = false;
    if (find(key, value) && value.get(out)) fail(key, "is neither true nor false");
    return out;
  }
  std::optional<std::vector<std::string>> texts(const char* key) {
    element value;
    if (!find(key, value)) return std::nullopt;
    std::vector<std::string> out;
    simdjson::dom::array array;
    if (value.get(array)) {
      fail(key, "is not an array");
      return out;
    }
    for (const auto item : array) {
      std::string_view text;
      if (item.get(text)) fail(key, "holds something else than strings");
      out.emplace_back(text);
    }
    return out;
  }
  std::vector<std::pair<std::string, std::string>> pairs(const char* key) {
    std::vector<std::pair<std::string, std::string>> out;
    element value;
    if (!find(key, value)) return out;
    simdjson::dom::object object;
    if (value.get(object)) {
      fail(key, "is not an object");
      return out;
    }
    for (const auto& [name, item] : object) {
      std::string_view text;
      if (item.get(text)) fail(key, "holds something else than strings");
      out.emplace_back(std::string(name), std::string(text));
    }
    return out;
  }

  void fail(const std::string& key, const std::string& what) {
    if (!error_) error_ = wrong(name_ + "'" + key + "'", what);
  }
  Result<void> done() const {
    if (error_) return *error_;
    return {};
  }

 private:
  element object_;
  std::string name_;
  std::optional<Error> error_;
};

json::array to_json(const std::vector<Iteration>& iterations) {
  json::array out;
  for (const auto& iteration : iterations) {
    json::object one;
    one["exit_code"] = iteration.exit_code;
    if (!iteration.standard_output.empty()) one["stdout"] = to_valid_utf8(iteration.standard_output);
    if (!iteration.standard_error.empty()) one["stderr"] = to_valid_utf8(iteration.standard_error);
    if (!iteration.output.empty()) {
      json::object files;
      for (const auto& [path, text] : iteration.output)
        files[to_valid_utf8(path)] = to_valid_utf8(text);
      one["output"] = std::move(files);
    }
    out.push_back(std::move(one));
  }
  return out;
}

// Bytes of a text within a JSON string; a byte that may become U+FFFD counts as such.
std::size_t cost(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') return 2;
  if (byte == '\n' || byte == '\r' || byte == '\t' || byte == '\b' || byte == '\f') return 2;
  if (byte < 0x20) return 6;
  return byte < 0x80 ? 1 : 3;
}
std::size_t cost(const std::string& text) {
  std::size_t out = 0;
  for (const char c : text)
    out += cost(c);
  return out;
}

void cut(std::string& text, std::size_t most) {
  std::size_t used = 0, at = 0;
  while (at < text.size() && used + cost(text[at]) <= most)
    used += cost(text[at++]);
  if (at == text.size()) return;
  // Not within a character.
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80)
    --at;
  text.resize(at);
  text += cut_mark;
}

std::string basename(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

Result<std::optional<ClaimedJob>> parse_claim(std::string_view text) {
  if (text.size() > claim_limit)
    return Error(Errc::too_large, "the job is over " + std::to_string(claim_limit) + " bytes");
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root))
    return Error(Errc::invalid_argument, std::string("the job is not valid JSON: ") + simdjson::error_message(error));
  if (root.is_null()) return std::optional<ClaimedJob>();
  element spec, config;
  if (root["spec"].get(spec) || !spec.is_object()) return wrong("'spec'", "is missing");
  if (root["config"].get(config) || !config.is_object()) return wrong("'config'", "is missing");

  Reader top(root, ""), machine(spec, "spec "), what(config, "config ");
  auto digest = Digest::parse(what.text("digest", true));
  if (!digest) return std::move(digest).error().within("the job's config 'digest'");
  ClaimedJob job{.uuid = top.text("uuid", true),
                 .sandbox = {},
                 .architecture = machine.text("architecture"),
                 .cpu = static_cast<std::uint32_t>(machine.number("cpu", 1, INT32_MAX, true)),
                 .memory = machine.number("memory", 0, INT64_MAX, true),
                 .disk = machine.number("disk", 0, INT64_MAX, true),
                 .network = machine.flag("network"),
                 .registry = what.text("registry", true),
                 .project = what.text("project", true),
                 .digest = *std::move(digest),
                 .image = what.text("image"),
                 .entrypoint = what.texts("entrypoint"),
                 .cmd = what.texts("cmd"),
                 .env = what.pairs("env"),
                 .timeout = std::chrono::seconds(what.number("timeout", 0, INT32_MAX, true)),
                 .file_paths = what.texts("file_paths").value_or(std::vector<std::string>()),
                 .build_time = what.flag("build_time"),
                 .file_size = what.flag("file_size"),
                 .iterations = static_cast<std::uint32_t>(what.number("iter", 1, UINT32_MAX)),
                 .allow_failure = what.flag("allow_failure"),
                 .oci_token = top.text("oci_token", true)};
  if (const auto sandbox = machine.text("sandbox"); !sandbox.empty()) job.sandbox = sandbox;
  // The UUID becomes part of paths and URLs.
  if (job.uuid.empty() || job.uuid.size() > 64 ||
      job.uuid.find_first_not_of("0123456789abcdefABCDEF-") != std::string::npos)
    top.fail("uuid", "is not a UUID");
  if (job.project.empty() || job.project.find_first_of("?#%\\ \r\n") != std::string::npos)
    what.fail("project", "is not a repository's name");
  BENCHER_DO(top.done());
  BENCHER_DO(machine.done());
  BENCHER_DO(what.done());
  return std::optional<ClaimedJob>(std::move(job));
}

std::vector<std::string> command_of(const ClaimedJob& job, const ImageConfig& image) {
  std::vector<std::string> out = job.entrypoint ? *job.entrypoint : image.entrypoint;
  const std::vector<std::string> none;
  const auto& cmd = job.cmd ? *job.cmd : job.entrypoint ? none : image.cmd;
  out.insert(out.end(), cmd.begin(), cmd.end());
  return out;
}

std::vector<std::pair<std::string, std::string>> env_of(const ClaimedJob& job, const ImageConfig& image) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto set = [&](const std::string& key, const std::string& value) {
    if (key.empty()) return;
    const auto there = std::find_if(out.begin(), out.end(), [&](const auto& pair) { return pair.first == key; });
    if (there == out.end())
      out.emplace_back(key, value);
    else
      there->second = value;
  };
  for (const auto& variable : image.env) {
    const auto equals = variable.find('=');
    set(variable.substr(0, equals), equals == std::string::npos ? "" : variable.substr(equals + 1));
  }
  for (const auto& [key, value] : job.env)
    set(key, value);
  return out;
}

std::map<std::string, std::string> measured(const ClaimedJob& job, const std::map<std::string, std::string>& files,
                                            std::chrono::microseconds wall) {
  if (!job.build_time && !job.file_size) return files;
  std::map<std::string, std::map<std::string, std::string>> metrics;
  if (job.build_time) {
    std::string name;
    for (const auto* words : {&job.entrypoint, &job.cmd})
      for (const auto& word : words->value_or(std::vector<std::string>()))
        name += (name.empty() ? "" : " ") + word;
    if (name.empty()) name = job.image;
    if (name.empty()) name = job.project + "@" + job.digest.str();
    metrics[name]["build-time"] = fmt::format("{:.2f}", static_cast<double>(wall.count()) / 1e6);
  }
  if (job.file_size) {
    for (const auto& [path, text] : files)
      metrics[basename(path)]["file-size"] = std::to_string(text.size());
  }
  if (metrics.empty()) return {};
  std::string out = "{";
  for (const auto& [name, measures] : metrics) {
    out += (out.size() > 1 ? "," : "") + json::serialize(to_valid_utf8(name)) + ":{";
    bool first = true;
    for (const auto& [measure, value] : measures) {
      out += (first ? "" : ",") + json::serialize(measure) + ":{\"value\":" + value +
             ",\"lower_value\":null,\"upper_value\":null}";
      first = false;
    }
    out += "}";
  }
  return {{std::string("\0bencher", 8), out + "}"}};
}

bool fit(std::vector<Iteration>& iterations, std::size_t bytes) {
  struct Text {
    std::string* text;
    std::size_t cost;
  };
  std::vector<Text> texts;
  std::size_t total = 0;
  for (auto& iteration : iterations) {
    total += 64;
    for (auto* text : {&iteration.standard_output, &iteration.standard_error})
      texts.push_back({text, cost(*text)});
    for (auto& [path, text] : iteration.output) {
      total += cost(path) + 8;
      texts.push_back({&text, cost(text)});
    }
  }
  std::size_t all = total;
  for (const auto& text : texts)
    all += text.cost;
  if (all <= bytes) return false;
  // The shortest keep all of theirs; what they leave is shared by the rest.
  std::sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) { return a.cost < b.cost; });
  std::size_t left = bytes > total ? bytes - total : 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t share = left / (texts.size() - i);
    if (texts[i].cost > share) {
      cut(*texts[i].text, share > cost(std::string(cut_mark)) ? share - cost(std::string(cut_mark)) : 0);
      left -= share;
    } else {
      left -= texts[i].cost;
    }
  }
  return true;
}

std::string event_message(std::string_view event, const std::string& job) {
  return json::serialize(json::object{{"event", event}, {"job", job}});
}

std::string host_message(const std::string& job, const std::string& host) {
  return "{\"event\":\"heartbeat\",\"job\":" + json::serialize(json::string(job)) + ",\"host\":" + host + "}";
}

std::string stage_message(const std::string& job, std::string_view stage) {
  return json::serialize(json::object{{"event", "heartbeat"}, {"job", job}, {"stage", stage}});
}

std::string completed_message(const std::string& job, const std::vector<Iteration>& iterations) {
  return json::serialize(json::object{{"event", "completed"}, {"job", job}, {"results", to_json(iterations)}});
}

std::string failed_message(const std::string& job, const std::vector<Iteration>& iterations, const std::string& error) {
  return json::serialize(json::object{
      {"event", "failed"}, {"job", job}, {"results", to_json(iterations)}, {"error", to_valid_utf8(error)}});
}

std::string completed_uploaded_message(const std::string& job) {
  return json::serialize(json::object{{"event", "completed"}, {"job", job}, {"uploaded", true}});
}

std::string failed_uploaded_message(const std::string& job, const std::string& error) {
  return json::serialize(
      json::object{{"event", "failed"}, {"job", job}, {"uploaded", true}, {"error", to_valid_utf8(error)}});
}

std::string log_message(const std::string& job, std::uint32_t iteration, bool standard_error, std::uint64_t offset,
                        const std::string& data) {
  return json::serialize(json::object{{"event", "log"},
                                      {"job", job},
                                      {"iteration", iteration},
                                      {"stream", standard_error ? "stderr" : "stdout"},
                                      {"offset", offset},
                                      {"data", data}});
}

std::string patch_running() {
  return R"({"status":"running"})";
}

std::string patch_completed(const std::vector<Iteration>& iterations) {
  return json::serialize(json::object{{"status", "completed"}, {"results", to_json(iterations)}});
}

std::string patch_failed(const std::vector<Iteration>& iterations, const std::string& error) {
  return json::serialize(
      json::object{{"status", "failed"}, {"results", to_json(iterations)}, {"error", to_valid_utf8(error)}});
}

namespace {

std::string member(std::string_view text, const char* key) {
  simdjson::dom::parser parser;
  std::string_view out;
  if (text.size() > claim_limit || parser.parse(text.data(), text.size())[key].get(out)) return {};
  return std::string(out);
}

}  // namespace

ServerEvent parse_server_event(std::string_view text) {
  const auto event = member(text, "event");
  if (event == "ack") return ServerEvent::ack;
  if (event == "cancel") return ServerEvent::cancel;
  if (event == "job") return ServerEvent::job;
  if (event == "no_job") return ServerEvent::no_job;
  if (event == "update") return ServerEvent::update;
  return ServerEvent::other;
}

std::string parse_job_uuid(std::string_view text) {
  auto uuid = member(text, "uuid");
  return uuid.empty() ? member(text, "job") : uuid;
}

std::string parse_update_version(std::string_view text) {
  return member(text, "version");
}

std::string ready_message(std::chrono::seconds poll_timeout, const std::optional<RunnerVersion>& runner) {
  json::object out{{"event", "ready"}, {"poll_timeout", poll_timeout.count()}};
  if (runner) out["runner"] = json::object{{"os", runner->os}, {"arch", runner->arch}, {"version", runner->version}};
  return json::serialize(out);
}

std::string parse_patch_status(std::string_view text) {
  return member(text, "status");
}

std::string Utf8Stream::feed(std::string_view bytes) {
  rest_ += bytes;
  // A character that has begun in the last three bytes and is not yet whole waits.
  std::size_t keep = 0;
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, rest_.size()); ++back) {
    const auto byte = static_cast<unsigned char>(rest_[rest_.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (length > back) keep = back;
    break;
  }
  std::string out = to_valid_utf8(std::string_view(rest_).substr(0, rest_.size() - keep));
  rest_.erase(0, rest_.size() - keep);
  return out;
}

std::string Utf8Stream::finish() {
  std::string out = to_valid_utf8(rest_);
  rest_.clear();
  return out;
}

}  // namespace bencher::runner
