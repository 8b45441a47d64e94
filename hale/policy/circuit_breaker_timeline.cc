#include "hale/policy/circuit_breaker_timeline.h"

#include <algorithm>

namespace hale::policy {

CircuitTimeline::CircuitTimeline(const CircuitBreakerOptions& options) { Apply(options); }

std::int64_t CircuitTimeline::Index(TimePoint at) const {
  const std::int64_t ns = at.time_since_epoch().count();
  const std::int64_t width = width_.count();
  return ns / width - (ns % width < 0 ? 1 : 0);
}

bool CircuitTimeline::Roll(TimePoint now, const CircuitSums& sums) {
  const std::int64_t index = Index(now);
  if (index < head_index_ - count_) {  // no step of a clock: another time
    lingering_ += Out(sums);
    first_ = head_ + 1;
    latest_ = now;
    dropped_ = TimePoint::min();
    Begin(index, sums);
    return true;
  }
  latest_ = std::max(latest_, now);
  if (index <= head_index_) return false;
  Begin(index, sums);
  return true;
}

void CircuitTimeline::Begin(std::int64_t index, const CircuitSums& sums) {
  const CircuitCounts now = sums.Of((head_ + 1) % kSlots);
  Bucket& bucket = At(head_ + 1);
  const CircuitCounts counted = now - bucket.base;
  if (Known(head_ + 1 - kSlots)) {
    lingering_ += counted.out();
    dropped_ = bucket.last;
  }
  folded_ += counted;
  ++head_;
  head_index_ = index;
  bucket = {end() - Duration(1), index, now};
}

std::optional<std::uint32_t> CircuitTimeline::Find(TimePoint at) const {
  if (at <= dropped_ || at > At(head_).last) return std::nullopt;
  std::uint32_t number = head_;
  while (Known(number - 1) && At(number - 1).last >= at) --number;
  return number;
}

void CircuitTimeline::Clear(const CircuitSums& sums) {
  first_ = head_ + 1;
  lingering_ = 0;
  answered_before_ = sums.answered_late();
  Begin(head_index_, sums);
}

void CircuitTimeline::Apply(const CircuitBreakerOptions& options) {
  count_ = std::clamp<std::int64_t>(options.buckets, 1, kSlots);
  width_ = std::max(Duration(1), options.window / count_);
  for (Bucket& bucket : ring_) bucket.index = Index(bucket.last);
  head_index_ = Index(latest_);
  At(head_).index = head_index_;
  At(head_).last = end() - Duration(1);
}

std::int64_t CircuitTimeline::Out(const CircuitSums& sums) const {
  std::int64_t out = 0;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const std::uint32_t number = head_ - slot;
    if (Known(number)) out += (sums.Of(number % kSlots) - At(number).base).out();
  }
  return out;
}

CircuitEvidence CircuitTimeline::Evidence(TimePoint now, Duration hung_after,
                                          const CircuitSums& sums) const {
  CircuitEvidence evidence;
  const TimePoint latest = std::max(latest_, now);
  const std::int64_t newest = std::max(head_index_, Index(latest));
  const bool tells_hung = hung_after != kForever;
  const std::int64_t young = Index(SaturatingAdd(latest, -hung_after));
  const auto late = static_cast<std::int64_t>(sums.answered_late() - answered_before_);
  std::int64_t hung = tells_hung ? lingering_ - late : 0;
  std::int64_t in_row = hung;
  for (std::uint32_t number = head_ - kSlots + 1; number != head_ + 1; ++number) {
    if (!Known(number)) continue;
    const Bucket& bucket = At(number);
    const CircuitCounts counts = sums.Of(number % kSlots) - bucket.base;
    const bool in_window = bucket.index > newest - count_;
    if (in_window) {
      evidence.good += counts.good;
      evidence.failed += counts.failed;
      evidence.slow += counts.slow;
    }
    const bool went_well = in_window && counts.good > 0;
    if (went_well) in_row = 0;
    if (tells_hung && bucket.index < young) {
      hung += counts.out();
      if (!went_well) in_row += counts.out();
    }
  }
  evidence.hung = static_cast<std::uint64_t>(std::max<std::int64_t>(0, hung));
  evidence.hung_in_row = static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_row));
  return evidence;
}

CircuitSum CircuitTimeline::totals(const CircuitSums& sums) const {
  CircuitSum all = folded_;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) all += sums.Of(slot) - ring_[slot].base;
  return all;
}

}  // namespace hale::policy
