#include "bencher/base/timestamp.hpp"

#include <chrono>

#include <fmt/core.h>

namespace bencher {
namespace {

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

}  // namespace

Result<Timestamp> Timestamp::parse(std::string_view text) {
  const auto wrong = [&] {
    return Error(Errc::invalid_argument,
                 fmt::format("time '{}' is not RFC 3339, such as 2024-07-11T06:23:00Z", text.substr(0, 64)));
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!digits(text, 0, 4, year) || !digits(text, 5, 2, month) || !digits(text, 8, 2, day) ||
      !digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) || !digits(text, 17, 2, second))
    return wrong();
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':')
    return wrong();
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second; the scale has none, so it reads as the next minute's first.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return wrong();
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    const auto first = ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9')
      ++at;
    if (at == first) return wrong();
  }
  std::int64_t offset = 0;
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    ++at;
  } else {
    int oh = 0, om = 0;
    if (at >= text.size() || (text[at] != '+' && text[at] != '-') || !digits(text, at + 1, 2, oh) ||
        at + 3 >= text.size() || text[at + 3] != ':' || !digits(text, at + 4, 2, om) || oh > 23 || om > 59)
      return wrong();
    offset = (oh * 3600 + om * 60) * (text[at] == '-' ? -1 : 1);
    at += 6;
  }
  if (at != text.size()) return wrong();
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return Timestamp{std::int64_t{days} * 86400 + hour * 3600 + minute * 60 + second - offset};
}

Timestamp Timestamp::of(Instant instant) {
  return {std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count()};
}

std::string Timestamp::str() const {
  const std::chrono::sys_seconds at{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto rest = (at - day).count();
  // Reports and series are full of times: those of four-digit years are printed by hand.
  if (const auto year = static_cast<int>(date.year()); year >= 0 && year <= 9999) {
    std::string out("0000-00-00T00:00:00Z");
    const auto put = [&out](std::size_t end, std::int64_t value) {
      for (; value != 0; value /= 10)
        out[--end] = static_cast<char>('0' + value % 10);
    };
    put(4, year);
    put(7, static_cast<unsigned>(date.month()));
    put(10, static_cast<unsigned>(date.day()));
    put(13, rest / 3600);
    put(16, rest / 60 % 60);
    put(19, rest % 60);
    return out;
  }
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3600,
                     rest / 60 % 60, rest % 60);
}

std::string time_text(Instant at) {
  auto text = Timestamp::of(at).str();
  const auto fraction = at - std::chrono::floor<std::chrono::seconds>(at);
  text.replace(text.size() - 1, 1, fmt::format(".{:03}Z", fraction.count()));
  return text;
}

}  // namespace bencher
