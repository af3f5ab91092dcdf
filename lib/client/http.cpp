#include "bencher/client/http.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <curl/curl.h>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace bencher::client {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
using SteadyClock = std::chrono::steady_clock;

// Of one answer, all lines together; a server cannot make us hold more.
constexpr std::size_t header_limit = 256 * 1024;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  return text;
}

std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void init_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct UrlParts {
  std::string scheme, host, port;
  bool operator==(const UrlParts&) const = default;
};

class Url {
 public:
  Url() : handle_(curl_url()) {
    if (!handle_) throw std::bad_alloc();
  }
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  /// Absolute the first time; later also relative to what it holds.
  bool set(const std::string& text) { return curl_url_set(handle_, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK; }
  std::string part(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, part, &text, flags) != CURLUE_OK) return {};
    std::string out(text);
    curl_free(text);
    return out;
  }
  UrlParts origin() const {
    return {lower(part(CURLUPART_SCHEME)), lower(part(CURLUPART_HOST)), part(CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  }

 private:
  CURLU* handle_;
};

struct Slist {
  curl_slist* list = nullptr;
  ~Slist() { curl_slist_free_all(list); }
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    if (!longer) throw std::bad_alloc();
    list = longer;
  }
};

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return lower(h.first) == name; });
}

}  // namespace

const std::string* HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return &value;
  return nullptr;
}

