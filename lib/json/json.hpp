// JSON by Boost.Describe metadata: one list of members serves printing, parsing and the OpenAPI schema.
// Printing goes straight into a string; parsing reads simdjson's tree, which keeps duplicate members visible.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include "bencher/base/result.hpp"
#include "bencher/base/uuid.hpp"

namespace bencher::json {

/// An optional member that is left out when empty. (A plain std::optional is sent as `null`.)
template <class T>
struct Sparse : std::optional<T> {
  using std::optional<T>::optional;
  Sparse(std::optional<T> other) : std::optional<T>(std::move(other)) {}
};

/// A member of an update: absent, `null`, or a value.
template <class T>
struct Patch {
  bool given = false;
  std::optional<T> value;
};

/// The name of a plain optional member of `T` that is left out when empty all the same; of a type that is public.
template <class T>
inline constexpr std::string_view sparse_member = {};

/// Text that is JSON already.
struct Raw {
  std::string text;
};

/// Bodies that name `strict_members` refuse unknown members, and `null` for members that are not `Patch`.
template <class T>
constexpr bool strict = requires {
  typename T::strict_members;
};

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_enum_v<T>;
template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
/// A validated value whose wire form is a string.
template <class T>
concept Text = requires(const T& t, std::string_view s) {
  { T::parse(s) } -> std::same_as<Result<T>>;
  { t.str() } -> std::convertible_to<std::string>;
};

template <class T>
struct optional_of : std::false_type {};
template <class T>
struct optional_of<std::optional<T>> : std::true_type {};
template <class T>
struct sparse_of : std::false_type {};
template <class T>
struct sparse_of<Sparse<T>> : std::true_type {};
template <class T>
struct patch_of : std::false_type {};
template <class T>
struct patch_of<Patch<T>> : std::true_type {};
template <class T>
struct shared_of : std::false_type {};
template <class T>
struct shared_of<std::shared_ptr<const T>> : std::true_type {};
template <class T>
struct vector_of : std::false_type {};
template <class T>
struct vector_of<std::vector<T>> : std::true_type {};
template <class T>
struct map_of : std::false_type {};
template <class T>
struct map_of<std::map<std::string, T>> : std::true_type {};

/// A C++ keyword as a name carries a trailing `_`, which the wire does not.
constexpr std::string_view wire_name(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <DescribedEnum E>
std::string_view enum_name(E v) {
  std::string_view name;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (d.value == v) name = wire_name(d.name);
  });
  return name;
}
template <DescribedEnum E>
std::optional<E> enum_from(std::string_view text) {
  std::optional<E> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (!found && wire_name(d.name) == text) found = d.value;
  });
  return found;
}
template <DescribedEnum E>
std::string enum_names() {
  std::string all;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (!all.empty()) all += ", ";
    all += wire_name(d.name);
  });
  return all;
}

void write_text(std::string& out, std::string_view text);
void write_number(std::string& out, double number);

template <class T>
void write(std::string& out, const T& v) {
  if constexpr (std::same_as<T, bool>) {
    out += v ? "true" : "false";
  } else if constexpr (std::integral<T>) {
    char buffer[24];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
  } else if constexpr (std::floating_point<T>) {
    write_number(out, v);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    write_text(out, v);
  } else if constexpr (std::same_as<T, Raw>) {
    out += v.text;
  } else if constexpr (std::derived_from<T, AnyUuid>) {
    char buffer[38];
    buffer[0] = buffer[37] = '"';
    v.write(buffer + 1);
    out.append(buffer, sizeof buffer);
  } else if constexpr (Text<T>) {
    write_text(out, v.str());
  } else if constexpr (DescribedEnum<T>) {
    write_text(out, enum_name(v));
  } else if constexpr (optional_of<T>::value || sparse_of<T>::value || shared_of<T>::value) {
    if (v)
      write(out, *v);
    else
      out += "null";
  } else if constexpr (vector_of<T>::value) {
    out += '[';
    bool first = true;
    for (const auto& e : v) {
      if (!first) out += ',';
      first = false;
      write(out, e);
    }
    out += ']';
  } else if constexpr (map_of<T>::value) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : v) {
      if (!first) out += ',';
      first = false;
      write_text(out, key);
      out += ':';
      write(out, value);
    }
    out += '}';
  } else if constexpr (requires { write_json(out, v); }) {
    // Its own way, next to its description, for the same text.
    write_json(out, v);
  } else {
    static_assert(Described<T>, "describe the type next to its domain (lib/<domain>/json.hpp)");
    out += '{';
    bool first = true;
    boost::mp11::mp_for_each<members<T>>([&](auto d) {
      const auto& m = v.*d.pointer;
      if constexpr (sparse_of<std::remove_cvref_t<decltype(m)>>::value)
        if (!m) return;
      if constexpr (optional_of<std::remove_cvref_t<decltype(m)>>::value &&
                    sparse_member<T> == std::string_view(decltype(d)::name))
        if (!m) return;
      // `,"name":`, whose length is known here; the first member goes without the comma.
      static constexpr std::string_view name = wire_name(decltype(d)::name);
      static constexpr auto label = [] {
        std::array<char, name.size() + 4> text{};
        text[0] = ',';
        text[1] = '"';
        for (std::size_t i = 0; i < name.size(); ++i)
          text[2 + i] = name[i];
        text[name.size() + 2] = '"';
        text[name.size() + 3] = ':';
        return text;
      }();
      out.append(label.data() + first, label.size() - first);
      first = false;
      write(out, m);
    });
    out += '}';
  }
}

template <class T>
std::string print(const T& v) {
  std::string out;
  write(out, v);
  return out;
}

