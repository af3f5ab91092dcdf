// Recorded exchanges with the system that ours is compatible with, replayed against our server and compared.
#pragma once

#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include "tests/support/data.hpp"
#include "tests/support/world.hpp"

namespace bencher::test {

/// Replays recordings in order. What differs each time (UUIDs, times, keys) is learned from the answers, and must then
/// stay the same: where the recording names one thing twice, ours must, too.
class Replay {
 public:
  /// Members that our answers have beside the recorded ones.
  static inline const std::set<std::string> additions{"build", "default", "token", "position"};

  explicit Replay(ServerProcess& server) : api_(server.client()) {}

  /// What `<name>` stands for in a request.
  void credential(const std::string& name, std::string value) { credentials_[name] = std::move(value); }
  /// Headers that these recordings leave out.
  void ignore_header(const std::string& name) { ignored_headers_.insert(name); }
  /// Errors come in the form of the OCI distribution specification, with a code; the recordings have them otherwise.
  void oci_errors() { oci_errors_ = true; }
  /// Ours for a recorded text, in requests to come.
  void learn(const std::string& recorded, const std::string& ours) { known_[recorded] = ours; }
  std::string ours(const std::string& recorded) const { return substituted(recorded); }

  struct Differs {
    std::set<std::string> headers = {};  ///< not compared
    std::set<std::string> members = {};  ///< JSON pointers, `*` for any index, that are not compared
    std::map<std::string, std::string> credentials = {};
    /// The list's elements may come in another order: theirs depended on the second in which each was made.
    bool any_order = false;
  };
  Reply replay(const std::string& name) { return replay(name, Differs()); }
  /// One after the other, names separated by blanks.
  void replay_all(const std::string& names, const Differs& differs) {
    std::istringstream words(names);
    for (std::string name; words >> name;)
      replay(name, differs);
  }
  void replay_all(const std::string& names) { replay_all(names, Differs()); }
  /// Sends the recorded request and checks the answer.
  Reply replay(const std::string& name, const Differs& differs) {
    const auto recorded = json::parse(read_data("examples/" + name + ".json"));
    const auto& request = recorded.at("request");
    const auto& response = recorded.at("response").as_object();
    INFO(name);
    ApiClient::Options options;
    options.token = "";
    if (const auto* headers = request.as_object().if_contains("headers")) {
      for (const auto& [key, value] : headers->as_object()) {
        auto text = std::string(value.as_string());
        for (const auto* all : {&differs.credentials, &std::as_const(credentials_)})
          for (const auto& [mark, secret] : *all)
            if (const auto at = text.find("<" + mark + ">"); at != std::string::npos)
              text.replace(at, mark.size() + 2, secret);
        // Recorded decoded.
        if (text.starts_with("Basic <") && text.ends_with(">"))
          text = "Basic " + base64(std::string_view(text).substr(7, text.size() - 8));
        if (key == "Content-Type" || key == "content-type")
          options.content_type = text;
        else
          options.headers.emplace_back(std::string(key), text);
      }
    }
    std::string body;
    if (const auto* given = request.as_object().if_contains("body"); given && !given->is_null()) {
      body = given->is_string() ? std::string(given->as_string()) : json::serialize(*given);
      for (const auto* all : {&differs.credentials, &std::as_const(credentials_)})
        for (const auto& [mark, secret] : *all)
          if (const auto at = body.find("<" + mark + ">"); at != std::string::npos)
            body.replace(at, mark.size() + 2, secret);
    }
    auto reply = api_.send(std::string(request.at("method").as_string()),
                           substituted(std::string(request.at("path").as_string())), substituted(body), options);
    INFO(reply.text.substr(0, 2000));
    CHECK(reply.status == response.at("status").as_int64());
    static const std::set<std::string> compared{"content-type",
                                                "access-control-allow-headers",
                                                "access-control-allow-methods",
                                                "allow",
                                                "x-total-count",
                                                "access-control-allow-origin",
                                                "access-control-expose-headers",
                                                "location",
                                                "docker-content-digest",
                                                "docker-upload-uuid",
                                                "range",
                                                "content-range",
                                                "www-authenticate",
                                                "docker-distribution-api-version",
                                                "link",
                                                "oci-subject",
                                                "oci-filters-applied"};
    const auto& headers = response.at("headers").as_object();
    for (const auto& header : compared) {
      if (differs.headers.contains(header) || ignored_headers_.contains(header)) continue;
      INFO(header);
      const auto* theirs = headers.if_contains(header);
      const auto got = reply.header(header);
      CHECK_MESSAGE(got.has_value() == (theirs != nullptr), got.value_or("missing"));
      if (theirs && got) compare(*theirs, json::value(*got), "/" + header, differs);
    }
    if (headers.contains("x-request-id")) CHECK(reply.header("x-request-id").has_value());
    if (oci_errors_ && reply.status >= 400) {
      if (request.at("method") != "HEAD" && reply.status != 416) {
        const auto* errors = reply.body.is_object() ? reply.body.as_object().if_contains("errors") : nullptr;
        CHECK_MESSAGE(errors != nullptr, "no OCI error");
        if (errors) CHECK_FALSE(errors->at(0).at("code").as_string().empty());
      }
    } else if (response.contains("body")) {
      const auto& theirs = response.at("body");
      const bool plain = theirs.is_string() && reply.body.is_null();
      compare(theirs, plain ? json::value(reply.text) : reply.body, "", differs);
    }
    return reply;
  }

