#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/guarded.h"
#include "hale/policy/mode.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/refusals.h"

namespace hale::policy {

/// So many calls in any window of so much time, as a contract says it.
struct SlidingLogOptions {
  Mode mode = Mode::kEnforce;
  Rate rate{100, 1s};  ///< `6000/min`: at most 6,000 in any minute
};

constexpr auto Fields(Type<SlidingLogOptions>) {
  using O = SlidingLogOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, refuses nothing) or enforce"},
      Field{"rate", &O::rate, Rate{1, 24h * 365}, Rate{100'000, 1s},
            "calls in any window of that time; 8 bytes each"},
  };
}

/// The most calls that are remembered. A window that may hold more is cut into equal parts, and the
/// calls with it: at 1,000,000/min 100,000 in any 6 s. No minute has more than the contract says
/// and the rate is the same, but not all of it may come at once.
inline constexpr std::uint64_t kMostLogged = 100'000;

/// The instants of the last N admitted calls in a ring: a call is admitted when the N-th last lies
/// a whole window back. Exact, as no counter of windows is: any window, wherever it begins, holds
/// at most N. 8 bytes a call. Pure. Not thread-safe.
class SlidingLogCore {
 public:
  SlidingLogCore(std::uint64_t limit, Duration window) { Resize(limit, window); }

  /// Logs `weight` calls or none, and says at what instant. A refusal says when that many will have
  /// left the window.
  std::expected<TimePoint, Rejection> Take(TimePoint now, std::uint64_t weight = 1);
  /// Forgets `weight` calls that were logged at `at`.
  void GiveBack(TimePoint at, std::uint64_t weight);
  /// Another limit and window. What is remembered stays, the latest if it is too much.
  void Resize(std::uint64_t limit, Duration window);

  /// Calls in the window that ends at `now`.
  std::uint64_t count(TimePoint now) const;
  std::uint64_t limit() const { return ring_.size(); }

 private:
  /// The k-th last call, from 1; long ago if there were fewer.
  TimePoint Last(std::uint64_t k) const;

  std::vector<TimePoint> ring_;
  std::uint64_t logged_ = 0;  // the next one is ring_[logged_ % size]
  std::uint64_t held_ = 0;    // so many of the ring are calls
  Duration window_{1};
};

/// SlidingLogCore behind a lock: its state is N instants, and being exact over all of them is what
/// it is for. Where a rate and a burst will do, a RateLimiter is one word. Thread-safe.
class SlidingLog {
 public:
  /// When and how many. A value.
  struct Taken {
    TimePoint at{};
    std::uint64_t weight = 0;
  };

  explicit SlidingLog(const SlidingLogOptions& options, RateLimiterContext context = {});

  /// As RateLimiter::Take.
  std::expected<Taken, Rejection> Take(TimePoint now, std::uint64_t weight = 1,
                                       EventSink* trail = nullptr);
  std::expected<Taken, Rejection> Take() { return Take(context_.clock.Now()); }
  /// As if it had not been taken.
  void GiveBack(const Taken& taken);
  /// Changes limit and window; what was admitted stays remembered. Allocates.
  void Apply(const SlidingLogOptions& options);

  std::uint64_t count(TimePoint now) const;
  std::uint64_t refused() const { return refusals_.refused(); }
  std::uint64_t would_refuse() const { return refusals_.would_refuse(); }  ///< in shadow

 private:
  RateLimiterContext context_;
  std::atomic<Mode> mode_;
  Refusals refusals_;
  Guarded<SlidingLogCore> core_;
};

}  // namespace hale::policy
