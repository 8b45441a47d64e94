#include "hale/policy/recent_latency.h"

#include <algorithm>

namespace hale::policy {
namespace {

constexpr Duration kHalfLife = 10s;
constexpr Duration kReadEvery = 1s;
constexpr std::int64_t kGone = 33;  // halvings of a 32-bit count

}  // namespace

void RecentLatency::Fade(TimePoint now) {
  const std::int64_t number = now.time_since_epoch() / kHalfLife;
  const std::int64_t before = faded_.load(std::memory_order_relaxed);
  if (number <= before) return;  // also by a clock that is behind, as another loop's may be
  faded_.store(number, std::memory_order_relaxed);
  if (before < 0) return;
  const std::int64_t passed = std::min(number - before, kGone);
  for (std::int64_t i = 0; i < passed; ++i) seen_.Fade();
}

Duration RecentLatency::Read(Wanted wanted, TimePoint now) {
  const std::int64_t at = now.time_since_epoch().count();
  std::int64_t due = due_.load(std::memory_order_relaxed);
  const std::int64_t next = SaturatingAdd(now, kReadEvery).time_since_epoch().count();
  // One thread looks, the others go on with what was seen last.
  if (at < due || !due_.compare_exchange_strong(due, next, std::memory_order_relaxed)) {
    return quantile_.load(std::memory_order_relaxed);
  }
  Fade(now);
  const bool enough = seen_.count() >= std::max(wanted.minimum, 1U);
  const Duration quantile = enough ? seen_.Quantile(wanted.quantile) : Duration::zero();
  quantile_.store(quantile, std::memory_order_relaxed);
  return quantile;
}

}  // namespace hale::policy
