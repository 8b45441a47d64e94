#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/guarded.h"
#include "hale/base/outcome.h"
#include "hale/base/quantity.h"
#include "hale/policy/gcra.h"
#include "hale/policy/mode.h"
#include "hale/policy/refusals.h"
#include "hale/policy/warm_up.h"

namespace hale::policy {

/// So many permits in so much time, and so many at once after a rest.
struct RateLimiterOptions {
  Mode mode = Mode::kEnforce;
  Rate rate{100, 1s};  ///< > 0
  std::uint64_t burst =
      0;                ///< permits that may pass at once; 0: what one second brings, at least 1
  Duration warm_up{0};  ///< of full use until a cold limiter has its rate; 0: never cold
  double cold = 3;      ///< [1, …): the rate of a cold limiter is rate ÷ cold
};

constexpr auto Fields(Type<RateLimiterOptions>) {
  using O = RateLimiterOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, refuses nothing) or enforce"},
      Field{"rate", &O::rate, Rate{1, 24h * 365}, Rate{1'000'000'000, 1s}, "permits in a time"},
      Field{"burst", &O::burst, 0, 1'000'000'000,
            "permits at once after a rest; 0: what one second brings, at least 1"},
      Field{"warm_up", &O::warm_up, 0s, 1h, "full use until a cold limiter has its rate; 0: none"},
      Field{"cold", &O::cold, 1.0, 100.0, "the rate of a cold limiter is rate ÷ cold"},
  };
}

/// The event of a refusal that shadow holds back. Pure.
Event WouldRefuse(const Rejection& rejection, std::string_view name, TimePoint now);
/// The event of a call that a limiter let wait for its turn. Pure.
Event Delayed(Duration wait, std::string_view name, TimePoint now);

/// What surrounds a limiter. The references outlive it.
struct RateLimiterContext {
  std::string name{};  ///< of the route or service, for events
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
};

/// Admits at most rate × t + burst in any time t, exactly, across all threads: GCRA in one atomic
/// word (ITU-T I.371, 1993, annex A; see gcra.h). A refusal changes nothing, so that hammering does
/// not lower the rate. Refusals in `enforce` are the caller's to tell.
///
/// What is not known before may be settled after: take an estimate, then tell what it came to. The
/// bound is then rate × t + burst and what the last calls ran over their estimates.
///
/// With `warm_up` permits cost more while it is cold (see WarmUp). Its state is two numbers that
/// change as one, so that such a limiter takes a lock; others take none. Thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(const RateLimiterOptions& options, RateLimiterContext context = {});

  /// Takes `weight` permits or none. A refusal (`rate_limited`: permits owed, burst) says when that
  /// many will be there; kForever when `weight` is more than the burst. One that shadow holds back
  /// is told the call's `trail`.
  std::expected<GcraTaken, Rejection> Take(TimePoint now, std::uint64_t weight = 1,
                                           EventSink* trail = nullptr);
  std::expected<GcraTaken, Rejection> Take() { return Take(context_.clock.Now()); }
  /// It came to `actual` permits: what is missing is owed, what was too much is given back.
  void Settle(const GcraTaken& taken, std::uint64_t actual, TimePoint now) {
    GcraSettleShared(word_, plans_, taken, actual, now);
  }
  /// As if it had not been taken.
  void GiveBack(const GcraTaken& taken, TimePoint now) { Settle(taken, 0, now); }

  /// Changes the rate and keeps the debt in permits: raising it gives no free burst.
  void Apply(const RateLimiterOptions& options, TimePoint now);
  void Apply(const RateLimiterOptions& options) { Apply(options, context_.clock.Now()); }

  /// Permits that could be taken now.
  std::uint64_t remaining(TimePoint now) const;
  /// How long until the whole burst is there.
  Duration reset(TimePoint now) const;
  /// 0 to 1: how cold it is.
  double coldness() const {
    return warm_up_.With([](const WarmUp& warm_up) { return warm_up.coldness(); });
  }
  std::uint64_t refused() const { return refusals_.refused(); }
  std::uint64_t would_refuse() const { return refusals_.would_refuse(); }  ///< in shadow

 private:
  GcraStep TakeWarming(TimePoint now, std::uint64_t weight);
  std::unexpected<Rejection> Refused(const GcraStep& step, Mode mode);

  RateLimiterContext context_;
  GcraPlans plans_;
  std::atomic<Mode> mode_;
  std::atomic<bool> warms_up_;
  /// Written by all calls, so not beside what they only read.
  alignas(64) std::atomic<std::uint64_t> word_;
  Guarded<WarmUp> warm_up_;
  Refusals refusals_;
  std::mutex applying_;
};

}  // namespace hale::policy
