// The real server and the real runner on the loopback, with an admin and what a test needs of API calls.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bencher/client/http.hpp"

#include "tests/support/image.hpp"
#include "tests/support/process.hpp"

namespace bencher::test {

namespace json = boost::json;

struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string text;
  json::value body;  ///< null when the text is no JSON

  /// All headers of that lower-case name, joined; nothing without one.
  std::optional<std::string> header(std::string_view name) const {
    std::optional<std::string> out;
    for (const auto& [key, value] : headers)
      if (key == name) out = out ? *out + ", " + value : value;
    return out;
  }
  const json::value& at(std::string_view pointer) const { return body.at_pointer(pointer); }
  /// The string at a JSON pointer.
  std::string str(std::string_view pointer) const { return std::string(at(pointer).as_string()); }
};

/// One connection to a server's API.
class ApiClient {
 public:
  ApiClient(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

  struct Options {
    std::optional<std::string> token = std::nullopt;  ///< in place of the client's; empty: none
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers = {};
  };
  Reply send(const std::string& method, const std::string& path, const std::string& body, const Options& options) {
    client::HttpRequest request;
    request.method = method;
    request.url = path.starts_with("http") ? path : url_ + path;
    request.body = body;
    request.total_timeout = std::chrono::seconds(40);
    const auto& token = options.token ? *options.token : token_;
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    if (!body.empty() && !options.content_type.empty())
      request.headers.emplace_back("Content-Type", options.content_type);
    for (const auto& header : options.headers)
      request.headers.push_back(header);
    auto answer = http_.send(request);
    if (!answer) throw std::runtime_error(method + " " + path + ": " + answer.error().message());
    Reply reply{answer->status, std::move(answer->headers), std::move(answer->body), nullptr};
    boost::system::error_code ec;
    auto parsed = json::parse(reply.text, ec);
    if (!ec) reply.body = std::move(parsed);
    return reply;
  }
  Reply send(const std::string& method, const std::string& path, const std::string& body = {}) {
    return send(method, path, body, Options());
  }
  Reply get(const std::string& path) { return send("GET", path); }
  Reply post(const std::string& path, const json::value& body) { return send("POST", path, json::serialize(body)); }
  Reply patch(const std::string& path, const json::value& body) { return send("PATCH", path, json::serialize(body)); }
  Reply put(const std::string& path, const json::value& body) { return send("PUT", path, json::serialize(body)); }
  Reply del(const std::string& path) { return send("DELETE", path); }

  const std::string& url() const { return url_; }
  const std::string& token() const { return token_; }

 private:
  std::string url_;
  std::string token_;
  client::HttpClient http_;
};

/// `bencher-server` on a data folder of its own, on a free port.
class ServerProcess {
 public:
  explicit ServerProcess(std::string config = {}) : config_(std::move(config)) { start(); }

  /// Starts it again, on the same data and port, after it has ended.
  void start() {
    ChildProcess::Env env;
    if (!config_.empty()) env["BENCHER_CONFIG"] = config_;
    process_.reset();
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{std::string(BENCHER_BIN_DIR) + "/bencher-server", "--data", (dir_ / "data").string(),
                                 "--listen", fmt::format("127.0.0.1:{}", port_)},
        env);
    const auto line = process_->line("bencher-server listens on ");
    // Kept from the first start on, when others may be reading it.
    if (port_ == 0) port_ = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }
  int stop(int signal = SIGTERM) {
    process_->signal(signal);
    return process_->wait();
  }
  ChildProcess& process() { return *process_; }
  std::filesystem::path data() const { return dir_ / "data"; }
  std::uint16_t port() const { return port_; }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  /// As the registry calls itself.
  std::string registry() const { return fmt::format("localhost:{}", port_); }

  ApiClient client(std::string token = {}) const { return {url(), std::move(token)}; }

  /// The confirmation token that the log holds for that address.
  std::string mailed_token(const std::string& email, std::size_t skip = 0) {
    const auto line = process_->line(
        [&](const std::string& text) {
          return text.find("<" + email + ">") != std::string::npos && text.find("Token: ") != std::string::npos;
        },
        skip);
    const auto message = std::string(json::parse(line).at("message").as_string());
    const std::string mark = "Confirmation Token: ";
    return message.substr(message.rfind(mark) + mark.size());
  }
  /// Signs up and confirms; the session's token.
  std::string sign_up(const std::string& name, const std::string& email) {
    auto anyone = client();
    const auto skip = process_->line_count();
    const auto signed_up = anyone.post("/v0/auth/signup", {{"name", name}, {"email", email}, {"i_agree", true}});
    if (signed_up.status != 202) throw std::runtime_error("signup: " + signed_up.text);
    const auto confirmed = anyone.post("/v0/auth/confirm", {{"token", mailed_token(email, skip)}});
    if (confirmed.status != 200) throw std::runtime_error("confirm: " + confirmed.text);
    return confirmed.str("/token");
  }

