#pragma once

#include <array>
#include <cstdint>

#include "hale/base/field.h"
#include "hale/base/random.h"
#include "hale/cluster/health_options.h"

namespace hale::cluster {

/// What checks say about an instance.
enum class Health : std::uint8_t { kUnknown, kHealthy, kUnhealthy };

constexpr auto Names(Type<Health>) {
  return std::array{Name<Health>{"unknown", Health::kUnknown},
                    Name<Health>{"healthy", Health::kHealthy},
                    Name<Health>{"unhealthy", Health::kUnhealthy}};
}

/// unknown --first check--> healthy or unhealthy
/// healthy --`fall` failures in a row--> unhealthy --`rise` passes in a row--> healthy
///
/// Counting as HAProxy's `rise` and `fall` (HAProxy Configuration Manual, 5.2), and its
/// `fastinter`: while a check contradicts the verdict, or differs from the one before, the next
/// comes after a quarter of the interval. Waits are random, so that neither the instances of one
/// gateway nor the gateways of one instance come into step. Pure: no clock. Not thread-safe.
class HealthCore {
 public:
  explicit HealthCore(const HealthOptions& options) : options_(options) {}

  /// New thresholds; the verdict and what was counted stay.
  void Apply(const HealthOptions& options) { options_ = options; }
  /// True when the verdict changed.
  bool Record(bool passed);
  /// Forgets the verdict, as before the first check.
  void Reset();

  Health health() const { return health_; }
  /// How many checks in a row ended as the last one did.
  std::uint32_t streak() const { return streak_; }

  /// How long to wait with the first check: within a tenth of the interval.
  Duration First(Random& random) const;
  /// From the start of the last check to that of the next. The one after the first check is spread
  /// over the whole interval, later ones over ±10 %.
  Duration Rest(Random& random) const;

 private:
  enum class Pace : std::uint8_t { kSpread, kSteady, kFast };

  HealthOptions options_;
  Health health_ = Health::kUnknown;
  bool passed_ = false;  ///< the last check
  std::uint32_t streak_ = 0;
  Pace pace_ = Pace::kSpread;
};

}  // namespace hale::cluster
