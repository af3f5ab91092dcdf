#include "bencher/threshold/model.hpp"

#include <array>
#include <cmath>
#include <string>

#include <fmt/core.h>

#include "bencher/base/encoding.hpp"

namespace bencher {
namespace {

struct TestName {
  ModelTest test;
  std::string_view name;
};
constexpr std::array tests{
    TestName{ModelTest::static_, "static"},
    TestName{ModelTest::percentage, "percentage"},
    TestName{ModelTest::z_score, "z_score"},
    TestName{ModelTest::t_test, "t_test"},
    TestName{ModelTest::log_normal, "log_normal"},
    TestName{ModelTest::iqr, "iqr"},
    TestName{ModelTest::delta_iqr, "delta_iqr"},
    TestName{ModelTest::auto_, "auto"},
    TestName{ModelTest::change_point, "change_point"},
};

Error bad(std::string message) {
  return Error(Errc::invalid_argument, "threshold model: " + std::move(message));
}

/// What boundaries a test takes, in words.
std::string_view range(ModelTest test) {
  switch (test) {
    case ModelTest::t_test:
    case ModelTest::z_score:
    case ModelTest::log_normal: return "a boundary from 0.5 to under 1, a cumulative probability such as 0.98";
    case ModelTest::percentage: return "a boundary of 0 or more, a share such as 0.10 for 10 %";
    case ModelTest::iqr:
    case ModelTest::delta_iqr: return "a boundary of 0 or more, a multiple such as 3.0";
    case ModelTest::auto_:
    case ModelTest::change_point: return "no boundary";
    case ModelTest::static_: break;
  }
  return "a finite boundary";
}

bool in_range(ModelTest test, double boundary) {
  if (!std::isfinite(boundary)) return false;
  switch (test) {
    case ModelTest::t_test:
    case ModelTest::z_score:
    case ModelTest::log_normal: return boundary >= 0.5 && boundary < 1.0;
    case ModelTest::percentage:
    case ModelTest::iqr:
    case ModelTest::delta_iqr: return boundary >= 0.0;
    case ModelTest::auto_:
    case ModelTest::change_point: return false;
    case ModelTest::static_: break;
  }
  return true;
}

}  // namespace

Result<ModelTest> parse_model_test(std::string_view text) {
  if (text == "z") return ModelTest::z_score;
  if (text == "t") return ModelTest::t_test;
  for (const auto& test : tests)
    if (test.name == text) return test.test;
  return Error(
      Errc::invalid_argument,
      fmt::format("threshold test '{}' is not one of static, percentage, z_score, t_test, log_normal, iqr, delta_iqr, "
                  "auto, change_point",
                  to_valid_utf8(text.substr(0, 80))));
}

Result<ModelTest> model_test_of(int stored) {
  for (const auto& test : tests)
    if (static_cast<int>(test.test) == stored) return test.test;
  return Error(Errc::invalid_argument, fmt::format("no threshold test has the number {}", stored));
}

std::string_view name(ModelTest test) {
  for (const auto& row : tests)
    if (row.test == test) return row.name;
  return "";
}

Result<void> check_boundary(ModelTest test, double boundary) {
  if (in_range(test, boundary)) return {};
  return Error(Errc::invalid_argument,
               fmt::format("Invalid Boundary {}: the test {} takes {}", boundary, name(test), range(test)));
}

Result<void> validate(const Model& model) {
  using Size = std::pair<const char*, const std::optional<std::uint32_t>*>;
  const std::array sizes{Size{"min_sample_size", &model.min_sample_size},
                         Size{"max_sample_size", &model.max_sample_size}};
  for (const auto& [field, size] : sizes)
    if (*size == 0u) return bad(fmt::format("{} is 0, it takes 1 or more", field));
  if (model.window == 0u) return bad("window is 0 seconds, it takes 1 or more");

  const auto test = name(model.test);
  const bool is_static = model.test == ModelTest::static_;
  for (const auto& [field, size] : sizes) {
    if (!*size) continue;
    if (is_static) return bad(fmt::format("static takes no {}; leave it out", field));
    if (model.test != ModelTest::percentage && **size < 2)
      return bad(fmt::format("{} is {}, {} takes 2 or more", field, **size, test));
  }
  if (is_static && model.window) return bad("static takes no window; leave it out");
  if (model.min_sample_size && model.max_sample_size && *model.min_sample_size > *model.max_sample_size)
    return bad(
        fmt::format("min_sample_size {} is over max_sample_size {}", *model.min_sample_size, *model.max_sample_size));
  if (looks_for_changes(model.test) && (model.lower_boundary || model.upper_boundary))
    return bad(fmt::format("{} takes no boundaries; leave them out", test));
  if (!looks_for_changes(model.test) && !model.lower_boundary && !model.upper_boundary)
    return bad("neither lower_boundary nor upper_boundary is set; set at least one");
  using Side = std::pair<const char*, const std::optional<double>*>;
  for (const auto& [field, boundary] :
       {Side{"lower_boundary", &model.lower_boundary}, Side{"upper_boundary", &model.upper_boundary}})
    if (*boundary && !in_range(model.test, **boundary))
      return bad(fmt::format("{} is {}, {} takes {}", field, **boundary, test, range(model.test)));
  if (is_static && model.lower_boundary && model.upper_boundary && *model.lower_boundary > *model.upper_boundary)
    return bad(
        fmt::format("lower_boundary {} is over upper_boundary {}", *model.lower_boundary, *model.upper_boundary));
  return {};
}

}  // namespace bencher
