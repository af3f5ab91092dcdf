#include "apps/server/registry.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bencher/base/encoding.hpp"
#include "bencher/image/digest.hpp"

#include "lib/http/offload.hpp"

namespace bencher::server {

using http::Exchange;
using http::Response;
using http::Task;
using http::Verb;

namespace {

constexpr std::size_t tag_page = 100;
constexpr std::size_t tag_page_limit = 10'000;
constexpr std::chrono::minutes expire_every{1};
// What a body's parts are joined to before they are written.
constexpr std::size_t write_part = 1 << 20;

/// What goes back: a response, whose body may be a part of a file.
struct Reply {
  Response response{};
  std::filesystem::path file{};  // empty: `response.body`
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

std::string json_text(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

/// An answer with a status and no body.
Reply empty_reply(int status) {
  Reply out;
  out.response.status = status;
  out.response.content_type.clear();
  return out;
}

Reply error_reply(int status, std::string_view code, std::string_view message) {
  Reply out;
  out.response.status = status;
  out.response.body = fmt::format(R"({{"errors":[{{"code":"{}","message":{}}}]}})", code, json_text(message));
  return out;
}

Reply not_allowed(std::string_view methods) {
  auto out = error_reply(405, "UNSUPPORTED", fmt::format("this path takes {}", methods));
  out.response.headers.push_back({"allow", std::string(methods)});
  return out;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// `a-b`, both included.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::optional<ByteRange> content_range(std::string_view text) {
  if (text.starts_with("bytes ") || text.starts_with("bytes=")) text.remove_prefix(6);
  text = text.substr(0, text.find('/'));
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return ByteRange{*first, *last};
}

enum class RangeKind { whole, part, unsatisfiable };

/// The one range that is asked for (RFC 9110 section 14.2); several, and malformed ones, mean the whole.
RangeKind requested_range(std::string_view text, std::uint64_t size, ByteRange& out) {
  if (!text.starts_with("bytes=")) return RangeKind::whole;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return RangeKind::whole;
  const auto first = text.substr(0, dash);
  const auto last = text.substr(dash + 1);
  if (first.empty()) {
    const auto suffix = number(last);
    if (!suffix) return RangeKind::whole;
    if (*suffix == 0 || size == 0) return RangeKind::unsatisfiable;
    out = {size - std::min(size, *suffix), size - 1};
    return RangeKind::part;
  }
  const auto begin = number(first);
  const auto end = last.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : number(last);
  if (!begin || !end || *end < *begin) return RangeKind::whole;
  if (*begin >= size) return RangeKind::unsatisfiable;
  out = {*begin, std::min(*end, size - 1)};
  return RangeKind::part;
}

}  // namespace

/// One request on its way.
class RegistryRequest {
 public:
  RegistryRequest(Registry& registry, Exchange& exchange)
      : registry_(registry), store_(registry.store_), exchange_(exchange), head_(exchange.head()) {}

  Task<Reply> answer() {
    if (head_.verb == Verb::options) {
      Reply out;
      out.response.body = "null";
      co_return out;
    }
    auto query = http::parse_query(head_.query);
    if (!query) co_return error_reply(400, "UNSUPPORTED", query.error().message());
    query_ = *std::move(query);
    const auto& path = head_.segments;
    if (path.size() == 1) co_return co_await base();
    if (path.size() >= 2) name_ = path[1];
    if (path.size() == 4 && path[2] == "blobs" && path[3] == "uploads") co_return co_await uploads();
    if (path.size() == 5 && path[2] == "blobs" && path[3] == "uploads") co_return co_await upload(path[4]);
    if (path.size() == 4 && path[2] == "blobs") co_return co_await blob(path[3]);
    if (path.size() == 4 && path[2] == "manifests") co_return co_await manifest(path[3]);
    if (path.size() == 4 && path[2] == "tags" && path[3] == "list") co_return co_await tags();
    if (path.size() == 4 && path[2] == "referrers") co_return co_await referrers(path[3]);
    co_return error_reply(404, "NAME_UNKNOWN",
                          "there is nothing here; a repository's name is one component, its project's slug or UUID");
  }

