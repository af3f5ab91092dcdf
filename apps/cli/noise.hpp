// What `noise` prints.
#pragma once

#include <string>

#include "bencher/host/survey.hpp"

#include "lib/json/value.hpp"

namespace bencher::cli {

std::string noise_text(const host::Survey& survey);
/// Bencher Metric Format, one value for each part.
json::Value noise_metrics(const host::Survey& survey);

}  // namespace bencher::cli
