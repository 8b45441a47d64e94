#pragma once

#include <atomic>

#include "hale/base/time.h"

namespace hale {

/// Says what time it is. Whatever lives in time is handed one, so that tests and the simulator can
/// stand still or leap. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallTime WallNow() const = 0;
};

/// CLOCK_MONOTONIC, about 20 ns a read. Thread-safe.
class SteadyClock final : public Clock {
 public:
  TimePoint Now() const override;
  WallTime WallNow() const override;
};

/// CLOCK_MONOTONIC_COARSE, about 4 ns a read, up to 4 ms late: where that will do. Thread-safe.
class CoarseClock final : public Clock {
 public:
  TimePoint Now() const override;
  WallTime WallNow() const override;
};

/// The process's one SteadyClock, for defaults; it has no state. Thread-safe.
const Clock& RealClock();

/// A clock that moves only when told. It starts one hour after the epoch, so that a subtraction in
/// a test does not fall before it. Thread-safe.
class SimClock final : public Clock {
 public:
  TimePoint Now() const override {
    return TimePoint(Duration(now_.load(std::memory_order_relaxed)));
  }
  WallTime WallNow() const override { return WallTime(Now().time_since_epoch()); }
  /// A negative span moves it back, as a broken clock would.
  void Advance(Duration by) { now_.fetch_add(by.count(), std::memory_order_relaxed); }
  void Set(TimePoint to) { now_.store(to.time_since_epoch().count(), std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_{Duration(1h).count()};
};

}  // namespace hale
