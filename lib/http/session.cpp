#include "lib/http/session.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bencher/base/clock.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher::http {
namespace {

namespace beast_http = boost::beast::http;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t head_read = 8 * 1024;
constexpr std::size_t part_size = 64 * 1024;
constexpr std::size_t file_part = 256 * 1024;
// What a handler leaves of a body is read up to this, so that the connection can go on.
constexpr std::uint64_t drain_limit = 1 << 20;
// Before closing on a client that still sends, so much is thrown away for so long: else it may lose our answer.
constexpr std::uint64_t linger_limit = 16 << 20;
constexpr milliseconds linger_timeout{2000};
constexpr milliseconds shutdown_timeout{1000};

std::string new_uuid(Random& random) {
  const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  return AnyUuid::make(now, random).str();
}

Verb verb_of(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return Verb::get;
    case beast_http::verb::head: return Verb::head;
    case beast_http::verb::post: return Verb::post;
    case beast_http::verb::put: return Verb::put;
    case beast_http::verb::patch: return Verb::patch;
    case beast_http::verb::delete_: return Verb::delete_;
    case beast_http::verb::options: return Verb::options;
    default: return Verb::other;
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
           return lower(x) == lower(y);
         });
}

/// A header's value with nothing in it that could end the line.
void append_value(std::string& out, std::string_view value) {
  for (const char c : value)
    out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, number, base).ptr;
  out.append(text, end);
}

std::string error_body(const std::string& request_id, std::string_view message, std::string_view error_code = {}) {
  std::string out = fmt::format(R"({{"request_id":"{}")", request_id);
  if (!error_code.empty()) out += fmt::format(R"(,"error_code":"{}")", error_code);
  out += R"(,"message":)";
  out += boost::json::serialize(boost::json::string_view(message.data(), message.size()));
  out += '}';
  return out;
}

/// Closes a file descriptor.
class File {
 public:
  explicit File(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return fd_ >= 0; }
  /// Reads up to `size` bytes at `offset`; 0 at the end or when it cannot.
  std::size_t read(char* to, std::size_t size, std::uint64_t offset) {
    for (;;) {
      const auto n = ::pread(fd_, to, size, static_cast<off_t>(offset));
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) return 0;
    }
  }

 private:
  int fd_;
};

}  // namespace

// ---- parsing -------------------------------------------------------------------------------------------------------

void RequestParser::on_request_impl(beast_http::verb verb, Text method, Text target, int number, error_code&) {
  version = number;
  head_.verb = verb_of(verb);
  head_.method.assign(method.data(), method.size());
  head_.target.assign(target.data(), target.size());
}

void RequestParser::on_field_impl(beast_http::field, Text name, Text value, error_code&) {
  if (head_.headers.empty()) head_.headers.reserve(12);
  auto& header = head_.headers.emplace_back();
  header.name.assign(name.data(), name.size());
  header.value.assign(value.data(), value.size());
}

std::size_t RequestParser::on_body_impl(Text body, error_code&) {
  body_bytes += body.size();
  if (!discard) part.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text body, error_code& ec) {
  return on_body_impl(body, ec);
}

// ---- life of a connection ------------------------------------------------------------------------------------------

Connection::Connection(std::shared_ptr<ServerCore> core, Socket socket, bool over)
    : over_limit(over), core_(std::move(core)), transport_(std::move(socket), core_->tls ? &*core_->tls : nullptr) {
  error_code ec;
  const auto endpoint = transport_.socket.remote_endpoint(ec);
  if (!ec) peer_ = endpoint.address().to_string();
}

Connection::~Connection() = default;

void Connection::arm(milliseconds timeout) {
  expired_ = false;
  deadline_ = steady_clock::now() + timeout;
}

void Connection::expire(steady_clock::time_point now) {
  if (now < deadline_) return;
  disarm();
  expired_ = true;
  error_code ignored;
  if (answer_ == Answer::websocket)
    close_socket();
  else
    transport_.socket.cancel(ignored);
}

void Connection::close_socket() {
  error_code ignored;
  transport_.socket.close(ignored);
}

void Connection::stop() {
  if (auto session = websocket_.lock())
    close_websocket(std::move(session), 1001, "server shutting down");
  else if (phase_ != Phase::busy)
    close_socket();
}

void Connection::drop() {
  broken_ = true;
  if (const auto session = websocket_.lock()) abort_websocket(*session);
  close_socket();
  cancel.emit(asio::cancellation_type::terminal);
}

