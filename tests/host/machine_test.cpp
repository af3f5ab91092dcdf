#include "bencher/host/machine.hpp"

#include <doctest/doctest.h>

using namespace bencher::host;

TEST_SUITE("host/machine") {
  TEST_CASE("lists of processors are read, and written as lists and as masks") {
    CHECK(parse_cpus("0-3,8\n") == std::vector<int>{0, 1, 2, 3, 8});
    CHECK(parse_cpus("5,1-2,2") == std::vector<int>{1, 2, 5});
    for (const char* wrong : {"", "x", "3-1", "0-4096", "1,,2", "-1", "1-2-3"})
      CHECK_MESSAGE(parse_cpus(wrong).empty(), wrong);
    CHECK(cpu_list({0, 1, 2, 3, 8}) == "0-3,8");
    CHECK(cpu_list({}) == "");
    CHECK(cpu_mask({0, 1}) == "3");
    CHECK(cpu_mask({33, 0}) == "2,00000001");
  }

  TEST_CASE("one processor is not divided, of two to seven the first keeps house, of more the first two") {
    CHECK(layout({0}).benchmark.empty());
    CHECK(layout({}).benchmark.empty());
    CHECK(layout({1, 0}) == Layout{{0}, {1}});
    CHECK(layout({0, 1, 2, 3, 4, 5, 6}) == Layout{{0}, {1, 2, 3, 4, 5, 6}});
    CHECK(layout({0, 1, 2, 3, 4, 5, 6, 8}) == Layout{{0, 1}, {2, 3, 4, 5, 6, 8}});
  }

  TEST_CASE("a machine of which nothing can be read has no facts") {
    const auto facts = read_facts(*system_files("/absent"));
    CHECK(facts.cpu_model.empty());
    CHECK(facts.online.empty());
    CHECK_FALSE(facts.turbo.has_value());
    CHECK_FALSE(facts.virtualized);
  }

  TEST_CASE("this machine has processors and a kernel") {
    const auto facts = read_facts(*system_files());
    CHECK_FALSE(facts.online.empty());
    CHECK_FALSE(facts.kernel.empty());
  }
}