 private:
  /// Runs `f` on the pool.
  template <class F>
  auto offload(F f) {
    return http::offload(registry_.pool_, std::move(f));
  }

  const std::string* query(std::string_view name) const {
    for (const auto& [key, value] : query_)
      if (key == name) return &value;
    return nullptr;
  }

  bool reads() const { return head_.verb == Verb::get || head_.verb == Verb::head; }

  /// The header that tells a client where to get a token.
  void challenge(Response& response, bool push) const {
    auto text = fmt::format(R"(Bearer realm="{}",service="{}")", registry_.realm_, registry_.service_);
    const bool plain =
        std::all_of(name_.begin(), name_.end(), [](char c) { return c >= ' ' && c != '"' && c != '\\' && c != 0x7f; });
    if (!name_.empty() && plain) text += fmt::format(R"(,scope="repository:{}:{}")", name_, push ? "push" : "pull");
    response.headers.push_back({"www-authenticate", std::move(text)});
  }

  /// Asks whether the request may go on; the answer if not.
  Task<std::optional<Reply>> denied(bool push, bool create = false) {
    auto grant = co_await registry_.access_.authorize(head_, name_, push, create);
    if (grant) {
      repository_ = std::move(grant->repository);
      co_return std::nullopt;
    }
    const auto& error = grant.error();
    Reply out;
    switch (error.code()) {
      case Errc::unauthenticated:
        out = error_reply(401, "UNAUTHORIZED", error.message());
        challenge(out.response, push);
        break;
      case Errc::payment_required:
      case Errc::forbidden: out = error_reply(403, "DENIED", error.message()); break;
      case Errc::not_found: out = error_reply(404, "NAME_UNKNOWN", error.message()); break;
      case Errc::invalid_argument:
      case Errc::conflict:
      case Errc::too_large: out = error_reply(400, "NAME_INVALID", error.message()); break;
      case Errc::rate_limited: out = error_reply(429, "TOOMANYREQUESTS", error.message()); break;
      case Errc::unavailable:
      case Errc::timed_out:
      case Errc::cancelled:
        out = error_reply(503, "UNAVAILABLE", error.message());
        out.response.headers.push_back({"retry-after", "1"});
        break;
      case Errc::internal: throw std::runtime_error("registry access: " + error.message() + " " + error.detail());
    }
    co_return out;
  }

  /// The error of a body that could not be read.
  static Reply body_error(const Error& error) {
    if (error.code() == Errc::too_large) return error_reply(413, "SIZE_INVALID", error.message());
    if (error.code() == Errc::timed_out) return error_reply(408, "SIZE_INVALID", error.message());
    return error_reply(400, "SIZE_INVALID", error.message());
  }

  Task<Reply> base() {
    if (!reads()) co_return not_allowed("GET, HEAD");
    if (auto no = co_await denied(false)) co_return *std::move(no);
    Reply out;
    out.response.body = "{}";
    co_return out;
  }

  // ---- blobs ----

