#pragma once

#include "hale/base/quantity.h"
#include "hale/base/time.h"

namespace hale::policy {

/// How much dearer permits are while what they lead to is cold, as after a start or a rest: the
/// rate begins at rate ÷ cold and reaches the rate once it was used fully for `warm_up`; a rest of
/// the same length makes it cold again (Guava, `SmoothRateLimiter.SmoothWarmingUp`, 2012). Its
/// state is how cold it is, in permits that were not taken. Not thread-safe.
class WarmUp {
 public:
  struct Options {
    Rate rate;
    Duration warm_up{0};  ///< 0: never cold
    double cold = 3;      ///< > 1
  };

  /// Cold.
  explicit WarmUp(const Options& options);

  /// Permits that taking `weight` costs besides, after a rest of `idle`. Pure.
  double Surcharge(double weight, Duration idle) const;
  /// They were taken.
  void Take(double weight, Duration idle);
  /// Other figures, as cold as before; warm if it was never cold.
  void Apply(const Options& options);

  /// 0 to 1: the share of what could be cold that is.
  double coldness() const { return most_ > 0 ? stored_ / most_ : 0; }

 private:
  double After(Duration idle) const;
  void Set(const Options& options);

  double threshold_ = 0;  // below, permits cost no more
  double most_ = 0;
  double slope_ = 0;    // permits a permit costs more, by permit above the threshold
  double cooling_ = 0;  // permits a second of rest
  double between_ = 0;  // seconds from permit to permit at the full rate
  double stored_ = 0;
};

}  // namespace hale::policy
