// The order of the forms decides, but not every form has to read the text for that. Of JSON, what its beginning
// promises is read first. If that gives results, the text is JSON as a whole and the keys of its top object are known,
// which rules out most forms before it. Of the others those are tried whose literals stand in the text.

#include "lib/adapter/detect.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "lib/adapter/marks.hpp"
#include "lib/adapter/text.hpp"

namespace bencher::adapter {

bool takes(Averages averages, std::optional<Average> average) {
  if (!average) return true;
  switch (averages) {
    case Averages::any:
    case Averages::same: return true;
    case Averages::mean: return *average == Average::mean;
    case Averages::median: return *average == Average::median;
    case Averages::none: return false;
  }
  return false;
}

bool detected(const Row& row, AdapterKind kind) {
  return row.detected && (kind == AdapterKind::magic || row.language == kind);
}

std::vector<Form> forms_of(AdapterKind kind, const ParseOptions& options) {
  std::vector<Form> out, further_json, further_text, vague;
  for (const auto& row : rows()) {
    if (!detected(row, kind) || !takes(row.averages, options.average)) continue;
    auto& further = row.shape == Shape::json ? further_json : further_text;
    if (row.strict.parse) out.push_back({&row, &row.strict, row.shape});
    if (row.extended.parse) (row.extended.vague ? vague : further).push_back({&row, &row.extended, row.shape});
    if (row.other.parse)
      (row.shape == Shape::json ? further_text : further_json).push_back({&row, &row.other, row.other_shape()});
  }
  for (const auto* more : {&further_json, &further_text, &vague})
    out.insert(out.end(), more->begin(), more->end());
  return out;
}

bool begins_json(std::string_view text) {
  // `[ 50.00%]` and `[3.15ms]` are beginnings of others.
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  const auto second = text.find_first_not_of(blanks, first + 1);
  if (second == std::string_view::npos) return true;
  const std::string_view inside = text[first] == '{' ? "\"}" : "{[]";
  return inside.find(text[second]) != std::string_view::npos;
}

Result<Parsed> run(const Form& form, Prepared& text, const ParseOptions& options, TopKeys* keys) {
  const auto whole = form.shape == Shape::json ? text.text() : text.plain();
  Builder out(options, form.row->repeats, whole);
  BENCHER_DO(form.grammar->parse(whole, out));
  if (out.names_too_long())
    return Error(Errc::invalid_argument,
                 "the names of the benchmarks take more than four times the text: give their groups shorter names");
  if (keys) *keys = out.top_keys();
  const auto kind = out.plainly().value_or(form.row->kind);
  auto parsed = std::move(out).finish(kind);
  if (text.malformed() > 0)
    parsed.warnings.push_back(
        fmt::format("line {} is not valid UTF-8; what is malformed is read as U+FFFD", text.malformed()));
  return parsed;
}

namespace {

/// As much of a text as tells what it is most of the time.
constexpr std::size_t beginning = 16 * 1024;

/// The keys of the top object that stand in its beginning, as they are written.
std::vector<std::string_view> first_keys(std::string_view text) {
  std::vector<std::string_view> out;
  int depth = 0;
  bool key = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      const auto from = ++at;
      while (at < text.size() && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
      if (at >= text.size()) break;
      if (key) out.push_back(text.substr(from, at - from));
      key = false;
    } else if (c == '{' || c == '[') {
      key = ++depth == 1;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) break;
    } else if (c == ',') {
      key = depth == 1;
    }
  }
  return out;
}

class Detection {
 public:
  Detection(const std::vector<Form>& forms, Prepared& text, const ParseOptions& options)
      : forms_(forms),
        text_(text),
        options_(options),
        is_json_(begins_json(text.text()) && text.malformed() == 0),
        is_array_(is_json_ && trimmed(text.text()).starts_with('[')),
        tried_(forms.size()) {}