  Task<Reply> blob(std::string reference) {
    const bool removes = head_.verb == Verb::delete_;
    if (!reads() && !removes) co_return not_allowed("GET, HEAD, DELETE");
    if (auto no = co_await denied(removes)) co_return *std::move(no);
    const auto digest = Digest::parse(reference);
    if (!digest) co_return error_reply(400, "DIGEST_INVALID", digest.error().message());
    if (removes) {
      const auto done = co_await offload([&] { return store_.delete_blob(repository_, *digest); });
      if (!done) co_return error_reply(404, "BLOB_UNKNOWN", done.error().message());
      co_return empty_reply(202);
    }
    const auto size = co_await offload([&] { return store_.blob_size(repository_, *digest); });
    if (!size) co_return error_reply(404, "BLOB_UNKNOWN", size.error().message());
    auto path = co_await offload([&] { return store_.blob_path(repository_, *digest); });
    if (!path) co_return error_reply(404, "BLOB_UNKNOWN", path.error().message());
    Reply out;
    out.response.content_type = "application/octet-stream";
    out.response.headers.push_back({"docker-content-digest", digest->str()});
    out.response.headers.push_back({"accept-ranges", "bytes"});
    out.file = *std::move(path);
    out.length = *size;
    const auto* wanted = head_.header("range");
    ByteRange range;
    switch (wanted ? requested_range(*wanted, *size, range) : RangeKind::whole) {
      case RangeKind::whole: break;
      case RangeKind::part:
        out.response.status = 206;
        out.response.headers.push_back(
            {"content-range", fmt::format("bytes {}-{}/{}", range.first, range.last, *size)});
        out.offset = range.first;
        out.length = range.last - range.first + 1;
        break;
      case RangeKind::unsatisfiable:
        out = error_reply(416, "SIZE_INVALID", fmt::format("the blob has {} bytes, the range begins behind", *size));
        out.response.headers.push_back({"content-range", fmt::format("bytes */{}", *size)});
        break;
    }
    co_return out;
  }

  // ---- uploads ----

  Reply blob_made(const Digest& digest) const {
    auto out = empty_reply(201);
    out.response.headers.push_back({"location", fmt::format("/v2/{}/blobs/{}", name_, digest.str())});
    out.response.headers.push_back({"docker-content-digest", digest.str()});
    return out;
  }

  Reply upload_reply(int status, std::string_view id, std::uint64_t offset) const {
    auto out = empty_reply(status);
    out.response.headers.push_back({"location", fmt::format("/v2/{}/blobs/uploads/{}", name_, id)});
    out.response.headers.push_back({"range", fmt::format("0-{}", offset == 0 ? 0 : offset - 1)});
    out.response.headers.push_back({"docker-upload-uuid", std::string(id)});
    return out;
  }

  static Reply upload_error(const Error& error) {
    switch (error.code()) {
      case Errc::not_found: return error_reply(404, "BLOB_UPLOAD_UNKNOWN", error.message());
      case Errc::conflict: return error_reply(409, "BLOB_UPLOAD_INVALID", error.message());
      case Errc::unavailable: return error_reply(429, "TOOMANYREQUESTS", error.message());
      default: return error_reply(400, "BLOB_UPLOAD_INVALID", error.message());
    }
  }

  /// The digest in `?digest=`.
  Result<Digest> asked_digest() const {
    const auto* text = query("digest");
    if (!text) return Error(Errc::invalid_argument, "the query has no 'digest'");
    return Digest::parse(*text);
  }

  Task<Reply> uploads() {
    const bool post = head_.verb == Verb::post;
    if (!post && head_.verb != Verb::put) co_return not_allowed("POST, PUT");
    if (auto no = co_await denied(true, true)) co_return *std::move(no);
    if (post && query("mount")) {
      if (auto mounted = co_await mount()) co_return *std::move(mounted);
    }
    const bool whole = !post || query("digest");
    std::optional<Digest> digest;
    if (whole) {
      auto asked = asked_digest();
      if (!asked) co_return error_reply(400, "DIGEST_INVALID", asked.error().message());
      digest = *std::move(asked);
    }
    const auto now = registry_.clock_.now();
    const bool expire = now - registry_.expired_at_ >= expire_every;
    if (expire) registry_.expired_at_ = now;
    const auto id = co_await offload([&] {
      if (expire) store_.expire_uploads(now - registry_.options_.upload_timeout);
      return store_.begin_upload(repository_, now);
    });
    if (!id) co_return upload_error(id.error());
    if (!whole) co_return upload_reply(202, *id, 0);
    auto upload = co_await offload([&] { return store_.open_upload(repository_, *id, now); });
    if (!upload) co_return upload_error(upload.error());
    if (auto failed = co_await receive(*upload)) {
      co_await offload([&] { upload->cancel(); });
      co_return *std::move(failed);
    }
    co_return co_await finish(*upload, *digest);
  }

