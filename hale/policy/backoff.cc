#include "hale/policy/backoff.h"

#include <algorithm>

namespace hale::policy {

Duration Backoff::Ceiling(std::uint32_t failures) const {
  // Doubling stops at the cap, so that it ends after at most 63 steps and cannot overflow.
  Duration ceiling = base;
  for (std::uint32_t i = 1; i < failures && ceiling < max; ++i) {
    ceiling = ceiling > max / 2 ? max : ceiling * 2;
  }
  return std::min(ceiling, max);
}

Duration Backoff::Delay(std::uint32_t failures, Random& random) const {
  return random.Between(Duration(1), Ceiling(failures));
}

}  // namespace hale::policy
