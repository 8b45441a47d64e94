#include "app/log_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hale::app {

std::size_t LogHistogram::IndexOf(std::uint64_t nanos) {
  const int top = 63 - std::countl_zero(nanos | 1);
  if (top < kSubBits) return nanos;
  const int shift = top - kSubBits;
  const std::uint64_t sub = (nanos >> shift) & ((1U << kSubBits) - 1);
  return (static_cast<std::size_t>(shift + 1) << kSubBits) + sub;
}

std::uint64_t LogHistogram::UpperEnd(std::size_t index) {
  if (index < (1U << kSubBits)) return index;
  const auto shift = (index >> kSubBits) - 1;
  const std::uint64_t sub = (index & ((1U << kSubBits) - 1)) + (1U << kSubBits);
  return ((sub + 1) << shift) - 1;
}

void LogHistogram::Add(Duration span) {
  constexpr std::uint64_t kLargest = (1ULL << (kTopBit + 1)) - 1;
  const auto nanos = static_cast<std::uint64_t>(std::max<std::int64_t>(span.count(), 0));
  ++counts_[IndexOf(std::min(nanos, kLargest))];
  ++count_;
  sum_ += span;
  max_ = std::max(max_, span);
}

void LogHistogram::Merge(const LogHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

Duration LogHistogram::Quantile(double share) const {
  if (count_ == 0) return Duration(0);
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const auto rank = static_cast<std::uint64_t>(std::max(1.0, wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(Duration(static_cast<std::int64_t>(UpperEnd(i))), max_);
  }
  return max_;
}

}  // namespace hale::app
