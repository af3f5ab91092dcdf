// docs/adapters.md is what the tool makes, and the tool leaves no adapter out.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/adapters_page/excerpt.hpp"
#include "tools/adapters_page/page.hpp"

using namespace bencher;
using tools::Harness;

namespace {

std::string refusal(const std::vector<Harness>& harnesses, const char* root = BENCHER_SOURCE_DIR) {
  const auto page = tools::adapters_page(root, harnesses);
  REQUIRE_FALSE(page.has_value());
  return page.error().message();
}

std::vector<Harness> all() {
  return {tools::harnesses().begin(), tools::harnesses().end()};
}

}  // namespace

TEST_SUITE("tools/adapters_page") {
  TEST_CASE("the page in docs is the one that the tool makes; BENCHER_UPDATE_GOLDEN=1 writes it anew") {
    const auto page = tools::adapters_page(BENCHER_SOURCE_DIR, tools::harnesses());
    if (!page) FAIL(page.error().message());
    const std::string file = BENCHER_SOURCE_DIR "/docs/adapters.md";
    if (std::getenv("BENCHER_UPDATE_GOLDEN")) std::ofstream(file, std::ios::binary) << *page;
    std::ifstream in(file, std::ios::binary);
    const std::string there{std::istreambuf_iterator<char>(in), {}};
    const bool same = there == *page;
    CHECK_MESSAGE(same, "docs/adapters.md is out of date: adapters_page . > docs/adapters.md");
    for (const auto kind : adapter_kinds())
      CHECK(page->find("`" + std::string(name(kind)) + "`") != std::string::npos);
  }

  TEST_CASE("an adapter without a row, or with two, is refused by name") {
    for (std::size_t i = 0; i < all().size(); ++i) {
      auto without = all();
      const std::string its_name(name(without[i].kind));
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK(
          refusal(without).starts_with("the adapter " + its_name + " has 0 rows in tools/adapters_page/harnesses.cpp"));
    }
    auto twice = all();
    twice.push_back(twice.front());
    CHECK(refusal(twice).starts_with("the adapter json has 2 rows"));
  }

  TEST_CASE("a sample that is not there, or gives no results, is refused by name") {
    auto changed = all();
    changed[0].sample = "json/none.json";
    CHECK(refusal(changed).find("cannot read") != std::string::npos);
    CHECK(refusal(changed).find("json/none.json") != std::string::npos);
    changed[0].sample = "json/made_empty_object.input.json";
    CHECK(refusal(changed) == "json/made_empty_object.input.json, the sample of json, gives no results");
    changed[0].sample = "json/made_ERR_array.input.json";
    CHECK(refusal(changed).starts_with(
        "json/made_ERR_array.input.json, the sample of json, gives no results: json results: expected an object"));
    changed[0] = all()[0];
    changed[0].from = "no such line";
    CHECK(refusal(changed) == "the sample does not hold 'no such line'");
    CHECK(refusal(all(), "/nowhere").find("cannot read /nowhere/tools/adapters_page/adapters.md.in") !=
          std::string::npos);
  }

  TEST_CASE("excerpts show few lines, none of them long, and say where something is left out") {
    CHECK(tools::excerpt("\n\na  \r\nb") == "a\nb\n");
    CHECK(tools::excerpt("") == "");
    CHECK(tools::excerpt("x\na here\nb", "here").value() == "…\na here\nb\n");
    CHECK(tools::excerpt("here", "here").value() == "here\n");
    std::string wide, many;
    for (int i = 0; i < 200; ++i) {
      wide += "é";
      many += "l\n";
    }
    CHECK(tools::excerpt(wide) == wide.substr(0, 280) + "…\n");
    CHECK(tools::excerpt(many) == many.substr(0, 36) + "…\n");
    CHECK(tools::block("a", "json") == "```json\na\n```");
    CHECK(tools::block("```\n", "") == "````\n```\n````");
  }
}
