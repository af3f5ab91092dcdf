// JSON files under tests/data, with numbers rounded correctly: Boost.JSON 1.81 reads 0.9999999999999999 as 1.
#pragma once

#include <simdjson.h>
#include <string>

#include <boost/json.hpp>

#include "tests/support/data.hpp"

namespace bencher::test {

inline boost::json::value to_boost(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::OBJECT: {
      boost::json::object out;
      for (const auto& [key, value] : simdjson::dom::object(element))
        out.emplace(boost::json::string_view(key.data(), key.size()), to_boost(value));
      return out;
    }
    case element_type::ARRAY: {
      boost::json::array out;
      for (const auto value : simdjson::dom::array(element))
        out.push_back(to_boost(value));
      return out;
    }
    case element_type::STRING: {
      const auto text = std::string_view(element);
      return boost::json::string(text.data(), text.size());
    }
    case element_type::INT64: return std::int64_t(element);
    case element_type::UINT64: return std::uint64_t(element);
    case element_type::DOUBLE: return double(element);
    case element_type::BOOL: return bool(element);
    case element_type::NULL_VALUE: break;
  }
  return nullptr;
}

inline boost::json::value read_json(const std::string& name) {
  simdjson::dom::parser parser;
  return to_boost(parser.parse(simdjson::padded_string(read_data(name))));
}

}  // namespace bencher::test