struct HttpClient::Impl {
  explicit Impl(HttpOptions given) : options(std::move(given)) {
    init_curl();
    multi = curl_multi_init();
    easy = curl_easy_init();
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!multi || !easy || wake < 0) {
      release();
      throw std::runtime_error("cannot set up an HTTP client");
    }
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 8L);
  }
  ~Impl() { release(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void release() noexcept {
    if (easy) curl_easy_cleanup(easy);
    if (multi) curl_multi_cleanup(multi);
    if (wake >= 0) close(wake);
  }

  // What one transfer collects. The callbacks are C: an exception waits here until curl has returned.
  struct Transfer {
    Impl& owner;
    const HttpRequest& request;
    HttpResponse response;
    std::size_t header_bytes = 0;
    bool too_large = false;
    bool stopped = false;  // by on_data
    bool has_data = false;
    std::exception_ptr exception;
    int body_fd = -1;
    off_t body_size = 0, body_at = 0;

    ~Transfer() {
      if (body_fd >= 0) close(body_fd);
    }
    bool open_body() {
      body_fd = open(request.body_file.c_str(), O_RDONLY | O_CLOEXEC);
      body_size = body_fd < 0 ? 0 : lseek(body_fd, 0, SEEK_END);
      return body_fd >= 0 && body_size >= 0;
    }

    void header_line(std::string_view line) {
      if (line.starts_with("HTTP/")) {
        response.headers.clear();  // of a 1xx before it
        return;
      }
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) return;
      response.headers.emplace_back(lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
    }
  };

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t bytes = size * count;
    transfer.header_bytes += bytes;
    if (transfer.header_bytes > header_limit) {
      transfer.too_large = true;
      return 0;
    }
    try {
      transfer.header_line({data, bytes});
    } catch (...) {
      transfer.exception = std::current_exception();
      return 0;
    }
    return bytes;
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t bytes = size * count;
    if (bytes == 0) return 0;
    try {
      long status = 0;
      curl_easy_getinfo(transfer.owner.easy, CURLINFO_RESPONSE_CODE, &status);
      if (transfer.request.on_data && status >= 200 && status < 300) {
        const bool first = std::exchange(transfer.has_data, true) == false;
        transfer.response.status = static_cast<int>(status);
        if ((first && transfer.request.on_response && !transfer.request.on_response(transfer.response)) ||
            !transfer.request.on_data({data, bytes})) {
          transfer.stopped = true;
          return 0;
        }
        return bytes;
      }
      if (transfer.response.body.size() + bytes > transfer.request.max_body) {
        transfer.too_large = true;
        return 0;
      }
      transfer.response.body.append(data, bytes);
    } catch (...) {
      transfer.exception = std::current_exception();
      return 0;
    }
    return bytes;
  }

  static std::size_t on_send(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto got = pread(transfer.body_fd, data, size * count, transfer.body_at);
    if (got < 0) return CURL_READFUNC_ABORT;
    transfer.body_at += got;
    return static_cast<std::size_t>(got);
  }

  static int on_rewind(void* self, curl_off_t offset, int origin) {
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Transfer*>(self)->body_at = offset;
    return CURL_SEEKFUNC_OK;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Impl*>(self)->cancelled.load() ? 1 : 0;
  }

  void configure(const HttpRequest& request, const std::string& url, const Slist& headers, Transfer& transfer,
                 std::optional<SteadyClock::time_point> deadline) {
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "bencher");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Impl::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Impl::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Impl::on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (request.connect_timeout.count() > 0)
      curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    if (request.stall_timeout.count() > 0) {
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
    }
    if (deadline) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - SteadyClock::now()).count();
      curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
    }
    if (transfer.body_fd >= 0) {
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(transfer.body_size));
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Impl::on_send);
      curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
      curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &Impl::on_rewind);
      curl_easy_setopt(easy, CURLOPT_SEEKDATA, &transfer);
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.method == "GET" && request.body.empty()) {
      curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else {
      if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      }
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    if (options.insecure) {
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!options.client_certificate.empty()) {
      curl_easy_setopt(easy, CURLOPT_SSLCERT, options.client_certificate.c_str());
      curl_easy_setopt(easy, CURLOPT_SSLKEY, options.client_certificate.c_str());
    }
    if (const auto file = env("SSL_CERT_FILE"); !file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, file.c_str());
    if (const auto dir = env("SSL_CERT_DIR"); !dir.empty()) curl_easy_setopt(easy, CURLOPT_CAPATH, dir.c_str());
    // curl itself reads every proxy variable but HTTP_PROXY, which a CGI program could be given by its client.
    if (url.starts_with("http://") && env("http_proxy").empty()) {
      if (const auto proxy = env("HTTP_PROXY"); !proxy.empty()) curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());
    }
  }

  CURLcode run() {
    if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;
    CURLcode result = CURLE_OK;
    for (bool done = false; !done;) {
      int running = 0;
      CURLMcode code = curl_multi_perform(multi, &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        result = message->data.result;
        done = true;
      }
      if (done) break;
      if (cancelled.load()) {
        result = CURLE_ABORTED_BY_CALLBACK;
        break;
      }
      if (code == CURLM_OK) {
        curl_waitfd extra{wake, CURL_WAIT_POLLIN, 0};
        code = curl_multi_poll(multi, &extra, 1, 1000, nullptr);
      }
      if (code != CURLM_OK) {
        result = CURLE_FAILED_INIT;
        break;
      }
    }
    curl_multi_remove_handle(multi, easy);
    return result;
  }

  Error describe(CURLcode code, const Transfer& transfer, const std::string& url) {
    const std::string reason = error_text[0] ? error_text : curl_easy_strerror(code);
    const auto& request = transfer.request;
    if (cancelled.load()) return Error(Errc::cancelled, request.method + " " + url + ": cancelled");
    if (transfer.stopped) return Error(Errc::cancelled, request.method + " " + url + ": stopped by the receiver");
    if (transfer.too_large) {
      return Error(Errc::too_large, request.method + " " + url + ": the answer is larger than " +
                                        std::to_string(request.max_body) + " bytes");
    }
    switch (code) {
      case CURLE_OPERATION_TIMEDOUT:
        return Error(Errc::timed_out, request.method + " " + url + ": timed out (" + reason + ")");
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return Error(Errc::invalid_argument, "'" + url + "' is not an http or https URL: " + reason);
      case CURLE_COULDNT_RESOLVE_HOST:
        return Error(Errc::unavailable, url + ": the host name cannot be resolved; check the host (" + reason + ")");
      case CURLE_COULDNT_RESOLVE_PROXY:
        return Error(Errc::unavailable,
                     url + ": the proxy's name cannot be resolved; check HTTPS_PROXY (" + reason + ")");
      case CURLE_COULDNT_CONNECT:
        return Error(Errc::unavailable, url + ": cannot connect; is the server running there? (" + reason + ")");
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CERTPROBLEM:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_ISSUER_ERROR:
        return Error(Errc::unavailable, url + ": no trusted TLS connection; if the certificate is your own, name its " +
                                            "authority in SSL_CERT_FILE (" + reason + ")");
      default: return Error(Errc::unavailable, url + ": the connection failed or was lost (" + reason + ")");
    }
  }

  HttpOptions options;
  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  int wake = -1;
  std::atomic<bool> cancelled{false};
  char error_text[CURL_ERROR_SIZE] = {};
};

