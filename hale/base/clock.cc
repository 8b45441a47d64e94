#include "hale/base/clock.h"

#include <ctime>

namespace hale {
namespace {

Duration Read(clockid_t id) {
  timespec at{};
  clock_gettime(id, &at);
  return std::chrono::seconds(at.tv_sec) + Duration(at.tv_nsec);
}

}  // namespace

TimePoint SteadyClock::Now() const { return TimePoint(Read(CLOCK_MONOTONIC)); }
WallTime SteadyClock::WallNow() const { return WallTime(Read(CLOCK_REALTIME)); }
TimePoint CoarseClock::Now() const { return TimePoint(Read(CLOCK_MONOTONIC_COARSE)); }
WallTime CoarseClock::WallNow() const { return WallTime(Read(CLOCK_REALTIME_COARSE)); }

const Clock& RealClock() {
  static const SteadyClock clock;
  return clock;
}

}  // namespace hale
