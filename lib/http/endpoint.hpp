// Typed endpoints: a row names method, path, access and handler; the handler's signature says the rest.
// A handler is a plain function over a call `C`; it may take Path<T>, Query<T> and Body<T>, and gives Result<reply>.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "lib/http/message.hpp"
#include "lib/json/schema.hpp"

namespace bencher::http {

/// Who is let in, and what is made of a credential.
enum class Access {
  nobody_asked,  ///< no credential is looked at
  console,       ///< looked at when it is well-formed
  public_,       ///< anonymous, user or project key
  user,          ///< a user is required
  admin,
};

using Params = std::vector<std::pair<std::string, std::string>>;

/// What a request says, before anyone has looked at who says it.
struct Input {
  Params path;
  Params query;
  std::string body;
};

template <class T>
struct Path {
  T value;
};
template <class T>
struct Query {
  T value;
};
template <class T>
struct Body {
  T value;
};

// Replies: the type fixes the status.
template <class T>
struct Ok {
  static constexpr int status = 200;
  using body = T;
  T value;
};
template <class T>
struct Created {
  static constexpr int status = 201;
  using body = T;
  T value;
};
template <class T>
struct Accepted {
  static constexpr int status = 202;
  using body = T;
  T value;
};
struct NoContent {
  static constexpr int status = 204;
  using body = void;
};
/// A page of a list, with the number of all.
template <class T>
struct Listed {
  static constexpr int status = 200;
  using body = std::vector<T>;
  std::vector<T> value;
  std::int64_t total = 0;
};

/// An answer's status, body and total, ready to be sent.
struct Reply {
  int status = 200;
  std::string body;
  std::int64_t total = 1;
};

struct Row {
  Verb method;
  std::string_view path;
  Access access;
  std::string_view id;  ///< operationId
  std::string_view summary;
  bool reads_only = false;  ///< has a body, but changes nothing
};

/// Reads the arguments (before access is checked) and gives what runs the handler.
template <class C>
using Bound = std::function<Result<Reply>(C&)>;

template <class C>
struct Endpoint {
  Row row;
  Result<Bound<C>> (*bind)(const Input&);
  void (*describe)(boost::json::object& operation, boost::json::object& components);
};

namespace detail {

template <class>
struct Signature;
template <class C, class R, class... A>
struct Signature<Result<R> (*)(C&, A...)> {
  using call = C;
  using reply = R;
  using args = std::tuple<std::remove_cvref_t<A>...>;
};

inline Error wrong(std::string_view name, std::string_view want) {
  return Error(Errc::invalid_argument, "parameter '" + std::string(name) + "': expected " + std::string(want));
}

template <class T>
Result<T> from_text(std::string_view text, std::string_view name) {
  if constexpr (json::Text<T>) {
    auto r = T::parse(text);
    if (!r) return std::move(r).error().within("parameter '" + std::string(name) + "'");
    return r;
  } else if constexpr (std::same_as<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::same_as<T, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
    return wrong(name, "true or false");
  } else if constexpr (json::DescribedEnum<T>) {
    if (auto v = json::enum_from<T>(text)) return *v;
    return wrong(name, "one of " + json::enum_names<T>());
  } else {
    T v{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (ec != std::errc{} || end != text.data() + text.size()) return wrong(name, "an integer in range");
    return v;
  }
}

template <class T>
Result<T> from_params(const Params& params) {
  T out{};
  std::optional<Error> failed;
  boost::mp11::mp_for_each<json::members<T>>([&](auto d) {
    if (failed) return;
    const auto name = json::wire_name(d.name);
    const std::string* text = nullptr;
    for (const auto& [key, value] : params) {
      if (key != name) continue;
      if (text) {
        failed = wrong(name, "to be given once");
        return;
      }
      text = &value;
    }
    auto& m = out.*d.pointer;
    using M = std::remove_cvref_t<decltype(m)>;
    if constexpr (json::optional_of<M>::value) {
      if (!text) return;
      auto v = from_text<typename M::value_type>(*text, name);
      if (v)
        m = *std::move(v);
      else
        failed = std::move(v).error();
    } else {
      if (!text) {
        failed = wrong(name, "to be present");
        return;
      }
      auto v = from_text<M>(*text, name);
      if (v)
        m = *std::move(v);
      else
        failed = std::move(v).error();
    }
  });
  if (failed) return *std::move(failed);
  return out;
}

template <class T>
void describe_params(boost::json::object& op, boost::json::object& components, std::string_view in) {
  if (!op["parameters"].is_array()) op["parameters"].emplace_array();
  auto& list = op["parameters"].get_array();
  boost::mp11::mp_for_each<json::members<T>>([&](auto d) {
    using M = std::remove_cvref_t<decltype(std::declval<T&>().*d.pointer)>;
    list.push_back(boost::json::object{{"name", json::wire_name(d.name)},
                                       {"in", in},
                                       {"required", !json::optional_of<M>::value},
                                       {"schema", json::schema<M>(components)}});
  });
}

template <class A>
struct Arg;
template <class T>
struct Arg<Path<T>> {
  static Result<Path<T>> read(const Input& in) {
    BENCHER_TRY(auto v, from_params<T>(in.path));
    return Path<T>{std::move(v)};
  }
  static void describe(boost::json::object& op, boost::json::object& c) { describe_params<T>(op, c, "path"); }
};
template <class T>
struct Arg<Query<T>> {
  static Result<Query<T>> read(const Input& in) {
    BENCHER_TRY(auto v, from_params<T>(in.query));
    return Query<T>{std::move(v)};
  }
  static void describe(boost::json::object& op, boost::json::object& c) { describe_params<T>(op, c, "query"); }
};
template <class T>
struct Arg<Body<T>> {
  static Result<Body<T>> read(const Input& in) {
    auto v = json::parse<T>(in.body);
    if (!v) return std::move(v).error().within("unable to parse the JSON body");
    return Body<T>{*std::move(v)};
  }
  static void describe(boost::json::object& op, boost::json::object& c) {
    op["requestBody"] =
        boost::json::object{{"required", true}, {"content", {{"application/json", {{"schema", json::schema<T>(c)}}}}}};
  }
};

template <class R>
Reply make_reply(const R& r) {
  Reply out;
  out.status = R::status;
  if constexpr (std::is_void_v<typename R::body>)
    out.total = 0;
  else
    json::write(out.body, r.value);
  if constexpr (requires { r.total; }) out.total = r.total;
  return out;
}

template <auto H, class C, class R, class... A>
Result<Bound<C>> bind(const Input& in, std::type_identity<std::tuple<A...>>) {
  std::tuple<Result<A>...> args{Arg<A>::read(in)...};
  const Error* bad = nullptr;
  std::apply([&](auto&... a) { ((bad == nullptr && !a ? void(bad = &a.error()) : void()), ...); }, args);
  if (bad) return Error(*bad);
  auto values = std::make_shared<std::tuple<A...>>(
      std::apply([](auto&... a) { return std::tuple<A...>(*std::move(a)...); }, args));
  return Bound<C>([values](C& call) -> Result<Reply> {
    auto result = std::apply([&](auto&... a) { return H(call, a...); }, *values);
    if (!result) return std::move(result).error();
    return make_reply(*result);
  });
}

template <class T>
consteval bool path_has(std::string_view path) {
  bool ok = true;
  boost::mp11::mp_for_each<json::members<T>>([&](auto d) {
    const std::string_view name = json::wire_name(d.name);
    bool found = false;
    for (std::size_t i = 0; i + name.size() + 2 <= path.size(); ++i)
      if (path[i] == '{' && path.substr(i + 1, name.size()) == name && path[i + 1 + name.size()] == '}') found = true;
    ok = ok && found;
  });
  return ok;
}
template <class A>
struct PathCheck {
  static consteval bool ok(std::string_view) { return true; }
};
template <class T>
struct PathCheck<Path<T>> {
  static consteval bool ok(std::string_view p) { return path_has<T>(p); }
};

template <auto H, class C, class R, class... A>
consteval Endpoint<C> make_endpoint(Row row, std::type_identity<std::tuple<A...>>) {
  if (!(PathCheck<A>::ok(row.path) && ...)) throw "the path lacks a parameter that the handler takes";
  return {row, [](const Input& in) { return bind<H, C, R>(in, std::type_identity<std::tuple<A...>>{}); },
          [](boost::json::object& op, boost::json::object& components) {
            (Arg<A>::describe(op, components), ...);
            boost::json::object reply{{"description", "success"}};
            if constexpr (!std::is_void_v<typename R::body>)
              reply["content"] =
                  boost::json::object{{"application/json", {{"schema", json::schema<typename R::body>(components)}}}};
            op["responses"] = boost::json::object{{std::to_string(R::status), std::move(reply)}};
          }};
}

}  // namespace detail

/// One row of a resource's table. A path parameter that the path lacks does not compile.
template <auto H>
consteval auto endpoint(Row row) {
  using S = detail::Signature<decltype(H)>;
  return detail::make_endpoint<H, typename S::call, typename S::reply>(row, std::type_identity<typename S::args>{});
}

}  // namespace bencher::http
