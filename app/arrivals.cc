#include "app/arrivals.h"

#include <cmath>

namespace hale::app {

Duration Arrivals::Next() {
  if (kind_ == Kind::kConstant) {
    // Each from the start and not from the one before, so that no rounding adds up.
    const auto scaled = static_cast<unsigned __int128>(count_++) *
                        static_cast<unsigned __int128>(rate_.per.count()) / rate_.permits;
    return Duration(static_cast<std::int64_t>(scaled));
  }
  const double mean = static_cast<double>(rate_.per.count()) / static_cast<double>(rate_.permits);
  // Unit() is below 1, so the logarithm is finite.
  last_ += Duration(static_cast<std::int64_t>(-std::log(1.0 - random_.Unit()) * mean));
  return last_;
}

}  // namespace hale::app
