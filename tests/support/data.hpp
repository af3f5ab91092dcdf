// Files under tests/data.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace bencher::test {

/// The whole file, or an exception that names it.
inline std::string read_data(const std::string& name) {
  const std::string path = std::string(BENCHER_TEST_DATA) + "/" + name;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

}  // namespace bencher::test
