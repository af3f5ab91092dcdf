// JSON Schema of wire types, for the OpenAPI document: described structs become components and are referred to.
#pragma once

#include <boost/json.hpp>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"

#include "lib/json/json.hpp"

namespace bencher::json {

namespace bj = boost::json;

/// The unqualified name of a type, by the compiler's signature of this function.
template <class T>
std::string type_name() {
  std::string_view f = __PRETTY_FUNCTION__;
  const auto from = f.find("T = ") + 4;
  auto name = f.substr(from, f.find_first_of(";]", from) - from);
  if (const auto colon = name.rfind("::"); colon != std::string_view::npos) name.remove_prefix(colon + 2);
  return std::string(name);
}

/// The schema of `T`; described structs are put into `components` and referred to.
template <class T>
bj::object schema(bj::object& components) {
  if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::same_as<T, std::nullptr_t> || std::same_as<T, Raw>) {
    return {};
  } else if constexpr (std::integral<T>) {
    return {{"type", "integer"}, {"format", sizeof(T) == 8 ? "int64" : "int32"}};
  } else if constexpr (std::floating_point<T>) {
    return {{"type", "number"}, {"format", "double"}};
  } else if constexpr (std::same_as<T, Timestamp>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (std::is_base_of_v<AnyUuid, T>) {
    return {{"type", "string"}, {"format", "uuid"}};
  } else if constexpr (std::same_as<T, std::string> || Text<T>) {
    return {{"type", "string"}};
  } else if constexpr (DescribedEnum<T>) {
    bj::array names;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
        [&](auto d) { names.emplace_back(wire_name(d.name)); });
    return {{"type", "string"}, {"enum", std::move(names)}};
  } else if constexpr (vector_of<T>::value) {
    return {{"type", "array"}, {"items", schema<typename T::value_type>(components)}};
  } else if constexpr (map_of<T>::value) {
    return {{"type", "object"}, {"additionalProperties", schema<typename T::mapped_type>(components)}};
  } else if constexpr (optional_of<T>::value || sparse_of<T>::value) {
    auto inner = schema<typename T::value_type>(components);
    if (inner.contains("$ref")) return {{"allOf", bj::array{std::move(inner)}}, {"nullable", true}};
    inner["nullable"] = true;
    return inner;
  } else if constexpr (shared_of<T>::value) {
    return schema<std::optional<std::remove_const_t<typename T::element_type>>>(components);
  } else if constexpr (patch_of<T>::value) {
    return schema<decltype(T::value)>(components);
  } else {
    const auto name = type_name<T>();
    if (!components.contains(name)) {
      components[name] = bj::object{};  // first, so that a type may contain itself
      bj::object properties;
      bj::array required;
      boost::mp11::mp_for_each<members<T>>([&](auto d) {
        using M = std::remove_cvref_t<decltype(std::declval<T&>().*d.pointer)>;
        properties[wire_name(d.name)] = schema<M>(components);
        if constexpr (!optional_of<M>::value && !sparse_of<M>::value && !shared_of<M>::value && !patch_of<M>::value)
          required.emplace_back(wire_name(d.name));
      });
      bj::object object{{"type", "object"}, {"properties", std::move(properties)}};
      if (!required.empty()) object["required"] = std::move(required);
      components[name] = std::move(object);
    }
    return {{"$ref", "#/components/schemas/" + name}};
  }
}

}  // namespace bencher::json
