#pragma once

#include "hale/base/quantity.h"
#include "hale/base/random.h"
#include "hale/base/time.h"

namespace hale::app {

/// When the requests of an open loop are due: whatever the answers do, the next one comes. (In a
/// closed loop a slow server slows its own measurement: G. Tene, "How NOT to Measure Latency",
/// 2013.) Instants are spans since the start. Not thread-safe.
class Arrivals final {
 public:
  enum class Kind : std::uint8_t {
    kConstant,  ///< evenly spaced, exact over any length
    kPoisson,   ///< independent users: exponential gaps
  };
  /// `rate.permits` > 0; `random` outlives this.
  Arrivals(Rate rate, Kind kind, Random& random) : rate_(rate), kind_(kind), random_(random) {}

  /// The next instant, never before the last one.
  Duration Next();

 private:
  Rate rate_;
  Kind kind_;
  Random& random_;
  std::uint64_t count_ = 0;
  Duration last_{0};
};

}  // namespace hale::app
