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
#include "hale/base/outcome.h"
#include "hale/base/quantity.h"
#include "hale/policy/gcra.h"
#include "hale/policy/mode.h"

namespace hale::policy {

/// So many permits in so much time, and so many at once after a rest.
struct RateLimiterOptions {
  Mode mode = Mode::kEnforce;
  Rate rate{100, 1s};  ///< > 0
  std::uint64_t burst =
      0;  ///< permits that may pass at once; 0: what one second brings, at least 1
};

constexpr auto Fields(Type<RateLimiterOptions>) {
  using O = RateLimiterOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, refuses nothing) or enforce"},
      Field{"rate", &O::rate, Rate{1, 24h * 365}, Rate{1'000'000'000, 1s}, "permits in a time"},
      Field{"burst", &O::burst, 0, 1'000'000'000,
            "permits at once after a rest; 0: what one second brings, at least 1"},
  };
}

/// The event of a refusal that shadow holds back. Pure.
Event WouldRefuse(const Rejection& rejection, std::string_view name, TimePoint now);

/// What surrounds a limiter. The references outlive it.
struct RateLimiterContext {
  std::string name{};  ///< of the route or service, for events
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
};

/// Admits at most rate × t + burst in any time t, exactly, across all threads: GCRA in one atomic
/// word (ITU-T I.371, 1993, annex A; see gcra.h). A refusal changes nothing, so that hammering does
/// not lower the rate. Refusals in `enforce` are the caller's to tell. Thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(const RateLimiterOptions& options, RateLimiterContext context = {});

  /// Takes `weight` permits or none. A refusal says when that many will be there; kForever when
  /// `weight` is more than the burst.
  std::expected<void, Rejection> Take(TimePoint now, std::uint64_t weight = 1);
  std::expected<void, Rejection> Take() { return Take(context_.clock.Now()); }

  /// Changes the rate and keeps the debt in permits: raising it gives no free burst.
  void Apply(const RateLimiterOptions& options, TimePoint now);
  void Apply(const RateLimiterOptions& options) { Apply(options, context_.clock.Now()); }

  /// Permits that could be taken now.
  std::uint64_t remaining(TimePoint now) const;
  /// How long until the whole burst is there.
  Duration reset(TimePoint now) const;
  /// Takes that were refused, or would have been in shadow.
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  RateLimiterContext context_;
  GcraPlans plans_;
  std::atomic<std::uint64_t> word_;
  std::atomic<Mode> mode_;
  std::atomic<std::uint64_t> refused_{0};
  std::mutex applying_;
};

}  // namespace hale::policy
