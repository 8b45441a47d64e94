#pragma once

#include <atomic>
#include <cstdint>

#include "hale/base/time.h"
#include "hale/policy/stall_threshold.h"

namespace hale::policy {

/// One live quantile of what calls took lately: a histogram whose counts are halved each 10 s, so
/// that a change shows within a minute whatever the traffic, read off at most once a second. To
/// record is two atomic additions, to read one load. Thread-safe.
class RecentLatency {
 public:
  void Record(Duration latency) { seen_.Record(latency); }

  /// Which quantile, and of how many calls at least.
  struct Wanted {
    double quantile = 0.5;      ///< [0, 1]
    std::uint32_t minimum = 1;  ///< calls, fewer say nothing
  };
  /// The latency that this share of recent calls did not exceed, at most 12.5 % too high and a
  /// second old; zero: of too few calls. LatencyHistogram::Longest() and above: it cannot be told.
  Duration Read(Wanted wanted, TimePoint now);
  /// Calls that it stands for.
  std::uint64_t count() const { return seen_.count(); }
  /// The next Read looks anew: another quantile is wanted.
  void Expire() { due_.store(kAtOnce, std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kAtOnce = TimePoint::min().time_since_epoch().count();
  void Fade(TimePoint now);

  LatencyHistogram seen_;
  std::atomic<std::int64_t> due_{kAtOnce};  // when it is read off again, ns
  std::atomic<Duration> quantile_{Duration::zero()};
  std::atomic<std::int64_t> faded_{-1};  // the number of the last 10 s that it has halved for
};

}  // namespace hale::policy
