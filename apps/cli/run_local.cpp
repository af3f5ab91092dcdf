#include "apps/cli/run_local.hpp"

#include "apps/cli/exit_code.hpp"

namespace bencher::cli {

LocalHistory::LocalHistory(World&, const std::string&) {
  throw Failure{Exit::usage, "'bencher run --local' is not built yet in this version; run against a server (--host)"};
}

json::Value LocalHistory::submit(const json::Value&) {
  return {};
}

}  // namespace bencher::cli
