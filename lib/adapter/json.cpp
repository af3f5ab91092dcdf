// Bencher Metric Format: {benchmark: {measure: {"value", "lower_value", "upper_value"}}}.

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"
#include "bencher/base/name.hpp"

#include "lib/adapter/registry.hpp"
#include "lib/json/reader.hpp"

namespace bencher::adapter {
namespace {

/// The usual text of a UUID in any of its spellings, or empty.
std::string canonical_uuid(std::string_view key) {
  if (key.size() == 45 && (key.starts_with("urn:uuid:") || key.starts_with("URN:UUID:"))) key.remove_prefix(9);
  if (key.size() == 38 && key.front() == '{' && key.back() == '}') key = key.substr(1, 36);
  if (key.size() != 32 && key.size() != 36) return {};
  const auto uuid = AnyUuid::parse(key);
  return uuid ? uuid->str() : std::string();
}

class Bmf {
 public:
  Bmf(std::string_view text, Builder& out) : text_(text), reader_(text), out_(out) {}

  Result<void> read() {
    document();
    if (reader_.failed()) return error();
    return {};
  }

 private:
  bool document() {
    if (reader_.peek() != '{')
      return reader_.fail(fmt::format("expected an object of benchmarks, found {}", reader_.found()));
    reader_.take('{');
    if (!reader_.take('}')) {
      do {
        if (!key(benchmark_)) return false;
        if (benchmark_.empty() || benchmark_.size() > 1024)
          return reader_.fail(fmt::format("a benchmark name has 1 to 1024 bytes, not {}", benchmark_.size()));
        out_.benchmark(benchmark_);
        if (!measures()) return false;
        benchmark_ = {};
      } while (reader_.take(','));
      if (!reader_.expect('}', "',' or '}'")) return false;
    }
    return reader_.finish();
  }

  bool measures() {
    if (!open("an object of measures")) return false;
    if (reader_.take('}')) return true;
    std::size_t place = 0;
    do {
      if (!key(measure_)) return false;
      // Most texts have the same measures in the same order in each benchmark.
      if (place == known_.size() || known_[place].name != measure_) {
        const auto plain = [](char c) { return c > 0x20 && c < 0x7f; };
        if (measure_.empty() || measure_.size() > 64 || !plain(measure_.front()) || !plain(measure_.back()))
          if (const auto checked = ResourceName::parse(measure_); !checked)
            return reader_.fail(checked.error().message());
        const Known now{std::string(measure_), out_.measure(measure_)};
        if (place == known_.size() && place < 256)
          known_.push_back(now);
        else if (place < known_.size())
          known_[place] = now;
        measure_id_ = now.id;
      } else {
        measure_id_ = known_[place].id;
      }
      ++place;
      Metric read;
      if (!metric(read)) return false;
      out_.metric(measure_id_, read);
      measure_ = {};
    } while (reader_.take(','));
    return reader_.expect('}', "',' or '}'");
  }

  bool metric(Metric& out) {
    if (reader_.peek() == '[') return metric_array(out);
    if (!open("a metric object")) return false;
    bool has_value = false, has_lower = false, has_upper = false;
    if (!reader_.take('}')) {
      do {
        std::string_view field;
        if (!reader_.string(field, scratch_) || !reader_.expect(':', "':' after the key")) return false;
        // `name` is a literal: the key itself may be in the scratch.
        const auto once = [&](bool& has, std::string_view name) {
          field_ = name;
          if (has) return reader_.fail("the field is there twice");
          return has = true;
        };
        if (field == "value") {
          if (!once(has_value, "value") || !reader_.number(out.value)) return false;
        } else if (field == "lower_value") {
          if (!once(has_lower, "lower_value") || !bound(out.lower)) return false;
        } else if (field == "upper_value") {
          if (!once(has_upper, "upper_value") || !bound(out.upper)) return false;
        } else if (!reader_.skip(4)) {
          return false;
        }
        field_ = {};
      } while (reader_.take(','));
      if (!reader_.expect('}', "',' or '}'")) return false;
    }
    return has_value || reader_.fail("the metric lacks its value");
  }

  /// The three fields in order, without their names.
  bool metric_array(Metric& out) {
    reader_.take('[');
    return reader_.number(out.value) && reader_.expect(',', "','") && bound(out.lower) && reader_.expect(',', "','") &&
           bound(out.upper) && reader_.expect(']', "']' after three numbers");
  }

  bool bound(std::optional<double>& out) {
    if (reader_.take_null()) return true;
    double value = 0;
    if (!reader_.number(value)) return false;
    out = value;
    return true;
  }

  bool open(const char* what) {
    return reader_.take('{') || reader_.fail(fmt::format("expected {}, found {}", what, reader_.found()));
  }

  /// `out` is into the text, or into the storage of the place where it stands.
  bool key(std::string_view& out) {
    auto& storage = &out == &benchmark_ ? benchmark_text_ : measure_text_;
    if (!reader_.string(out, storage) || !reader_.expect(':', "':' after the key")) return false;
    if (out.size() >= 32 && out.size() <= 45) {
      if (auto uuid = canonical_uuid(out); !uuid.empty()) {
        storage = std::move(uuid);
        out = storage;
      }
    }
    return true;
  }

  Error error() {
    std::string pointer;
    for (const auto part : {benchmark_, measure_, field_}) {
      if (part.empty()) break;
      pointer += '/';
      for (const char c : to_valid_utf8(part.substr(0, 200)))
        c == '~' ? pointer += "~0" : c == '/' ? pointer += "~1" : pointer += c;
    }
    const auto before = text_.substr(0, reader_.offset());
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto start = before.rfind('\n');
    const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return Error(Errc::invalid_argument,
                 fmt::format("{}{}{}{} (line {}, column {})", pointer.empty() ? "" : "at ", pointer,
                             pointer.empty() ? "" : ": ", reader_.reason(), line, column));
  }

  struct Known {
    std::string name;
    Builder::MeasureId id;
  };

  std::string_view text_;
  json::Reader reader_;
  Builder& out_;
  std::string scratch_, benchmark_text_, measure_text_;
  std::string_view benchmark_, measure_, field_;  ///< where the reader stands
  Builder::MeasureId measure_id_{};
  std::vector<Known> known_;  ///< the measures of the benchmark before, by their place in it
};

}  // namespace

Result<void> read_bmf(std::string_view text, Builder& out) {
  return Bmf(text, out).read();
}

}  // namespace bencher::adapter
