#pragma once

#include <chrono>
#include <cstdint>

namespace hale {

using namespace std::chrono_literals;

/// A span of time, in nanoseconds: exact, ±292 years.
using Duration = std::chrono::nanoseconds;

/// An instant on the monotonic clock. Never a wall clock: it does not step.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// An instant on the calendar, for log lines and HTTP dates only.
using WallTime = std::chrono::sys_time<Duration>;

inline constexpr Duration kForever = Duration::max();
inline constexpr TimePoint kNever = TimePoint::max();

/// a + b, held at the ends of the range instead of wrapping. Pure.
constexpr TimePoint SaturatingAdd(TimePoint a, Duration b) {
  const std::int64_t at = a.time_since_epoch().count();
  std::int64_t sum = 0;
  if (__builtin_add_overflow(at, b.count(), &sum)) {
    return b.count() > 0 ? TimePoint::max() : TimePoint::min();
  }
  return TimePoint(Duration(sum));
}

/// span × factor, held at the ends of the range; a factor that is not a number gives zero. Pure.
constexpr Duration Scale(Duration span, double factor) {
  const double scaled = static_cast<double>(span.count()) * factor;
  if (scaled != scaled) return Duration::zero();
  if (scaled >= 9.2e18) return Duration::max();
  if (scaled <= -9.2e18) return Duration::min();
  return Duration(static_cast<std::int64_t>(scaled));
}

/// Seconds as a floating-point number, for metrics and printing. Pure.
constexpr double Seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace hale
