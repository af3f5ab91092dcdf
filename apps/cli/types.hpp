// The types of values on the command line, and flags that several commands share.
#pragma once

#include <vector>

#include "apps/cli/command.hpp"

namespace bencher::cli::types {

extern const Type text, word, resource_name, user_name, branch_name, benchmark_name, slug, uuid, resource_id, name_id,
    branch_id, email, git_hash, jwt, api_key, url, non_empty, image, key_value, path, boolean, unix_seconds, rfc3339,
    u8, u16, u32, u64, i32, positive_u32, positive_i32, positive_i64, boundary, plot_index, to_900_seconds;

/// A switch.
Flag flag(std::string_view name, std::string_view help);
Flag flag(std::string_view name, const Type& type, std::string_view help);

/// `--sort`, `--direction`, `--per-page`, `--page`.
std::vector<Flag> pages(std::string_view sort);
/// `--archive`, `--unarchive`; `finish_archive` makes `archived` of them.
std::vector<Flag> archive_toggle();
void finish_archive(const Arguments& arguments, json::Value& body);
/// The resource form of a start point; `finish_start_point` makes the object of them.
std::vector<Flag> start_point(bool with_reset);
void finish_start_point(const Arguments& arguments, json::Value& body);
/// The parallel lists of a report's thresholds.
std::vector<Flag> report_thresholds();
/// `{models, reset}`, or null when none is asked for. Throws `Failure`.
json::Value thresholds_of(const Arguments& arguments);
/// The members of one model.
std::vector<Flag> model_flags(std::string_view requirements);
/// Checks the model of `threshold create` and `update`. Throws `Failure`.
void check_model(const Arguments& arguments);

extern const std::string_view permissions, adapters, hidden_adapters, tests, hidden_tests, plan_levels;

std::vector<Flag> operator+(std::vector<Flag> a, const std::vector<Flag>& b);

}  // namespace bencher::cli::types
