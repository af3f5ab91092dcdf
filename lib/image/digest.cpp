#include "bencher/image/digest.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>

#include <fmt/core.h>
#include <openssl/evp.h>

#include "bencher/base/encoding.hpp"

namespace bencher {
namespace {

std::size_t digits_of(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha256 ? 64 : 128;
}

std::string_view name_of(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha256 ? "sha256" : "sha512";
}

Error wrong(std::string message) {
  return Error(Errc::invalid_argument, "image digest: " + std::move(message));
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("no ':' between algorithm and hex");
  const auto name = text.substr(0, colon);
  const auto hex = text.substr(colon + 1);
  if (name != "sha256" && name != "sha512")
    return wrong(fmt::format("algorithm '{}' is not sha256 or sha512", to_valid_utf8(name.substr(0, 64))));
  const auto digits = digits_of(name == "sha256" ? DigestAlgorithm::sha256 : DigestAlgorithm::sha512);
  if (hex.size() != digits) return wrong(fmt::format("{} hex digits, {} takes {}", hex.size(), name, digits));
  const bool all_hex =
      std::all_of(hex.begin(), hex.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!all_hex) return wrong("a character after ':' is not a lower-case hex digit");
  return Digest(std::string(text));
}

Digest Digest::of(std::string_view bytes, DigestAlgorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish();
}

DigestAlgorithm Digest::algorithm() const noexcept {
  return text_.starts_with("sha256:") ? DigestAlgorithm::sha256 : DigestAlgorithm::sha512;
}

std::string_view Digest::hex() const noexcept {
  return std::string_view(text_).substr(std::min<std::size_t>(text_.size(), 7));
}

struct Hasher::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  DigestAlgorithm algorithm;
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Hasher::Hasher(DigestAlgorithm algorithm) : impl_(std::make_unique<Impl>()) {
  impl_->algorithm = algorithm;
  const EVP_MD* md = algorithm == DigestAlgorithm::sha256 ? EVP_sha256() : EVP_sha512();
  if (!impl_->context || EVP_DigestInit_ex(impl_->context.get(), md, nullptr) != 1) throw std::bad_alloc();
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
  if (EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

void Hasher::update(std::span<const std::byte> bytes) {
  update(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Digest Hasher::finish() {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(impl_->context.get(), out.data(), &size) != 1) throw std::bad_alloc();
  std::string text(name_of(impl_->algorithm));
  text += ':';
  text += to_hex(std::span(out).first(size));
  return Digest(std::move(text));
}

}  // namespace bencher