  /// The answer when the blob could be mounted; else an upload begins.
  Task<std::optional<Reply>> mount() {
    const auto digest = Digest::parse(*query("mount"));
    if (!digest) co_return error_reply(400, "DIGEST_INVALID", digest.error().message());
    const auto* from = query("from");
    if (!from || from->empty()) co_return std::nullopt;
    const auto source = co_await registry_.access_.authorize(head_, *from, false, false);
    if (!source) co_return std::nullopt;
    const auto done = co_await offload([&] { return store_.mount_blob(repository_, source->repository, *digest); });
    if (!done) co_return std::nullopt;
    co_return blob_made(*digest);
  }

  Task<Reply> upload(std::string id) {
    const auto verb = head_.verb;
    if (verb != Verb::get && verb != Verb::patch && verb != Verb::put && verb != Verb::delete_)
      co_return not_allowed("GET, PATCH, PUT, DELETE");
    if (auto no = co_await denied(true)) co_return *std::move(no);
    if (verb == Verb::get) {
      const auto offset = co_await offload([&] { return store_.upload_offset(repository_, id); });
      if (!offset) co_return upload_error(offset.error());
      co_return upload_reply(204, id, *offset);
    }
    std::optional<Digest> digest;
    if (verb == Verb::put) {
      auto asked = asked_digest();
      if (!asked) co_return error_reply(400, "DIGEST_INVALID", asked.error().message());
      digest = *std::move(asked);
    }
    auto upload = co_await offload([&] { return store_.open_upload(repository_, id, registry_.clock_.now()); });
    if (!upload) co_return upload_error(upload.error());
    if (verb == Verb::delete_) {
      co_await offload([&] { upload->cancel(); });
      co_return empty_reply(202);
    }
    if (auto failed = co_await receive(*upload)) {
      const bool over = failed->response.status == 413;
      if (over) co_await offload([&] { upload->cancel(); });
      co_return *std::move(failed);
    }
    if (verb == Verb::put) co_return co_await finish(*upload, *digest);
    co_return upload_reply(202, id, upload->offset());
  }

  /// Appends the body; the answer when that did not work.
  Task<std::optional<Reply>> receive(BlobUpload& upload) {
    const auto limit = registry_.options_.max_body_size;
    const auto too_large = [limit] {
      return error_reply(413, "SIZE_INVALID", fmt::format("the blob is over the limit of {} bytes", limit));
    };
    const auto begin = upload.offset();
    std::optional<std::uint64_t> expected = head_.content_length;
    if (const auto* text = head_.header("content-range")) {
      const auto range = content_range(*text);
      if (!range)
        co_return error_reply(400, "BLOB_UPLOAD_INVALID", "the content-range is not 'FIRST-LAST', both in bytes");
      if (range->first != begin) co_return upload_reply(416, upload.id(), begin);
      const auto length = range->last - range->first + 1;
      if (expected && *expected != length)
        co_return error_reply(400, "SIZE_INVALID",
                              fmt::format("the content-range tells {} bytes, the body has {}", length, *expected));
      expected = length;
    }
    if (expected && (*expected > limit || begin > limit - *expected)) co_return too_large();
    std::string part;
    for (bool more = true; more;) {
      auto read = co_await exchange_.read_some();
      if (!read) {
        // What came before the connection broke stays, for the client to go on from.
        if (!part.empty()) co_await offload([&] { upload.append(part); });
        co_return body_error(read.error());
      }
      more = !read->empty();
      if (upload.offset() + part.size() + read->size() > limit) co_return too_large();
      part += *read;
      if (part.size() < write_part && more) continue;
      if (!part.empty()) co_await offload([&] { upload.append(part); });
      part.clear();
    }
    if (expected && upload.offset() - begin != *expected) {
      const auto got = upload.offset() - begin;
      co_await offload([&] { upload.rewind(begin); });
      co_return error_reply(400, "SIZE_INVALID",
                            fmt::format("the content-range tells {} bytes, the body has {}", *expected, got));
    }
    co_return std::nullopt;
  }

