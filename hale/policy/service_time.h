#pragma once

#include <atomic>

#include "hale/base/time.h"

namespace hale::policy {

/// How long a call takes on average: an exponentially weighted mean in which each call weighs 1/16.
/// Zero before the first. A call that is recorded beside another may be lost: one in sixteen says
/// nothing either. Thread-safe.
class ServiceTime {
 public:
  void Record(Duration took) {
    if (took <= Duration::zero()) return;
    const Duration mean = mean_.load(std::memory_order_relaxed);
    const Duration next = mean == Duration::zero() ? took : mean + (took - mean) / 16;
    mean_.store(next, std::memory_order_relaxed);
  }
  Duration mean() const { return mean_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Duration> mean_{Duration::zero()};
};

}  // namespace hale::policy
