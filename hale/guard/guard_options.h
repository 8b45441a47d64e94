#pragma once

#include <string>

#include "hale/base/field.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/concurrency_limit_core.h"
#include "hale/policy/deadline.h"
#include "hale/policy/hedge.h"
#include "hale/policy/pacer.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/retry.h"
#include "hale/policy/throttle.h"

namespace hale::guard {

/// The policies around one kind of call. Nothing set is safe: it has a deadline, a breaker, a bound
/// on the calls in flight, and retries only what was surely not executed.
struct GuardOptions {
  std::string name = "guard";  ///< in events, metrics and errors
  policy::RateLimiterOptions limit{.mode = policy::Mode::kOff};
  policy::PacerOptions pace{.mode = policy::Mode::kOff};
  policy::ThrottleOptions throttle = {};
  policy::BulkheadOptions bulkhead = {};
  policy::ConcurrencyLimitOptions concurrency = {};
  policy::CircuitBreakerOptions breaker = {};
  policy::RetryOptions retry = {};
  policy::HedgeOptions hedge = {};  ///< of an AsyncGuard only: what blocks cannot be hedged
  policy::DeadlineOptions in_time{.mode = policy::Mode::kOff};
  Duration deadline = std::chrono::seconds(15);  ///< for the whole call, waits and retries included
  Duration per_try{0};                           ///< longest attempt; 0: see PerTry
  bool idempotent = false;                       ///< the call may be made twice
};

constexpr auto Fields(Type<GuardOptions>) {
  using O = GuardOptions;
  using std::chrono::hours;
  using std::chrono::milliseconds;
  return std::tuple{
      Field{"name", &O::name, "in events, metrics and errors"},
      Field{"limit", &O::limit, "calls in a time"},
      Field{"pace", &O::pace, "calls at even distances, which wait for their turn"},
      Field{"throttle", &O::throttle, "calls not sent to who turns much away"},
      Field{"bulkhead", &O::bulkhead, "calls in flight, and their queue"},
      Field{"concurrency", &O::concurrency, "a limit of the bulkhead that finds itself"},
      Field{"breaker", &O::breaker, "stops calling what keeps failing"},
      Field{"retry", &O::retry, "what is tried again"},
      Field{"hedge", &O::hedge, "what is slow is made a second time; of an AsyncGuard only"},
      Field{"in_time", &O::in_time, "what cannot be answered in time is refused at once"},
      Field{"deadline", &O::deadline, milliseconds(1), hours(24), "for the whole call"},
      Field{"per_try", &O::per_try, milliseconds(0), hours(24), "longest attempt; 0: automatic"},
      Field{"idempotent", &O::idempotent, "the call may be made twice"}};
}

}  // namespace hale::guard
