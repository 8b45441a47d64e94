#pragma once

#include <algorithm>

#include "hale/base/time.h"

namespace hale::policy {

/// Share of its weight that a member gets first: below this it would hardly be tried at all.
inline constexpr double kSlowStartFloor = 0.1;

/// The weight of a member that joined, or came back, at `since`: it grows from a tenth to the whole
/// over `window`, so that cold caches and pools are not met with full load at once (Envoy's slow
/// start with aggression 1). Pure.
inline double SlowStartWeight(double weight, TimePoint since, TimePoint now, Duration window) {
  if (window <= Duration::zero() || SaturatingAdd(since, window) <= now) return weight;
  if (now <= since) return weight * kSlowStartFloor;
  const double passed =
      static_cast<double>((now - since).count()) / static_cast<double>(window.count());
  return weight * std::max(kSlowStartFloor, passed);
}

}  // namespace hale::policy
