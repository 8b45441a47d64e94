#include "hale/policy/stall_threshold.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hale::policy {
namespace {

constexpr std::uint64_t kFadeAt = std::uint64_t{1} << 17;
constexpr std::uint64_t kEnough = 1000;  // replies: fewer say nothing about the last in a thousand
constexpr std::uint64_t kFew = 100;
constexpr Duration kCautious = 500ms;
constexpr Duration kBefore = 1s;
constexpr Duration kLeast = 250ms;
constexpr Duration kLeastHung = 2s;

}  // namespace

std::size_t LatencyHistogram::Index(Duration latency) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  const int power = static_cast<int>(std::bit_width(ns)) - 1;
  if (power < kLowest) return 0;
  const auto step = static_cast<std::size_t>(ns >> (power - std::bit_width(kSteps - 1U))) % kSteps;
  const std::size_t index = static_cast<std::size_t>(power - kLowest) * kSteps + step + 1;
  return std::min(index, kBuckets - 1);
}

/// What belongs into the bucket is below this.
Duration LatencyHistogram::Upper(std::size_t index) {
  const auto power = kLowest + static_cast<int>(index / kSteps);
  const auto step = static_cast<std::int64_t>(index % kSteps);
  return Duration((kSteps + step) << (power - std::bit_width(kSteps - 1U)));
}

void LatencyHistogram::Record(Duration latency) {
  buckets_[Index(latency)].fetch_add(1, std::memory_order_relaxed);
  if (count_.fetch_add(1, std::memory_order_relaxed) + 1 == kFadeAt) Fade();
}

void LatencyHistogram::Fade() {
  std::uint64_t removed = 0;
  for (auto& bucket : buckets_) {
    std::uint32_t before = bucket.load(std::memory_order_relaxed);
    while (!bucket.compare_exchange_weak(before, before / 2, std::memory_order_relaxed)) {
    }
    removed += before - before / 2;
  }
  count_.fetch_sub(removed, std::memory_order_relaxed);
}

Duration LatencyHistogram::Quantile(double quantile) const {
  const auto all = static_cast<double>(count());
  const auto rank = static_cast<std::uint64_t>(std::ceil(std::clamp(quantile, 0.0, 1.0) * all));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen != 0 && seen >= rank) return Upper(i);
  }
  return Duration::zero();
}

Duration StallThreshold(const LatencyHistogram& replies) {
  const std::uint64_t count = replies.count();
  if (count < kFew) return kBefore;
  const Duration usual = 3 * replies.Quantile(0.999);
  // Of fewer than 1,000 replies p99.9 is their slowest: believed, but not below half a second.
  return count < kEnough ? std::clamp(usual, kCautious, kBefore) : std::max(kLeast, usual);
}

Duration HungThreshold(const LatencyHistogram& replies, Duration most) {
  if (replies.count() < kFew) return most;
  return std::min(most, std::max(kLeastHung, 4 * replies.Quantile(0.999)));
}

}  // namespace hale::policy
