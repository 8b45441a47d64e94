#include "hale/policy/hedge.h"

#include <algorithm>

namespace hale::policy {

Hedge::Hedge(const HedgeOptions& options)
    : mode_(options.mode),
      early_failure_(options.early_failure),
      minimum_calls_(options.minimum_calls),
      percentile_(options.percentile),
      floor_(options.floor) {}

Duration Hedge::Delay(TimePoint now) {
  if (mode() == Mode::kOff) return kForever;
  const Duration usual = recent_.Read(
      {percentile_.load(std::memory_order_relaxed), minimum_calls_.load(std::memory_order_relaxed)},
      now);
  if (usual == Duration::zero() || usual >= LatencyHistogram::Longest()) return kForever;
  return std::max(usual, floor_.load(std::memory_order_relaxed));
}

void Hedge::Apply(const HedgeOptions& options) {
  early_failure_.store(options.early_failure, std::memory_order_relaxed);
  minimum_calls_.store(options.minimum_calls, std::memory_order_relaxed);
  percentile_.store(options.percentile, std::memory_order_relaxed);
  floor_.store(options.floor, std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
  recent_.Expire();
}

}  // namespace hale::policy