Task<void> Connection::run() {
  if (transport_.tls) {
    arm(core_->options.read_timeout);
    auto [ec] = co_await transport_.tls->async_handshake(asio::ssl::stream_base::server, as_awaitable_tuple);
    disarm();
    if (ec) co_return;
  }
  if (over_limit) {
    phase_ = Phase::busy;
    co_await refuse(503, "the server has too many connections; try again later");
  } else {
    for (bool first = true;; first = false) {
      if (!co_await read_head(first)) break;
      co_await serve();
      if (!keep_ || broken_) break;
      if (!parser_->is_done() && !co_await drain()) break;
    }
  }
  co_await finish();
}

Task<error_code> Connection::fill(std::size_t size) {
  auto [ec, n] = co_await transport_.async_read_some(buffer_.prepare(size), as_awaitable_tuple);
  buffer_.commit(n);
  co_return ec;
}

Task<bool> Connection::read_head(bool first) {
  head_ = RequestHead();
  path_error_.clear();
  parser_.emplace(head_);
  parser_->header_limit(static_cast<std::uint32_t>(core_->options.header_limit));
  parser_->body_limit(boost::none);
  parser_->eager(false);
  phase_ = Phase::idle;
  answer_ = Answer::none;
  keep_ = false;
  awaits_continue_ = false;
  status_ = 0;
  sent_ = 0;
  if (buffer_.size() == 0) {
    if (core_->stopping) co_return false;
    if (buffer_.capacity() > 2 * head_read) buffer_.shrink_to_fit();  // an idle connection is small
    const auto& options = core_->options;
    arm(first ? std::min(options.idle_timeout, options.read_timeout) : options.idle_timeout);
  }
  for (;;) {
    if (buffer_.size() != 0) {
      if (phase_ == Phase::idle) {
        phase_ = Phase::busy;
        arm(core_->options.read_timeout);  // for the whole head, however it trickles in
      }
      error_code ec;
      buffer_.consume(parser_->put(buffer_.data(), ec));
      if (!ec && parser_->is_header_done()) break;
      if (ec && ec != beast_http::error::need_more) {
        disarm();
        if (ec == beast_http::error::header_limit)
          co_await refuse(431, fmt::format("the request's headers are over {} bytes", core_->options.header_limit));
        else
          co_await refuse(400, "not a valid HTTP request: " + ec.message());
        co_return false;
      }
    }
    if (const auto ec = co_await fill(head_read); ec) {
      disarm();
      if (expired_ && phase_ == Phase::busy)
        co_await refuse(408, "the request's headers did not arrive in time");
      else
        broken_ = true;
      co_return false;
    }
  }
  disarm();
  started_ = steady_clock::now();
  head_.request_id = new_uuid(core_->random);
  head_.peer = peer_;
  if (const auto length = parser_->content_length()) head_.content_length = *length;
  keep_ = parser_->keep_alive() && !core_->stopping;
  if (const auto* encoding = head_.header("transfer-encoding"); encoding && !parser_->chunked()) {
    co_await refuse(400, "the transfer-encoding is not 'chunked'");
    co_return false;
  }
  if (const auto* expect = head_.header("expect"); expect && equal_ignoring_case(*expect, "100-continue"))
    awaits_continue_ = !parser_->is_done() && buffer_.size() == 0;
  if (parser_->upgrade()) head_.upgrade = !handshake_error(head_);

  std::string_view target = head_.target;
  if (!target.starts_with('/')) {  // absolute form, RFC 9112 section 3.2.2
    if (const auto scheme = target.find("://"); scheme != std::string_view::npos) {
      target.remove_prefix(scheme + 3);
      target.remove_prefix(std::min(target.size(), target.find_first_of("/?")));
    } else if (target != "*") {
      path_error_ = "the request's target is not a path";
    }
  }
  const auto question = target.find('?');
  if (question != std::string_view::npos) head_.query = target.substr(question + 1);
  auto segments = parse_path(target.substr(0, question));
  if (segments)
    head_.segments = *std::move(segments);
  else
    path_error_ = segments.error().message();
  co_return true;
}

