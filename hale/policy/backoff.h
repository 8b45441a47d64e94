#pragma once

#include <cstdint>

#include "hale/base/random.h"
#include "hale/base/time.h"

namespace hale::policy {

/// How long to wait after a failure: exponential with full jitter (M. Brooker, "Exponential Backoff
/// And Jitter", AWS Architecture Blog, 2015). The jitter is drawn below the ceiling after the
/// ceiling has been capped, so callers that fail together stay spread however long it lasts.
/// Pure.
struct Backoff {
  Duration base = 25ms;  ///< (0, …): the ceiling after the first failure; it doubles with each
  Duration max = 250ms;  ///< (0, …): no ceiling is above it, also when `base` is

  /// min(max, base × 2^(failures − 1)), whatever the number; `failures` counts from 1.
  Duration Ceiling(std::uint32_t failures) const;
  /// Uniform in (0, Ceiling(failures)].
  Duration Delay(std::uint32_t failures, Random& random) const;
};

}  // namespace hale::policy