  Task<Reply> finish(BlobUpload& upload, const Digest& digest) {
    const auto done = co_await offload([&] { return upload.finish(digest); });
    if (!done) co_return error_reply(400, "DIGEST_INVALID", done.error().message());
    co_return blob_made(digest);
  }

  // ---- manifests ----

  Task<Reply> manifest(std::string reference) {
    const bool puts = head_.verb == Verb::put;
    const bool removes = head_.verb == Verb::delete_;
    if (!reads() && !puts && !removes) co_return not_allowed("GET, HEAD, PUT, DELETE");
    if (auto no = co_await denied(puts || removes)) co_return *std::move(no);
    const bool by_digest = reference.find(':') != std::string::npos;
    std::optional<Digest> digest;
    if (by_digest) {
      auto parsed = Digest::parse(reference);
      if (!parsed) co_return error_reply(400, "DIGEST_INVALID", parsed.error().message());
      digest = *std::move(parsed);
    }
    if (puts) co_return co_await put_manifest(std::move(reference), std::move(digest));
    if (removes) {
      const auto done = co_await offload([&] {
        return digest ? store_.delete_manifest(repository_, *digest) : store_.delete_tag(repository_, reference);
      });
      // By digest it is gone either way.
      if (!done && !(digest && done.error().code() == Errc::not_found)) co_return manifest_error(done.error());
      co_return empty_reply(202);
    }
    auto found = co_await offload([&] { return store_.manifest(repository_, reference); });
    if (!found) co_return manifest_error(found.error());
    Reply out;
    out.response.content_type = std::move(found->media_type);
    out.response.body = std::move(found->bytes);
    out.response.headers.push_back({"docker-content-digest", found->digest.str()});
    co_return out;
  }

  static Reply manifest_error(const Error& error) {
    if (error.code() == Errc::not_found) return error_reply(404, "MANIFEST_UNKNOWN", error.message());
    return error_reply(400, "TAG_INVALID", error.message());
  }

  Task<Reply> put_manifest(std::string reference, std::optional<Digest> digest) {
    const auto* type = head_.header("content-type");
    if (!type) co_return error_reply(400, "MANIFEST_INVALID", "the request has no content-type");
    std::string media_type = type->substr(0, type->find(';'));
    while (!media_type.empty() && media_type.back() == ' ')
      media_type.pop_back();
    auto body = co_await exchange_.read_body(BlobStore::manifest_limit);
    if (!body) co_return body_error(body.error());
    const auto algorithm = digest ? digest->algorithm() : DigestAlgorithm::sha256;
    if (digest) {
      const auto actual = co_await offload([&] { return Digest::of(*body, algorithm); });
      if (actual != *digest)
        co_return error_reply(400, "DIGEST_INVALID",
                              fmt::format("the manifest has the digest {}, not {}", actual.str(), digest->str()));
    } else {
      // Said before anything else is looked at; an unknown tag is fine.
      const auto known = co_await offload([&] { return store_.resolve_tag(repository_, reference); });
      if (!known && known.error().code() == Errc::invalid_argument) co_return manifest_error(known.error());
    }
    std::optional<std::string_view> tag;
    if (!digest) tag = reference;
    const auto put =
        co_await offload([&] { return store_.put_manifest(repository_, media_type, *body, tag, algorithm); });
    if (!put)
      co_return error_reply(400, put.error().code() == Errc::not_found ? "MANIFEST_BLOB_UNKNOWN" : "MANIFEST_INVALID",
                            put.error().message());
    auto out = empty_reply(201);
    out.response.headers.push_back({"location", fmt::format("/v2/{}/manifests/{}", name_, put->digest.str())});
    out.response.headers.push_back({"docker-content-digest", put->digest.str()});
    if (put->subject) out.response.headers.push_back({"oci-subject", put->subject->str()});
    co_return out;
  }

  // ---- lists ----