Task<void> Connection::serve() {
  std::exception_ptr failure;
  if (!path_error_.empty()) {
    Response response;
    response.status = 400;
    response.body = error_body(head_.request_id, path_error_);
    co_await respond(std::move(response));
  } else {
    try {
      co_await core_->handler.handle(*this);
    } catch (...) {
      failure = std::current_exception();
    }
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    broken_ = true;
    log_request();
    co_return;
  }
  if (failure || answer_ == Answer::none) {
    std::string what = "the handler did not answer";
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
      what = "an exception of unknown type";
    }
    const std::string code = new_uuid(core_->random);
    core_->logger.log(LogLevel::error, "handler failed",
                      {{"request_id", head_.request_id},
                       {"error_code", code},
                       {"method", head_.method},
                       {"path", head_.target},
                       {"error", what}});
    if (answer_ == Answer::none) {
      Response response;
      response.status = 500;
      response.body =
          error_body(head_.request_id, "internal error; please report it with this request id and error code", code);
      co_await respond(std::move(response));
    } else {
      broken_ = true;  // what was begun cannot be taken back
    }
  }
  if (answer_ == Answer::streaming) broken_ = true;
  if (answer_ == Answer::websocket) {
    co_await end_websocket(websocket_.lock());
    keep_ = false;
  }
  log_request();
}

void Connection::log_request() {
  const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - started_).count();
  char numbers[3][24];
  const auto text = [&numbers](int slot, std::uint64_t number) {
    const auto end = std::to_chars(numbers[slot], numbers[slot] + sizeof numbers[slot], number).ptr;
    return std::string_view(numbers[slot], static_cast<std::size_t>(end - numbers[slot]));
  };
  core_->logger.log(LogLevel::info, "request",
                    {{"method", head_.method},
                     {"path", std::string_view(head_.target).substr(0, head_.target.find('?'))},
                     {"status", text(0, static_cast<std::uint64_t>(status_))},
                     {"duration_us", text(1, static_cast<std::uint64_t>(taken))},
                     {"bytes", text(2, sent_)},
                     {"request_id", head_.request_id},
                     {"peer", head_.peer}});
}

Task<void> Connection::refuse(int status, std::string message) {
  if (head_.request_id.empty()) {
    head_.request_id = new_uuid(core_->random);
    head_.peer = peer_;
    started_ = steady_clock::now();
  }
  keep_ = false;
  Response response;
  response.status = status;
  response.body = error_body(head_.request_id, message);
  if (status == 503) response.headers.push_back({"retry-after", "1"});
  co_await respond(std::move(response));
  log_request();
}

Task<bool> Connection::drain() {
  parser_->discard = true;
  const auto begin = parser_->body_bytes;
  while (!parser_->is_done()) {
    if (parser_->body_bytes - begin > drain_limit) co_return false;
    auto part = co_await read_some();
    if (!part) co_return false;
  }
  co_return true;
}

Task<void> Connection::finish() {
  const bool websocket = answer_ == Answer::websocket;
  const bool unread = !parser_ || !parser_->is_done() || websocket;
  if (broken_ || !transport_.socket.is_open()) co_return;
  phase_ = Phase::lingering;
  if (transport_.tls && !websocket) {
    arm(shutdown_timeout);
    co_await transport_.tls->async_shutdown(as_awaitable_tuple);
    co_return;
  }
  error_code ec;
  transport_.socket.shutdown(asio::socket_base::shutdown_send, ec);
  if (ec || !unread || (core_->stopping && !websocket)) co_return;
  arm(linger_timeout);
  for (std::uint64_t read = 0; read < linger_limit;) {
    buffer_.consume(buffer_.size());
    auto [read_ec, n] = co_await transport_.socket.async_read_some(buffer_.prepare(part_size), as_awaitable_tuple);
    if (read_ec) break;
    read += n;
  }
}

// ---- reading -------------------------------------------------------------------------------------------------------

Task<Result<std::string>> Connection::read_some() {
  if (awaits_continue_) {
    awaits_continue_ = false;
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    std::array<asio::const_buffer, 3> parts{asio::const_buffer(text.data(), text.size())};
    if (!co_await write(parts)) co_return Error(Errc::unavailable, "the client closed the connection");
  }
  parser_->part.clear();
  while (!parser_->is_done()) {
    if (buffer_.size() != 0) {
      error_code ec;
      const auto before = parser_->body_bytes;
      const asio::const_buffer all = buffer_.data();
      buffer_.consume(parser_->put(asio::buffer(all, part_size), ec));
      if (ec && ec != beast_http::error::need_more) {
        keep_ = false;
        co_return Error(Errc::invalid_argument, "the request's body is malformed: " + ec.message());
      }
      if (parser_->body_bytes != before) co_return std::move(parser_->part);
      if (!ec) continue;
      if (buffer_.size() > head_read) {
        keep_ = false;
        co_return Error(Errc::invalid_argument, "the request's body has an over-long chunk header");
      }
    }
    arm(core_->options.read_timeout);
    const auto ec = co_await fill(part_size);
    disarm();
    if (!ec) continue;
    keep_ = false;
    if (expired_) co_return Error(Errc::timed_out, "the request's body did not arrive in time");
    if (ec == asio::error::operation_aborted && transport_.socket.is_open())
      co_return Error(Errc::cancelled, "reading the request's body was cancelled");
    if (ec != asio::error::eof) broken_ = true;
    co_return Error(Errc::unavailable, "the client closed the connection within the request's body");
  }
  co_return std::string();
}