HttpClient::HttpClient(HttpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& original) {
  HttpRequest request = original;
  std::optional<SteadyClock::time_point> deadline;
  if (request.total_timeout.count() > 0) deadline = SteadyClock::now() + request.total_timeout;

  Url url;
  if (!url.set(request.url))
    return Error(Errc::invalid_argument, "'" + request.url + "' is not an absolute http or https URL");
  if (const auto scheme = url.origin().scheme; scheme != "http" && scheme != "https")
    return Error(Errc::invalid_argument, "'" + request.url + "' is not an http or https URL");
  if (request.method.empty() || request.method.find_first_of(" \r\n\t") != std::string::npos)
    return Error(Errc::invalid_argument, "'" + request.method + "' is not an HTTP method");
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || name.find_first_of(" :\r\n\t") != std::string::npos ||
        value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return Error(Errc::invalid_argument, "the header '" + name + "' holds characters that a header cannot have");
  }

  for (int redirects = 0;; ++redirects) {
    const std::string target = url.part(CURLUPART_URL);
    if (impl_->cancelled.load()) return Error(Errc::cancelled, request.method + " " + target + ": cancelled");
    if (deadline && SteadyClock::now() >= *deadline)
      return Error(Errc::timed_out, request.method + " " + target + ": timed out while following redirects");

    Slist headers;
    // An empty value is written `Name;` for curl; `Name:` takes away what curl would send by itself.
    for (const auto& [name, value] : request.headers)
      headers.add(value.empty() ? name + ";" : name + ": " + value);
    if (!has_header(request.headers, "expect")) headers.add("Expect:");
    if (!has_header(request.headers, "content-type")) headers.add("Content-Type:");

    Impl::Transfer transfer{.owner = *impl_, .request = request, .response = {}, .exception = {}};
    if (!request.body_file.empty() && !transfer.open_body())
      return Error(Errc::invalid_argument, "cannot read '" + request.body_file.string() + "'");
    impl_->error_text[0] = '\0';
    impl_->configure(request, target, headers, transfer, deadline);
    const CURLcode code = impl_->run();
    if (transfer.exception) std::rethrow_exception(transfer.exception);
    if (code != CURLE_OK) return impl_->describe(code, transfer, target);
    long status = 0;
    curl_easy_getinfo(impl_->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);

    const std::string* location = transfer.response.header("location");
    if (!request.body_file.empty() || !is_redirect(transfer.response.status) || !location ||
        impl_->options.max_redirects <= 0)
      return std::move(transfer.response);
    if (redirects >= impl_->options.max_redirects) {
      return Error(Errc::unavailable,
                   original.url + ": more than " + std::to_string(impl_->options.max_redirects) + " redirects");
    }
    const auto before = url.origin();
    if (!url.set(*location))
      return Error(Errc::unavailable, target + ": redirects to '" + *location + "', which is not a URL");
    const auto after = url.origin();
    if (after.scheme != "http" && after.scheme != "https")
      return Error(Errc::unavailable, target + ": redirects to '" + *location + "', which is not http or https");
    if (after != before) {
      // What the caller meant for one server is no business of another.
      std::erase_if(request.headers, [](const auto& h) {
        const auto name = lower(h.first);
        return name == "authorization" || name == "cookie" || name == "proxy-authorization";
      });
    }
    const int got = transfer.response.status;
    if ((got == 303 && request.method != "HEAD") || ((got == 301 || got == 302) && request.method == "POST")) {
      request.method = "GET";
      request.body.clear();
      std::erase_if(request.headers, [](const auto& h) { return lower(h.first) == "content-type"; });
    }
  }
}

void HttpClient::cancel() noexcept {
  impl_->cancelled.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(impl_->wake, &one, sizeof one);
}

}  // namespace bencher::client
