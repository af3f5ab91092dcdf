#include "bencher/project/branch.hpp"

namespace bencher {

bool needs_new_head(const StartPointChange& change) {
  if (change.reset) return true;
  if (!change.wanted_branch) return false;
  if (change.current_branch != change.wanted_branch) return true;
  // The same branch: only a hash that is known to be another one moves the start point.
  return change.wanted_hash.has_value() && change.current_hash != change.wanted_hash;
}

}  // namespace bencher