/// Where in the document the reader is: a JSON pointer (RFC 6901), made only when needed.
struct At {
  const At* parent = nullptr;
  std::string_view name;
  std::size_t index = 0;
  std::string str() const;
};

Error mismatch(const At& at, std::string_view want);

template <class T>
Result<T> read(simdjson::dom::element j, const At& at) {
  namespace dom = simdjson::dom;
  if constexpr (std::same_as<T, bool>) {
    bool v = false;
    if (j.get(v)) return mismatch(at, "true or false");
    return v;
  } else if constexpr (std::integral<T>) {
    if constexpr (std::is_unsigned_v<T>) {
      std::uint64_t v = 0;
      if (j.get(v) || v > std::numeric_limits<T>::max()) return mismatch(at, "an integer in range");
      return static_cast<T>(v);
    } else {
      std::int64_t v = 0;
      if (j.get(v) || v > std::numeric_limits<T>::max() || v < std::numeric_limits<T>::min())
        return mismatch(at, "an integer in range");
      return static_cast<T>(v);
    }
  } else if constexpr (std::floating_point<T>) {
    double v = 0;
    if (j.get(v)) return mismatch(at, "a number");
    return v;
  } else if constexpr (std::same_as<T, std::string>) {
    std::string_view v;
    if (j.get(v)) return mismatch(at, "a string");
    return std::string(v);
  } else if constexpr (std::same_as<T, Raw>) {
    return Raw{simdjson::to_string(j)};
  } else if constexpr (Text<T>) {
    std::string_view v;
    if (j.get(v)) return mismatch(at, "a string");
    auto r = T::parse(v);
    if (!r) return std::move(r).error().within(at.str());
    return r;
  } else if constexpr (DescribedEnum<T>) {
    std::string_view v;
    if (!j.get(v))
      if (auto e = enum_from<T>(v)) return *e;
    return mismatch(at, "one of " + enum_names<T>());
  } else if constexpr (vector_of<T>::value) {
    dom::array array;
    if (j.get(array)) return mismatch(at, "an array");
    T out;
    out.reserve(array.size());
    for (dom::element e : array) {
      auto v = read<typename T::value_type>(e, At{&at, {}, out.size()});
      if (!v) return std::move(v).error();
      out.push_back(*std::move(v));
    }
    return out;
  } else if constexpr (map_of<T>::value) {
    dom::object object;
    if (j.get(object)) return mismatch(at, "an object");
    T out;
    for (dom::key_value_pair pair : object) {
      auto v = read<typename T::mapped_type>(pair.value, At{&at, pair.key, 0});
      if (!v) return std::move(v).error();
      if (!out.emplace(std::string(pair.key), *std::move(v)).second)
        return mismatch(At{&at, pair.key, 0}, "to be given once");
    }
    return out;
  } else {
    static_assert(Described<T>);
    dom::object object;
    if (j.get(object)) return mismatch(at, "an object");
    T out{};
    std::optional<Error> failed;
    constexpr std::size_t count = boost::mp11::mp_size<members<T>>::value;
    bool seen[count + 1] = {};
    for (dom::key_value_pair pair : object) {
      std::size_t index = 0;
      bool known = false;
      boost::mp11::mp_for_each<members<T>>([&](auto d) {
        const auto here = index++;
        if (known || failed || pair.key != wire_name(d.name)) return;
        known = true;
        const At member{&at, pair.key, 0};
        if (seen[here]) {
          failed = mismatch(member, "to be given once");
          return;
        }
        seen[here] = true;
        auto& m = out.*d.pointer;
        using M = std::remove_cvref_t<decltype(m)>;
        const auto take = [&](auto&& store, auto tag) {
          auto r = read<typename decltype(tag)::type>(pair.value, member);
          if (r)
            store(*std::move(r));
          else
            failed = std::move(r).error();
        };
        if constexpr (patch_of<M>::value) {
          using V = typename decltype(m.value)::value_type;
          m.given = true;
          if (!pair.value.is_null()) take([&](auto&& v) { m.value = std::move(v); }, std::type_identity<V>{});
        } else if constexpr (optional_of<M>::value || sparse_of<M>::value) {
          if (pair.value.is_null()) {
            if constexpr (strict<T>) failed = mismatch(member, "a value; leave the member out to keep what is there");
            return;
          }
          take([&](auto&& v) { m = std::move(v); }, std::type_identity<typename M::value_type>{});
        } else {
          take([&](auto&& v) { m = std::move(v); }, std::type_identity<M>{});
        }
      });
      if constexpr (strict<T>)
        if (!known && !failed) failed = mismatch(At{&at, pair.key, 0}, "no such member; the name is not known here");
      if (failed) return *std::move(failed);
    }
    std::size_t index = 0;
    boost::mp11::mp_for_each<members<T>>([&](auto d) {
      using M = std::remove_cvref_t<decltype(out.*d.pointer)>;
      const auto here = index++;
      if constexpr (!optional_of<M>::value && !sparse_of<M>::value && !patch_of<M>::value)
        if (!seen[here] && !failed) failed = mismatch(At{&at, wire_name(d.name), 0}, "to be present");
    });
    if (failed) return *std::move(failed);
    return out;
  }
}

/// A parser that keeps its memory between documents; one a thread.
simdjson::dom::parser& thread_parser();
/// The error of a text that is no JSON document, naming where reading stopped when that is known.
Error not_json(simdjson::error_code code);

/// Reads a whole document as a `T`. Error: `invalid_argument` with a JSON pointer.
template <class T>
Result<T> parse(std::string_view text) {
  simdjson::dom::element root;
  if (const auto code = thread_parser().parse(text.data(), text.size()).get(root)) return not_json(code);
  return read<T>(root, At{});
}

}  // namespace bencher::json
