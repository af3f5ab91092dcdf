#include "bencher/project/slug.hpp"

#include <string>

#include "bencher/base/timestamp.hpp"

namespace bencher {
namespace {

constexpr std::string_view base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string unique_text(Instant now, Random& random, bool all_random) {
  if (all_random) return random.text(8, base36);
  std::string out(6, '0');
  auto seconds = static_cast<std::uint64_t>(Timestamp::of(now).seconds);
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, seconds /= 36)
    *digit = base36[seconds % 36];
  return out + random.text(2, base36);
}

}  // namespace

Slug choose_slug(std::string_view wish, const std::function<bool(const Slug&)>& taken, Instant now, Random& random) {
  const auto base = slugify(wish);
  if (!base.empty()) {
    auto slug = Slug::parse(base).value();
    if (!taken(slug)) return slug;
  }
  // Shortened as a whole, so that no hyphen is left at the cut.
  const auto stem = base.empty() ? std::string() : slugify(std::string_view(base).substr(0, 55)) + "-";
  for (int attempt = 0;; ++attempt) {
    auto slug = Slug::parse(stem + unique_text(now, random, attempt >= 32)).value();
    if (!taken(slug)) return slug;
  }
}

}  // namespace bencher