 private:
  TempDir dir_;
  std::string config_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

inline std::string base64(std::string_view text) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= text.size() ? digits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

/// Something that a program of a job waits for: it reads a line from `path`. At the end all who still wait see the end.
class Gate {
 public:
  explicit Gate(const std::filesystem::path& path) : path_(path.string()) {
    if (mkfifo(path_.c_str(), 0666) != 0) throw std::runtime_error("cannot make " + path_);
    // Open for both, so that neither side waits for the other to open it.
    fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~Gate() { close(fd_); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  const std::string& path() const { return path_; }
  void let_through() const {
    if (write(fd_, "opened\n", 7) != 7) throw std::runtime_error("cannot write " + path_);
  }

 private:
  std::string path_;
  int fd_ = -1;
};

/// A server with an admin, the admin's project `bench`, and a key for the registry.
class World {
 public:
  explicit World(const std::string& config = {})
      : server(config), admin(server.client(server.sign_up("Ada Admin", "ada@example.com"))) {
    must(admin.post("/v0/organizations/ada-admin/projects", {{"name", "Bench"}, {"slug", "bench"}}), 201);
    user_key = must(admin.post("/v0/users/ada-admin/keys", {{"name", "push"}}), 201).str("/key");
  }

  static Reply must(Reply reply, int status) {
    if (reply.status != status)
      throw std::runtime_error(fmt::format("expected {}, got {}: {}", status, reply.status, reply.text));
    return reply;
  }

  /// A spec, a runner that has it, and the runner's key. Without a sandbox the runner's own choice holds.
  void add_runner(const std::string& name = "runner-one", const std::string& sandbox = {}) {
    if (admin.get("/v0/specs/small").status == 404) {
      json::object spec{{"name", "Small"}, {"slug", "small"},     {"os", "linux"},     {"architecture", "x86_64"},
                        {"cpu", 1},        {"memory", 268435456}, {"disk", 268435456}, {"fallback", true}};
      if (!sandbox.empty()) spec["sandbox"] = sandbox;
      must(admin.post("/v0/specs", spec), 201);
    }
    runner_keys[name] = must(admin.post("/v0/runners", {{"name", name}, {"slug", name}}), 201).str("/key");
    must(admin.post("/v0/runners/" + name + "/specs", {{"spec", "small"}}), 201);
  }
  std::unique_ptr<ChildProcess> start_runner(const std::string& name = "runner-one",
                                             const std::string& sandbox = "process",
                                             const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{std::string(BENCHER_BIN_DIR) + "/bencher-runner",
                                     "up",
                                     "--host",
                                     server.url(),
                                     "--runner",
                                     name,
                                     "--sandbox",
                                     sandbox,
                                     "--no-tuning",
                                     "--work-dir",
                                     (dir / ("work-" + name)).string()};
    if (std::find(more.begin(), more.end(), "--cache-dir") == more.end())
      command.insert(command.end(), {"--cache-dir", (dir / "cache").string()});
    command.insert(command.end(), more.begin(), more.end());
    return std::make_unique<ChildProcess>(command, ChildProcess::Env{{"BENCHER_RUNNER_KEY", runner_keys.at(name)}});
  }

  /// A token for the registry, for the admin's user key.
  std::string registry_token(const std::string& scope) {
    ApiClient::Options options;
    options.token = "";
    options.headers = {{"Authorization", "Basic " + base64("ada@example.com:" + user_key)}};
    return must(admin.send("GET", "/v0/auth/oci/token?service=" + server.registry() + "&scope=" + scope, "", options),
                200)
        .str("/token");
  }
  /// Pushes an image of busybox and these files; `config` is what is within its "config".
  std::string push(const std::string& tag, const std::string& config, const std::string& project = "bench") {
    Tar tar;
    tar.folder("bin").file("bin/busybox", read_file(busybox()), 0755);
    for (const char* applet : {"sh", "sleep", "cat", "head", "kill", "seq", "touch", "mkfifo", "echo"})
      tar.link(std::string("bin/") + applet, "busybox");
    tar.folder("tmp", 01777);
    const auto name = "image-" + std::to_string(++images_);
    Layout layout(dir / name);
    const auto digest = layout.image({tar.str()}, config);
    ApiClient::Options options;
    options.token = registry_token("repository:" + project + ":pull,push");
    options.content_type = "application/octet-stream";
    for (const auto& entry : std::filesystem::directory_iterator(layout.path() / "blobs" / "sha256")) {
      const auto blob = "sha256:" + entry.path().filename().string();
      if (blob == digest.str()) continue;
      must(admin.send("POST", "/v2/" + project + "/blobs/uploads/?digest=" + blob, read_file(entry.path()), options),
           201);
    }
    options.content_type = "application/vnd.oci.image.manifest.v1+json";
    must(admin.send("PUT", "/v2/" + project + "/manifests/" + tag, read_file(layout.blob_path(digest)), options), 201);
    return digest.str();
  }
  /// An image that runs a shell script.
  std::string push_script(const std::string& tag, const std::string& script, const std::string& more = {}) {
    return push(tag,
                R"("Entrypoint":["/bin/sh","-c"],"Env":["PATH=/bin"],"Cmd":[)" + json::serialize(script) + "]" + more);
  }
  static std::string busybox() {
    for (const char* path : {"/bin/busybox", "/usr/bin/busybox"})
      if (std::filesystem::exists(path)) return path;
    throw std::runtime_error("busybox is missing; install busybox-static");
  }

  /// Submits a run of that image; `more` goes into its job. The report.
  Reply run_image(const std::string& image, const json::object& more = {}, const json::object& run = {}) {
    json::object job{{"image", image}};
    for (const auto& member : more)
      job[member.key()] = member.value();
    json::object body{{"project", "bench"},
                      {"branch", "main"},
                      {"testbed", "lab"},
                      {"start_time", "2024-07-11T06:23:00Z"},
                      {"end_time", "2024-07-11T06:23:10Z"},
                      {"results", json::array()},
                      {"job", std::move(job)}};
    for (const auto& member : run)
      body[member.key()] = member.value();
    return admin.post("/v0/run", body);
  }
  /// Follows a job's stream to its end, or to the first line that `until` takes. All lines that came.
  std::vector<json::object> follow(const std::string& job, const std::function<bool(const json::object&)>& until = {},
                                   std::optional<std::uint64_t> after = {}, const std::string& project = "bench",
                                   const std::string& token = "\n") {
    std::vector<json::object> lines;
    client::HttpClient http;
    client::HttpRequest request;
    request.url = fmt::format("{}/v0/projects/{}/jobs/{}/output/stream{}", server.url(), project, job,
                              after ? fmt::format("?after={}", *after) : "");
    const auto& credential = token == "\n" ? admin.token() : token;
    if (!credential.empty()) request.headers.emplace_back("Authorization", "Bearer " + credential);
    request.total_timeout = std::chrono::seconds(30);
    std::string rest;
    bool stopped = false;
    request.on_data = [&](std::string_view data) {
      rest += data;
      for (auto end = rest.find('\n'); end != std::string::npos && !stopped; end = rest.find('\n')) {
        auto line = json::parse(rest.substr(0, end)).as_object();
        rest.erase(0, end + 1);
        if (line.at("event") == "ping") continue;
        stopped = until && until(line);
        lines.push_back(std::move(line));
      }
      return !stopped;
    };
    auto answer = http.send(request);
    if (!stopped && (!answer || answer->status != 200))
      throw std::runtime_error("stream: " + (answer ? answer->body : answer.error().message()));
    return lines;
  }
  /// Waits for the end of a job, by its stream; the job as the API shows it.
  Reply ended(const std::string& job) {
    follow(job);
    return admin.get("/v0/projects/bench/jobs/" + job);
  }
  static std::string output_of(const std::vector<json::object>& lines, std::string_view stream = "stdout") {
    std::string out;
    for (const auto& line : lines)
      if (line.at("event") == "log" && std::string_view(line.at("stream").as_string()) == stream)
        out += std::string(line.at("data").as_string());
    return out;
  }

  TempDir dir;
  ServerProcess server;
  ApiClient admin;
  std::string user_key;
  std::map<std::string, std::string> runner_keys;

 private:
  int images_ = 0;
};

}  // namespace bencher::test