 private:
  static bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < 36; ++i)
      if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                  : !std::isxdigit(static_cast<unsigned char>(text[i])))
        return false;
    return true;
  }
  /// Whether it is a time that the recording server took from its clock.
  static bool is_clock(const std::string& text) {
    static const std::regex form(R"((2026-11-2[0-9]|2026-12|2162|2163)[-0-9]*T[0-9:.]+Z)");
    return std::regex_match(text, form);
  }
  std::string substituted(std::string text) const {
    for (const auto& [recorded, ours] : known_)
      for (auto at = text.find(recorded); at != std::string::npos; at = text.find(recorded, at + ours.size()))
        text.replace(at, recorded.size(), ours);
    return text;
  }
  static std::string kind(const json::value& v) {
    return v.is_null() ? "null" : v.is_number() ? "number" : std::string(json::to_string(v.kind()));
  }
  static bool covers(const std::set<std::string>& patterns, const std::string& at) {
    static const std::regex index("/[0-9]+(?=/|$)");
    return patterns.contains(at) || patterns.contains(std::regex_replace(at, index, "/*"));
  }

  /// For each of theirs the place of ours with that identity; those of unknown identity in the order that is left.
  std::vector<std::size_t> by_uuid(const json::array& theirs, const json::array& got) const {
    std::vector<std::size_t> order(theirs.size(), got.size());
    std::set<std::size_t> taken;
    for (const bool known : {true, false})
      for (std::size_t i = 0; i < theirs.size(); ++i) {
        if (order[i] != got.size()) continue;
        const auto uuid = std::string(theirs[i].at("uuid").as_string());
        for (std::size_t j = 0; j < got.size(); ++j) {
          const auto found = known_.find(uuid);
          const bool same = found != known_.end() && got[j].at("uuid").as_string() == found->second.c_str();
          if (taken.contains(j) || (known && !same)) continue;
          order[i] = j;
          taken.insert(j);
          break;
        }
      }
    for (const auto at : order)
      if (at == got.size()) return {};
    return order;
  }

  void compare(const json::value& theirs, const json::value& got, const std::string& at, const Differs& differs) {
    if (covers(differs.members, at)) return;
    INFO(at);
    if (kind(theirs) != kind(got)) {
      FAIL_CHECK("expected ", json::serialize(theirs).substr(0, 200), " got ", json::serialize(got).substr(0, 200));
      return;
    }
    switch (theirs.kind()) {
      case json::kind::object: {
        for (const auto& [key, value] : theirs.as_object()) {
          const auto* found = got.as_object().if_contains(key);
          const auto path = at + "/" + std::string(key);
          if (covers(differs.members, path)) continue;
          if (!found)
            FAIL_CHECK("missing member ", path);
          else
            compare(value, *found, path, differs);
        }
        for (const auto& [key, value] : got.as_object())
          if (!theirs.as_object().contains(key) && !additions.contains(std::string(key)) &&
              !covers(differs.members, at + "/" + std::string(key)))
            FAIL_CHECK("member that the recording has not: ", at, "/", std::string(key));
        return;
      }
      case json::kind::array: {
        const auto &a = theirs.as_array(), &b = got.as_array();
        CHECK_MESSAGE(a.size() == b.size(), "elements");
        const auto order = differs.any_order && at.empty() ? by_uuid(a, b) : std::vector<std::size_t>();
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
          compare(a[i], b[order.empty() ? i : order[i]], at + "/" + std::to_string(i), differs);
        return;
      }
      case json::kind::string: {
        const auto a = std::string(theirs.as_string()), b = std::string(got.as_string());
        if (at.ends_with("/message") || a.find('<') != std::string::npos) {
          CHECK_FALSE(b.empty());
        } else if (is_uuid(a)) {
          CHECK(is_uuid(b));
          if (!known_.emplace(a, b).second) CHECK_MESSAGE(known_.at(a) == b, "another identity than before");
        } else if (is_clock(a)) {
          static const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)");
          CHECK_MESSAGE(std::regex_match(b, form), b);
        } else {
          CHECK(substituted(a) == b);
        }
        return;
      }
      default:
        if (theirs.is_number()) {
          const auto a = theirs.to_number<double>(), b = got.to_number<double>();
          CHECK(std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)}));
        } else {
          CHECK(theirs == got);
        }
        return;
    }
  }

  ApiClient api_;
  std::map<std::string, std::string> credentials_;
  std::map<std::string, std::string> known_;
  std::set<std::string> ignored_headers_;
  bool oci_errors_ = false;
};

}  // namespace bencher::test