Task<Result<std::string>> Connection::read_body(std::uint64_t limit) {
  const auto too_large = [limit] {
    return Error(Errc::too_large, fmt::format("the request's body is over the limit of {} bytes", limit));
  };
  std::string body;
  if (head_.content_length) {
    if (*head_.content_length > limit) co_return too_large();
    body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*head_.content_length, drain_limit)));
  }
  for (;;) {
    auto part = co_await read_some();
    if (!part) co_return std::move(part).error();
    if (part->empty()) break;
    if (part->size() > limit - body.size()) co_return too_large();
    if (body.empty() && body.capacity() < part->size())
      body = *std::move(part);
    else
      body += *part;
  }
  co_return body;
}

Task<bool> Connection::gone() {
  if (broken_) co_return true;
  // What comes belongs to the next request and stays in the buffer; once that is full, only cancellation ends this.
  while (buffer_.size() < part_size) {
    const auto ec = co_await fill(head_read);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return false;
    if (ec) {
      keep_ = false;
      co_return true;
    }
  }
  asio::steady_timer never(core_->io, steady_clock::time_point::max());
  co_await never.async_wait(as_awaitable_tuple);
  co_return false;
}

// ---- answering -----------------------------------------------------------------------------------------------------

Task<bool> Connection::write(std::array<asio::const_buffer, 3> parts) {
  if (broken_) co_return false;
  for (;;) {
    arm(core_->options.write_timeout);
    auto [ec, n] = co_await transport_.async_write_some(parts, as_awaitable_tuple);
    disarm();
    if (ec) {
      broken_ = true;
      co_return false;
    }
    std::size_t left = 0;
    for (auto& part : parts) {
      const auto skip = std::min(n, part.size());
      part += skip;
      n -= skip;
      left += part.size();
    }
    if (left == 0) co_return true;
    // TLS writes the first buffer that is not empty.
    while (parts[0].size() == 0)
      std::rotate(parts.begin(), parts.begin() + 1, parts.end());
  }
}

bool Connection::claim() {
  if (answer_ == Answer::none) return true;
  core_->logger.log(LogLevel::error, "answered twice",
                    {{"request_id", head_.request_id}, {"method", head_.method}, {"path", head_.target}});
  return false;
}

bool Connection::bodyless(int status) const {
  return status == 204 || status == 304 || status < 200;
}

void Connection::compose(const Response& response, std::optional<std::uint64_t> length) {
  status_ = response.status;
  const bool http_1_0 = parser_ && parser_->is_header_done() && parser_->version < 11;
  if (core_->stopping) keep_ = false;
  if (parser_ && parser_->is_header_done() && !parser_->is_done()) {
    // The rest of the body stands between this answer and the next request.
    const auto read = parser_->body_bytes;
    if (awaits_continue_ || (head_.content_length && *head_.content_length - read > drain_limit)) keep_ = false;
  }
  chunked_ = !length && !http_1_0;
  if (!length && http_1_0) keep_ = false;
  out_.clear();
  out_ += "HTTP/1.1 ";
  append_number(out_, static_cast<std::uint64_t>(response.status));
  out_ += ' ';
  const auto reason = beast_http::obsolete_reason(static_cast<beast_http::status>(response.status));
  out_.append(reason.data(), reason.size());
  out_ += "\r\n";
  if (!bodyless(response.status)) {
    if (!response.content_type.empty()) {
      out_ += "content-type: ";
      append_value(out_, response.content_type);
      out_ += "\r\n";
    }
    if (length) {
      out_ += "content-length: ";
      append_number(out_, *length);
      out_ += "\r\n";
    } else if (chunked_) {
      out_ += "transfer-encoding: chunked\r\n";
    }
  }
  out_ += "date: ";
  out_ += core_->date();
  out_ += "\r\nx-request-id: ";
  out_ += head_.request_id;
  out_ += "\r\n";
  if (!keep_)
    out_ += "connection: close\r\n";
  else if (http_1_0)
    out_ += "connection: keep-alive\r\n";
  for (const auto& header : response.headers) {
    append_value(out_, header.name);
    out_ += ": ";
    append_value(out_, header.value);
    out_ += "\r\n";
  }
  out_ += "\r\n";
}

