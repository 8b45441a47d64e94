#include "hale/policy/warm_up.h"

#include <algorithm>

namespace hale::policy {

WarmUp::WarmUp(const Options& options) {
  Set(options);
  stored_ = most_;
}

// Between most_ and the threshold the price falls from `cold` to 1: that takes
// (most - threshold) × (1 + cold) ÷ 2 ÷ rate = warm_up, so that the ramp is as long as it says.
void WarmUp::Set(const Options& options) {
  const double permits = options.rate.PerSecond() * Seconds(options.warm_up);
  if (permits <= 0 || options.cold <= 1) {
    threshold_ = most_ = slope_ = cooling_ = between_ = 0;
    return;
  }
  const double falling = 2 * permits / (1 + options.cold);
  threshold_ = permits / (options.cold - 1);
  most_ = threshold_ + falling;
  slope_ = (options.cold - 1) / falling;
  between_ = 1 / options.rate.PerSecond();
  cooling_ = most_ / Seconds(options.warm_up);
}

void WarmUp::Apply(const Options& options) {
  const double cold = coldness();
  Set(options);
  stored_ = cold * most_;
}

// A caller that comes a little later than it may is no rest: a whole permit's time is let pass, or
// a limiter that is used fully by callers who poll would never be warm.
double WarmUp::After(Duration idle) const {
  const double rest = std::max(0.0, Seconds(idle) - between_);
  return std::min(most_, stored_ + cooling_ * rest);
}

double WarmUp::Surcharge(double weight, Duration idle) const {
  const double stored = After(idle);
  const double from = std::max(0.0, stored - threshold_);
  const double to = std::max(0.0, stored - weight - threshold_);
  return slope_ * (from + to) / 2 * (from - to);
}

void WarmUp::Take(double weight, Duration idle) { stored_ = std::max(0.0, After(idle) - weight); }

}  // namespace hale::policy