  Task<Reply> tags() {
    if (!reads()) co_return not_allowed("GET, HEAD");
    if (auto no = co_await denied(false)) co_return *std::move(no);
    std::size_t limit = tag_page;
    if (const auto* text = query("n")) {
      const auto n = number(*text);
      if (!n) co_return error_reply(400, "PAGINATION_NUMBER_INVALID", "'n' is not a number");
      limit = static_cast<std::size_t>(std::clamp<std::uint64_t>(*n, 1, tag_page_limit));
    }
    const std::string last = query("last") ? *query("last") : std::string();
    const auto page = co_await offload([&] { return store_.tags(repository_, limit, last); });
    if (!page) co_return error_reply(404, "NAME_UNKNOWN", page.error().message());
    boost::json::array list;
    for (const auto& tag : page->items)
      list.emplace_back(tag);
    Reply out;
    out.response.body = fmt::format(R"({{"name":{},"tags":{}}})", json_text(name_), boost::json::serialize(list));
    if (page->more && !page->items.empty())
      out.response.headers.push_back(
          {"link", fmt::format(R"(</v2/{}/tags/list?n={}&last={}>; rel="next")", name_, limit, page->items.back())});
    co_return out;
  }

  Task<Reply> referrers(std::string reference) {
    if (!reads()) co_return not_allowed("GET, HEAD");
    if (auto no = co_await denied(false)) co_return *std::move(no);
    const auto digest = Digest::parse(reference);
    if (!digest) co_return error_reply(400, "DIGEST_INVALID", digest.error().message());
    const std::string type = query("artifactType") ? *query("artifactType") : std::string();
    const std::string last = query("last") ? *query("last") : std::string();
    const auto page = co_await offload([&] { return store_.referrers(repository_, *digest, type, last); });
    if (!page) co_return error_reply(404, "NAME_UNKNOWN", page.error().message());
    Reply out;
    out.response.content_type = "application/vnd.oci.image.index.v1+json";
    out.response.body = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
    for (std::size_t i = 0; i < page->items.size(); ++i) {
      if (i > 0) out.response.body += ',';
      out.response.body += page->items[i];
    }
    out.response.body += "]}";
    if (!type.empty()) out.response.headers.push_back({"oci-filters-applied", "artifactType"});
    if (page->more) {
      // The last descriptor is our own text, so it has a digest.
      const auto item = boost::json::parse(page->items.back());
      std::string next =
          fmt::format("/v2/{}/referrers/{}?last={}", name_, digest->str(), std::string(item.at("digest").as_string()));
      if (!type.empty()) {
        next += "&artifactType=";
        for (const char c : type) {
          const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                             c == '-' || c == '/';
          next += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
      }
      out.response.headers.push_back({"link", fmt::format(R"(<{}>; rel="next")", next)});
    }
    co_return out;
  }

  Registry& registry_;
  BlobStore& store_;
  Exchange& exchange_;
  const http::RequestHead& head_;
  std::vector<std::pair<std::string, std::string>> query_;
  std::string name_;        // as in the path
  std::string repository_;  // the project's UUID
};

Registry::Registry(BlobStore& store, RegistryAccess& access, RegistryOptions options, boost::asio::thread_pool& pool,
                   const Clock& clock)
    : store_(store), access_(access), options_(std::move(options)), pool_(pool), clock_(clock) {
  realm_ = options_.registry_url;
  if (!realm_.ends_with('/')) realm_ += '/';
  std::string_view host = realm_;
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos) host.remove_prefix(scheme + 3);
  host = host.substr(0, host.find('/'));
  if (const auto colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  service_ = host;
  realm_ += "v0/auth/oci/token";
}

Task<void> Registry::handle(Exchange& exchange) {
  RegistryRequest request(*this, exchange);
  auto reply = co_await request.answer();
  reply.response.headers.push_back({"docker-distribution-api-version", "registry/2.0"});
  reply.response.headers.push_back({"access-control-allow-origin", "*"});
  if (reply.file.empty())
    co_await exchange.respond(std::move(reply.response));
  else
    co_await exchange.respond_file(std::move(reply.response), std::move(reply.file), reply.offset, reply.length);
}

}  // namespace bencher::server
