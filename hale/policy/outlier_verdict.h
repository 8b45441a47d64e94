#pragma once

#include <atomic>
#include <cstdint>

#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/outlier.h"

namespace hale::policy {

/// A verdict where every loop's pick reads it, and who may send the one probe of a rest. Judged by
/// one thread, read by all. Thread-safe.
class PublishedVerdict {
 public:
  PublishedVerdict() = default;
  PublishedVerdict(const PublishedVerdict&) = delete;
  PublishedVerdict& operator=(const PublishedVerdict&) = delete;

  /// Who newly dies rests first; who is in again has its rests forgotten.
  void Publish(const InstanceVerdict& verdict, const OutlierOptions& options, Random& random,
               TimePoint now);
  Use use() const { return use_.load(std::memory_order_acquire); }
  /// When its present ramp began: Candidate::since.
  TimePoint ramp_from() const {
    return TimePoint(Duration(ramp_from_.load(std::memory_order_relaxed)));
  }
  /// The next probe may be sent; kNever when it is not left out.
  TimePoint probe_at() const {
    return TimePoint(Duration(probe_at_.load(std::memory_order_relaxed)));
  }
  /// True for one caller a rest: it may send one call, a replayable one, or just connect. The next
  /// rest is twice as long, up to max_rest, with up to 20 % more so that probes do not march in
  /// step.
  bool TakeProbe(const OutlierOptions& options, Random& random, TimePoint now);
  /// Calls are turned away for want of it: this rest is no longer than the first one.
  void Hasten(const OutlierOptions& options, TimePoint now);

 private:
  std::atomic<Use> use_{Use::kNormal};
  std::atomic<std::uint32_t> rests_{0};
  std::atomic<std::int64_t> ramp_from_{TimePoint::min().time_since_epoch().count()};
  std::atomic<std::int64_t> rests_from_{TimePoint::min().time_since_epoch().count()};
  std::atomic<std::int64_t> probe_at_{kNever.time_since_epoch().count()};
};

}  // namespace hale::policy