Task<bool> Connection::respond(Response response) {
  if (!claim()) co_return false;
  answer_ = Answer::sent;
  compose(response, response.body.size());
  std::array<asio::const_buffer, 3> parts{asio::buffer(out_)};
  if (head_.verb != Verb::head && !bodyless(response.status)) {
    parts[1] = asio::buffer(response.body);
    sent_ = response.body.size();
  }
  const bool sent = co_await write(parts);
  co_return sent;
}

Task<void> Connection::respond_file(Response response, std::filesystem::path path, std::uint64_t offset,
                                    std::uint64_t length) {
  if (!claim()) co_return;
  File file(path);
  if (!file) throw std::system_error(errno, std::generic_category(), "cannot open " + path.string());
  answer_ = Answer::sent;
  compose(response, length);
  std::array<asio::const_buffer, 3> parts{asio::buffer(out_)};
  if (head_.verb == Verb::head || bodyless(response.status)) {
    co_await write(parts);
    co_return;
  }
  std::vector<char> part(static_cast<std::size_t>(std::min<std::uint64_t>(length, file_part)));
  do {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), length - sent_));
    const auto n = want == 0 ? 0 : file.read(part.data(), want, offset + sent_);
    if (n == 0 && want != 0) {
      // Shorter than promised: the client must not take it for whole.
      core_->logger.log(LogLevel::error, "file is too short",
                        {{"request_id", head_.request_id}, {"file", path.native()}});
      broken_ = true;
      co_return;
    }
    parts[1] = asio::const_buffer(part.data(), n);
    if (!co_await write(parts)) co_return;
    parts[0] = asio::const_buffer();
    sent_ += n;
  } while (sent_ < length);
}

Task<Result<void>> Connection::begin_stream(Response response) {
  if (!claim()) co_return Error(Errc::internal, "the request has been answered already");
  answer_ = Answer::streaming;
  compose(response, std::nullopt);
  std::array<asio::const_buffer, 3> parts{asio::buffer(out_)};
  if (!co_await write(parts)) co_return Error(Errc::unavailable, "the client closed the connection");
  co_return Result<void>();
}

Task<Result<void>> Connection::write_chunk(std::string chunk) {
  if (answer_ != Answer::streaming) co_return Error(Errc::internal, "no stream was begun");
  if (chunk.empty() || head_.verb == Verb::head) co_return Result<void>();
  std::array<asio::const_buffer, 3> parts{};
  parts[1] = asio::buffer(chunk);
  if (chunked_) {
    out_.clear();
    append_number(out_, chunk.size(), 16);
    out_ += "\r\n";
    parts[0] = asio::buffer(out_);
    parts[2] = asio::const_buffer("\r\n", 2);
  }
  sent_ += chunk.size();
  if (!co_await write(parts)) co_return Error(Errc::unavailable, "the client closed the connection");
  co_return Result<void>();
}

Task<void> Connection::end_stream() {
  if (answer_ != Answer::streaming) co_return;
  answer_ = Answer::sent;
  if (!chunked_ || head_.verb == Verb::head) co_return;
  static constexpr std::string_view end = "0\r\n\r\n";
  std::array<asio::const_buffer, 3> parts{asio::const_buffer(end.data(), end.size())};
  co_await write(parts);
}

Task<Result<std::unique_ptr<WebSocket>>> Connection::upgrade(std::size_t message_limit) {
  if (!claim()) co_return Error(Errc::internal, "the request has been answered already");
  if (auto error = handshake_error(head_)) co_return Error(Errc::invalid_argument, *std::move(error));
  answer_ = Answer::websocket;
  status_ = 101;
  keep_ = false;
  auto socket = co_await accept_websocket(shared_from_this(), message_limit, websocket_);
  if (!socket) broken_ = true;
  if (socket && core_->stopping) stop();
  co_return std::move(socket);
}

}  // namespace bencher::http