  std::optional<Parsed> first() {
    auto promised = is_json_ ? first_promised() : std::nullopt;
    auto before = first_marked();
    return before ? std::move(before) : std::move(promised);
  }

 private:
  /// The first JSON form that gives results, of those that the beginning of the text promises.
  std::optional<Parsed> first_promised() {
    const auto start = text_.text().substr(0, beginning);
    const auto keys = is_array_ ? std::vector<std::string_view>() : first_keys(start);
    for (std::size_t i = 0; i < forms_.size(); ++i) {
      const auto& grammar = *forms_[i].grammar;
      if (forms_[i].shape != Shape::json) continue;
      const auto promises = [&](std::string_view mark) {
        return grammar.marks == MarksAre::keys ? std::find(keys.begin(), keys.end(), mark) != keys.end()
                                               : holds(start, mark);
      };
      if (is_array_ ? !may_be_array(i)
                    : !grammar.mark.empty() && !promises(grammar.mark) &&
                          (grammar.or_mark.empty() || !promises(grammar.or_mark)))
        continue;
      tried_[i] = true;
      auto parsed = run(forms_[i], text_, options_, &keys_);
      if (!parsed) continue;
      all_json_ = keys_.of_json();
      end_ = i;
      return *std::move(parsed);
    }
    return {};
  }

  /// The reference takes an array of an object's fields for the object; nobody writes one, so further forms do not.
  bool may_be_array(std::size_t i) const {
    return forms_[i].grammar == &forms_[i].row->strict || forms_[i].grammar->marks != MarksAre::keys;
  }

  /// Whether what is known of the text does not let the form find anything.
  bool ruled_out(std::size_t i) const {
    const auto& grammar = *forms_[i].grammar;
    if (tried_[i]) return true;
    if (forms_[i].shape == Shape::text) return all_json_ && grammar.never_json;
    if (!is_json_ || is_array_) return true;
    return all_json_ && grammar.marks == MarksAre::keys && !keys_.may_have(grammar.mark) &&
           (grammar.or_mark.empty() || !keys_.may_have(grammar.or_mark));
  }

  /// The first form before `end_` that gives results, of those whose marks stand in the text.
  std::optional<Parsed> first_marked() {
    // A key may be written with it, and does not stand in the text then.
    constexpr std::string_view escape = "\\u";
    std::vector<std::size_t> worth;
    std::vector<std::string_view> marks;
    const auto add = [&](std::size_t i, std::string_view mark) {
      worth.push_back(i);
      marks.push_back(mark);
    };
    for (std::size_t i = 0; i < std::min(end_, forms_.size()); ++i) {
      if (ruled_out(i)) continue;
      const auto& grammar = *forms_[i].grammar;
      add(i, grammar.mark);
      if (!grammar.or_mark.empty()) add(i, grammar.or_mark);
      if (!grammar.extras_mark.empty() && options_.all_measures) add(i, grammar.extras_mark);
      if (grammar.marks == MarksAre::keys) add(i, escape);
    }
    if (worth.empty()) return {};
    // JSON has no escape sequences of terminals.
    Marks in_text(all_json_ ? text_.text() : text_.plain(), std::move(marks));
    for (auto k = in_text.next(0); k < worth.size(); k = in_text.next(k + 1)) {
      if (tried_[worth[k]]) continue;
      tried_[worth[k]] = true;
      if (auto parsed = run(forms_[worth[k]], text_, options_)) return *std::move(parsed);
    }
    return {};
  }

  const std::vector<Form>& forms_;
  Prepared& text_;
  const ParseOptions& options_;
  bool is_json_, is_array_;
  std::vector<bool> tried_;
  bool all_json_ = false;       ///< a form has read the whole of it as JSON
  std::size_t end_ = SIZE_MAX;  ///< that form
  TopKeys keys_;
};

}  // namespace

std::optional<Parsed> first_of(const std::vector<Form>& forms, Prepared& text, const ParseOptions& options) {
  return Detection(forms, text, options).first();
}

}  // namespace bencher::adapter
