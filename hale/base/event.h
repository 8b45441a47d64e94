#pragma once

#include <cstdint>
#include <string_view>

#include "hale/base/outcome.h"
#include "hale/base/reason.h"
#include "hale/base/time.h"

namespace hale {

/// What happened. A closed set: journal, counters and logs are tables over it.
enum class EventKind : std::uint8_t {
  kRefused,      ///< a call was turned away
  kWouldRefuse,  ///< it would have been, or done otherwise with, were the policy not in shadow
  kRetried,      ///< another attempt was started after a failure
  kRetryDenied,  ///< an attempt that failed is final; the reason says why
  kRaced,        ///< a waiting call was sent to a second instance as well
  kHedged,       ///< a slow call was sent to a second instance as well
  kJoined,       ///< a call shares the answer of an identical one under way
  kFellBack,     ///< a call that failed was answered with something else; the reason says why
  kDelayed,      ///< a call waited, for its turn or for an answer not to be shared, and went on
  kOpened,       ///< a circuit
  kHalfOpened,
  kClosed,
  kForced,         ///< an operator forced a circuit, or its TTL ran out
  kEjected,        ///< an instance is left out
  kReturned,       ///< it is back
  kStalled,        ///< it stopped answering while its peers went on
  kPanic,          ///< too few instances were left; the reason kRecovered ends it
  kHealthChanged,  ///< a health check's verdict: kUnhealthy or kRecovered
  kInstancesChanged,
  kConfigApplied,
  kConfigRejected,
  kBound,      ///< a queue, cache or table is at its bound and has begun to drop
  kLifecycle,  ///< ready, draining, stopped
  kCount,
};

/// The stable snake_case word of a kind. Pure.
std::string_view Word(EventKind kind);

/// One thing that Hale decided, in numbers. The views are valid only while it is being told.
struct Event {
  TimePoint at{};
  EventKind kind = EventKind::kRefused;
  Reason reason = Reason::kNone;
  std::string_view policy;    ///< `circuit_breaker`, `rate_limiter` ...
  std::string_view service;   ///< or route, for policies of a route
  std::string_view instance;  ///< `host:port`; empty if it is about none
  double observed = 0;
  double threshold = 0;
  Duration span{0};         ///< how long it will last, or how long was waited
  std::string_view detail;  ///< for a person; mostly empty
};

/// Where events go. Called with no lock held, by any thread; must be quick and must not throw.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void On(const Event& event) noexcept = 0;
};

/// Forgets everything; the default of whatever can emit.
EventSink& NullSink();

/// Whom an event about one call is told: the call's trail, which tells everybody as well, or
/// `everybody` for a call without one.
inline EventSink& TrailOr(EventSink* trail, EventSink& everybody) {
  return trail != nullptr ? *trail : everybody;
}

}  // namespace hale
