#include "lib/adapter/xml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

#include "lib/adapter/text.hpp"

namespace bencher::adapter {
namespace {

bool space(char c) {
  return blank(c) || c == '\n' || c == '\r';
}

constexpr auto name_signs = [] {
  std::array<bool, 256> out{};
  out.fill(true);
  for (const char c : {' ', '\t', '\n', '\r', '>', '/', '=', '<', '"', '\'', '&'})
    out[static_cast<unsigned char>(c)] = false;
  return out;
}();

inline bool name_sign(char c) {
  return name_signs[static_cast<unsigned char>(c)];
}

/// `lt`, `#38`, `#x26`; what is none of these stays as it is written.
void put_reference(std::string& out, std::string_view reference) {
  static constexpr std::pair<std::string_view, char> named[]{
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [name, sign] : named)
    if (name == reference) {
      out += sign;
      return;
    }
  if (reference.starts_with('#')) {
    const bool hex = reference.starts_with("#x") || reference.starts_with("#X");
    const auto digits = reference.substr(hex ? 2 : 1);
    std::uint32_t point = 0;
    const auto [stop, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), point, hex ? 16 : 10);
    if (ec == std::errc() && stop == digits.data() + digits.size() && !digits.empty() && point > 0 &&
        point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)) {
      append_utf8(out, point);
      return;
    }
  }
  out.append("&").append(reference).append(";");
}

}  // namespace

void Xml::unescape(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty()) {
    const auto at = std::min(text.find('&'), text.size());
    out.append(text, 0, at);
    text.remove_prefix(at);
    if (text.empty()) return;
    const auto end = text.substr(0, 12).find(';');
    if (end == std::string_view::npos) {
      out += '&';
      text.remove_prefix(1);
    } else {
      put_reference(out, text.substr(1, end - 1));
      text.remove_prefix(end + 1);
    }
  }
}

Xml::Token Xml::fail(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
  return Token::end;
}

Error Xml::error() const {
  const auto line = std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n') + 1;
  return Error(Errc::invalid_argument, fmt::format("XML: {} (line {})", reason_, line));
}

bool Xml::skip_past(std::string_view end) {
  const auto at = place_of(text_.substr(at_), end);
  if (at == std::string_view::npos) {
    (void)fail(fmt::format("'{}' is missing", end));
    return false;
  }
  at_ += at + end.size();
  return true;
}

/// Passes over a comment, CDATA, a declaration. False if a tag begins here.
bool Xml::skip_markup() {
  const auto rest = text_.substr(at_);
  if (rest.starts_with("<!--")) return skip_past("-->");
  if (rest.starts_with("<![CDATA[")) return skip_past("]]>");
  if (rest.starts_with("<?")) return skip_past("?>");
  if (!rest.starts_with("<!")) return false;
  // A document type, which may have declarations of its own in brackets.
  int brackets = 0;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == '>' && brackets <= 0) {
      ++at_;
      return true;
    }
  }
  (void)fail("'>' of a declaration is missing");
  return false;
}

Xml::Token Xml::next() {
  if (failed()) return Token::end;
  if (closes_) {
    closes_ = false;
    open_.pop_back();
    return Token::close;
  }
  for (;;) {
    const auto open = text_.find('<', at_);
    if (open == std::string_view::npos) {
      at_ = text_.size();
      if (!open_.empty()) return fail(fmt::format("the text ends within <{}>", excerpt(open_.back(), 80)));
      return Token::end;
    }
    at_ = open;
    // A log before the document may have such a sign in it.
    if (open_.empty() && open + 1 < text_.size() && (!name_sign(text_[open + 1]) || digit(text_[open + 1]))) {
      ++at_;
      continue;
    }
    if (!skip_markup()) break;
  }
  if (failed()) return Token::end;
  auto at = at_ + 1;
  const bool closing = at < text_.size() && text_[at] == '/';
  if (closing) ++at;
  const auto from = at;
  while (at < text_.size() && name_sign(text_[at]))
    ++at;
  name_ = text_.substr(from, at - from);
  const auto attributes = at;
  for (; at < text_.size(); ++at) {
    const char c = text_[at];
    if (c == '>' || c == '<') break;
    if (c == '"' || c == '\'') at = std::min(text_.find(c, at + 1), text_.size() - 1);
  }
  if (at == text_.size() || text_[at] != '>' || name_.empty())
    return fail(fmt::format("a tag <{}> without its end", excerpt(name_, 80)));
  at_ = at + 1;
  if (closing) {
    if (open_.empty() || open_.back() != name_)
      return fail(fmt::format("</{}> closes nothing that is open", excerpt(name_, 80)));
    open_.pop_back();
    return Token::close;
  }
  closes_ = text_[at - 1] == '/';
  attributes_ = text_.substr(attributes, at - attributes - (closes_ ? 1 : 0));
  if (open_.size() == max_depth) return fail(fmt::format("elements nest deeper than {} levels", max_depth));
  open_.push_back(name_);
  return Token::open;
}

bool Xml::next_attribute(std::size_t& at, std::string_view& key, std::string_view& raw) const {
  const auto skip = [&] {
    while (at < attributes_.size() && space(attributes_[at]))
      ++at;
  };
  skip();
  const auto from = at;
  while (at < attributes_.size() && name_sign(attributes_[at]))
    ++at;
  key = attributes_.substr(from, at - from);
  skip();
  if (key.empty() || at == attributes_.size() || attributes_[at] != '=') return false;
  ++at;
  skip();
  if (at == attributes_.size() || (attributes_[at] != '"' && attributes_[at] != '\'')) return false;
  const auto end = attributes_.find(attributes_[at], at + 1);
  if (end == std::string_view::npos) return false;
  raw = attributes_.substr(at + 1, end - at - 1);
  at = end + 1;
  return true;
}

bool Xml::attribute(std::string_view key, std::string& out) const {
  out.clear();
  std::string_view name, raw;
  for (std::size_t at = 0; next_attribute(at, name, raw);)
    if (name == key) {
      unescape(raw, out);
      return true;
    }
  return false;
}

}  // namespace bencher::adapter
