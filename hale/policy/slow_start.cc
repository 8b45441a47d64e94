#include "hale/policy/slow_start.h"

#include <algorithm>

namespace hale::policy {

double SlowStartWeight(double weight, TimePoint since, TimePoint now, Duration window) {
  if (window <= Duration::zero() || SaturatingAdd(since, window) <= now) return weight;
  if (now <= since) return weight * kSlowStartFloor;
  const double passed =
      static_cast<double>((now - since).count()) / static_cast<double>(window.count());
  return weight * std::max(kSlowStartFloor, passed);
}

}  // namespace hale::policy
