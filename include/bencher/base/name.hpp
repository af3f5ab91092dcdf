#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "bencher/base/result.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher {

/// The transliterated, lower-case, hyphenated form of a name, at most 64 bytes; empty when nothing usable is in it.
std::string slugify(std::string_view name);

/// What makes a thing addressable in a URL: 1–64 bytes, equal to its own `slugify`.
class Slug {
 public:
  Slug() = default;
  static Result<Slug> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const Slug&) const = default;

 private:
  explicit Slug(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A name of at most `Max` bytes, not empty, valid UTF-8, with no white space at either end.
template <std::size_t Max>
class Name {
 public:
  Name() = default;
  static Result<Name> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const Name&) const = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Names of organizations, projects, testbeds, measures, specs, runners, keys; also units.
using ResourceName = Name<64>;
extern template class Name<64>;

/// A user's display name: 1–64 of letters, digits, space and `,.'-`, trimmed.
class UserName {
 public:
  UserName() = default;
  static Result<UserName> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const UserName&) const = default;

 private:
  std::string text_;
};

/// A branch's name: 1–256 bytes that Git would take as part of a reference name (git-check-ref-format), checked as the
/// reference server checks it.
class BranchName {
 public:
  BranchName() = default;
  static Result<BranchName> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const BranchName&) const = default;

 private:
  std::string text_;
};

/// A benchmark's name: 1–1024 bytes of any text.
class BenchmarkName {
 public:
  BenchmarkName() = default;
  static Result<BenchmarkName> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const BenchmarkName&) const = default;

 private:
  std::string text_;
};

/// An e-mail address, kept in lower case.
class Email {
 public:
  Email() = default;
  static Result<Email> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const Email&) const = default;

 private:
  std::string text_;
};

/// A Git commit id: 40 hex digits of either case, kept as given.
class GitHash {
 public:
  GitHash() = default;
  static Result<GitHash> parse(std::string_view text);
  const std::string& str() const noexcept { return text_; }
  auto operator<=>(const GitHash&) const = default;

 private:
  std::string text_;
};

/// What a path names a resource by: a UUID, else a slug.
class ResourceId {
 public:
  ResourceId() = default;
  explicit ResourceId(AnyUuid uuid) : id_(uuid) {}
  explicit ResourceId(Slug slug) : id_(std::move(slug)) {}
  static Result<ResourceId> parse(std::string_view text);
  const AnyUuid* uuid() const noexcept { return std::get_if<AnyUuid>(&id_); }
  const Slug* slug() const noexcept { return std::get_if<Slug>(&id_); }
  std::string str() const { return uuid() ? uuid()->str() : slug()->str(); }
  bool operator==(const ResourceId&) const = default;

 private:
  std::variant<AnyUuid, Slug> id_;
};

/// What a body or query names a resource by: a UUID, else a slug, else a name; the first reading that works is meant.
template <class N>
class NameId {
 public:
  NameId() = default;
  explicit NameId(AnyUuid uuid) : id_(uuid) {}
  explicit NameId(Slug slug) : id_(std::move(slug)) {}
  explicit NameId(N name) : id_(std::move(name)) {}
  static Result<NameId> parse(std::string_view text) {
    if (auto uuid = AnyUuid::parse(text)) return NameId(*uuid);
    if (auto slug = Slug::parse(text)) return NameId(*std::move(slug));
    auto name = N::parse(text);
    if (!name) return std::move(name).error();
    return NameId(*std::move(name));
  }
  const AnyUuid* uuid() const noexcept { return std::get_if<AnyUuid>(&id_); }
  const Slug* slug() const noexcept { return std::get_if<Slug>(&id_); }
  const N* name() const noexcept { return std::get_if<N>(&id_); }
  std::string str() const { return uuid() ? uuid()->str() : slug() ? slug()->str() : name()->str(); }
  bool operator==(const NameId&) const = default;

 private:
  std::variant<AnyUuid, Slug, N> id_;
};

}  // namespace bencher
