#include "hale/policy/circuit_breaker_window.h"

#include <algorithm>

namespace hale::policy {

CircuitWindow::CircuitWindow(const CircuitBreakerOptions& options) { Rebucket(options); }

std::int64_t CircuitWindow::Index(TimePoint at) const {
  const std::int64_t ns = at.time_since_epoch().count();
  const std::int64_t width = width_.count();
  return ns / width - (ns % width < 0 ? 1 : 0);
}

const CircuitWindow::Bucket& CircuitWindow::At(std::int64_t index) const {
  return ring_[static_cast<std::uint64_t>(index) % kMostBuckets];
}
CircuitWindow::Bucket& CircuitWindow::At(std::int64_t index) {
  return ring_[static_cast<std::uint64_t>(index) % kMostBuckets];
}

std::int64_t CircuitWindow::TakeOut() {
  std::int64_t sum = 0;
  for (Bucket& bucket : ring_) {
    sum += bucket.out;
    bucket = {};
  }
  return sum;
}

bool CircuitWindow::Roll(TimePoint now) {
  // Nearly every call: no division. An end at the end of time is taken below.
  if (now >= latest_ && now < head_end_) {
    latest_ = now;
    return false;
  }
  const bool begun = RollSlowly(now);
  head_end_ = SaturatingAdd(TimePoint(width_ * head_), width_);
  return begun;
}

bool CircuitWindow::RollSlowly(TimePoint now) {
  const std::int64_t index = Index(now);
  if (index < head_ - count_) {  // no step of a clock: another time
    lingering_ += TakeOut();
    head_ = index;
    latest_ = now;
    return true;
  }
  latest_ = std::max(latest_, now);
  if (index <= head_) return false;
  if (index - head_ >= kMostBuckets) {
    lingering_ += TakeOut();
    head_ = index;
    return true;
  }
  while (head_ < index) {
    ++head_;
    Bucket& oldest = At(head_);
    lingering_ += oldest.out;
    oldest = {};
    if (count_ < kMostBuckets) {
      Bucket& leaves = At(head_ - count_);
      leaves = {0, 0, 0, leaves.out};
    }
  }
  return true;
}

TimePoint CircuitWindow::Send(TimePoint now) {
  Roll(now);
  ++At(head_).out;
  return latest_;
}

void CircuitWindow::Answer(TimePoint sent, Verdict verdict) {
  const std::int64_t index = sent < head_end_ && sent >= head_end_ - width_ ? head_ : Index(sent);
  if (!InRing(index)) {
    --lingering_;
    return;
  }
  Bucket& bucket = At(index);
  --bucket.out;
  if (!InWindow(index)) return;
  if (verdict == Verdict::kGood) ++bucket.good;
  if (verdict == Verdict::kFailed) ++bucket.failed;
  if (verdict == Verdict::kSlow) ++bucket.slow;
}

void CircuitWindow::Clear() {
  TakeOut();
  lingering_ = 0;
}

void CircuitWindow::Rebucket(const CircuitBreakerOptions& options) {
  const CircuitWindow old = *this;
  ring_ = {};
  count_ = std::clamp<std::int64_t>(options.buckets, 1, kMostBuckets);
  width_ = std::max(Duration(1), options.window / count_);
  head_ = Index(latest_);
  head_end_ = SaturatingAdd(TimePoint(width_ * head_), width_);
  if (old.count_ == 0) return;  // being constructed
  for (std::int64_t i = old.head_ - kMostBuckets + 1; i <= old.head_; ++i) {
    const TimePoint last = i == old.head_ ? latest_ : TimePoint(old.width_ * (i + 1) - Duration(1));
    const std::int64_t index = Index(last);
    const Bucket& from = old.At(i);
    if (InRing(index)) {
      At(index).out += from.out;
    } else {
      lingering_ += from.out;
    }
    if (!InWindow(index)) continue;
    At(index).good += from.good;
    At(index).failed += from.failed;
    At(index).slow += from.slow;
  }
}

void CircuitWindow::Merge(const CircuitWindow& other) {
  if (other.head_ > head_) Roll(other.latest_);
  lingering_ += other.lingering_;
  for (std::int64_t i = other.head_ - kMostBuckets + 1; i <= other.head_; ++i) {
    const Bucket& from = other.At(i);
    if (!InRing(i)) {
      lingering_ += from.out;
      continue;
    }
    At(i).out += from.out;
    if (!InWindow(i)) continue;
    At(i).good += from.good;
    At(i).failed += from.failed;
    At(i).slow += from.slow;
  }
}

CircuitEvidence CircuitWindow::Evidence(Duration hung_after) const {
  CircuitEvidence evidence;
  const bool tells_hung = hung_after != kForever;
  const std::int64_t young = Index(SaturatingAdd(latest_, -hung_after));
  std::int64_t hung = tells_hung ? lingering_ : 0;
  std::int64_t in_row = hung;
  for (std::int64_t i = head_ - kMostBuckets + 1; i <= head_; ++i) {
    const Bucket& bucket = At(i);
    evidence.good += bucket.good;
    evidence.failed += bucket.failed;
    evidence.slow += bucket.slow;
    if (bucket.good > 0) in_row = 0;
    if (tells_hung && i < young) {
      hung += bucket.out;
      if (bucket.good == 0) in_row += bucket.out;
    }
  }
  evidence.hung = static_cast<std::uint64_t>(std::max<std::int64_t>(0, hung));
  evidence.hung_in_row = static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_row));
  return evidence;
}

std::int64_t CircuitWindow::out() const {
  std::int64_t sum = lingering_;
  for (const Bucket& bucket : ring_) sum += bucket.out;
  return sum;
}

}  // namespace hale::policy
