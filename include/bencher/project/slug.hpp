#pragma once

#include <functional>
#include <string_view>

#include "bencher/base/clock.hpp"
#include "bencher/base/name.hpp"
#include "bencher/base/random.hpp"

namespace bencher {

/// The slug of something new. `wish`: the slug that was asked for, else the name. The slug is that of the wish where it
/// is free; where it is `taken`, at most 55 bytes of it, `-` and 8 characters; where the wish has no usable character,
/// the 8 characters alone: six base-36 digits of the seconds of `now`, then random ones. `taken` is asked until it says
/// no; after 32 times all 8 characters are random.
Slug choose_slug(std::string_view wish, const std::function<bool(const Slug&)>& taken, Instant now, Random& random);

}  // namespace bencher
