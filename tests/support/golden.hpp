// Golden files under tests/data; BENCHER_UPDATE_GOLDEN=1 writes them anew.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/data.hpp"

namespace bencher::test {

inline void check_golden(const std::string& name, const std::string& text) {
  if (std::getenv("BENCHER_UPDATE_GOLDEN")) {
    std::ofstream(std::string(BENCHER_TEST_DATA) + "/" + name, std::ios::binary) << text;
    return;
  }
  CAPTURE(name);
  CHECK(text == read_data(name));
}

}  // namespace bencher::test
