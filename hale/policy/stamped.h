#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "hale/base/time.h"

namespace hale::policy {

/// A figure and when it was last seen, in one word, so that both change as one. Times are in 2^20
/// ns, about a millisecond, and go round after 52 days. A value. Pure.
struct Stamped {
  std::uint32_t stamp = 0;
  std::uint32_t bits = 0;

  static std::uint32_t At(TimePoint now) {
    return static_cast<std::uint32_t>(now.time_since_epoch().count() >> 20);
  }
  static Stamped Of(std::uint32_t stamp, float value) {
    return {stamp, std::bit_cast<std::uint32_t>(value)};
  }
  static Stamped From(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }
  std::uint64_t word() const { return std::uint64_t{stamp} << 32 | bits; }
  float value() const { return std::bit_cast<float>(bits); }

  /// How much of the figure is left at `at`, [0, 1]: it fades over 10 s and is forgotten after 30
  /// s. A clock that is behind takes nothing away.
  double Left(std::uint32_t at) const {
    constexpr double kFade = 10e9 / (1 << 20);
    const auto age = static_cast<std::int32_t>(at - stamp);
    if (age <= 0) return 1;
    return age > 3 * kFade ? 0 : std::exp(-age / kFade);
  }
};

}  // namespace hale::policy
