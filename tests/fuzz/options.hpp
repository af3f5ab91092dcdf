// The byte of options that every input begins with.
#pragma once

#include "bencher/adapter/adapter.hpp"

namespace bencher::test {

/// Bits 0–1: the average, 2: `all_measures`, 3: `distinct_names`, 4–6: `fold_repeats`.
inline ParseOptions options_of(unsigned byte) {
  ParseOptions out;
  switch (byte & 3) {
    case 1: out.average = Average::mean; break;
    case 2: out.average = Average::median; break;
    default: break;
  }
  out.all_measures = byte & 4;
  out.distinct_names = byte & 8;
  switch (byte >> 4 & 7) {
    case 1: out.fold_repeats = Fold::min; break;
    case 2: out.fold_repeats = Fold::max; break;
    case 3: out.fold_repeats = Fold::mean; break;
    case 4: out.fold_repeats = Fold::median; break;
    default: break;
  }
  return out;
}

}  // namespace bencher::test
