#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "bencher/base/result.hpp"

namespace bencher {

enum class DigestAlgorithm { sha256, sha512 };

/// Content address of an OCI manifest or blob, such as `sha256:2cf24d…`.
/// Only `parse`, `of` and `Hasher` make one, so to hold a `Digest` is to know that it is well formed.
/// Grammar: OCI image specification, "Descriptors", section "Digests".
class Digest {
 public:
  /// Reads `algorithm:hex`, hex in lower case: 64 digits for sha256, 128 for sha512.
  /// Error: `invalid_argument`; the message says which part was wrong.
  static Result<Digest> parse(std::string_view text);

  /// The digest of `bytes`, which may be empty.
  static Digest of(std::string_view bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256);

  /// The whole text, as `parse` takes it. Valid for as long as this object is.
  const std::string& str() const noexcept { return text_; }
  DigestAlgorithm algorithm() const noexcept;
  /// The part after the colon, lower case. A view into `str()`.
  std::string_view hex() const noexcept;

  auto operator<=>(const Digest&) const = default;

 private:
  friend class Hasher;
  explicit Digest(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// Computes a `Digest` piece by piece. Throws std::bad_alloc when OpenSSL has no memory for it.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm = DigestAlgorithm::sha256);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::string_view bytes);
  void update(std::span<const std::byte> bytes);
  /// The digest of all bytes given so far. Ends the computation; call it once, last.
  Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bencher
