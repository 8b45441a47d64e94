#pragma once

#include <string>

#include "hale/base/field.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/retry.h"

namespace hale::guard {

/// The policies around one kind of call. Nothing set is safe: it has a deadline, a breaker, a bound
/// on the calls in flight, and retries only what was surely not executed.
struct GuardOptions {
  std::string name = "guard";  ///< in events, metrics and errors
  policy::RateLimiterOptions limit{.mode = policy::Mode::kOff};
  policy::BulkheadOptions bulkhead = {};
  policy::CircuitBreakerOptions breaker = {};
  policy::RetryOptions retry = {};
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
      Field{"bulkhead", &O::bulkhead, "calls in flight, and their queue"},
      Field{"breaker", &O::breaker, "stops calling what keeps failing"},
      Field{"retry", &O::retry, "what is tried again"},
      Field{"deadline", &O::deadline, milliseconds(1), hours(24), "for the whole call"},
      Field{"per_try", &O::per_try, milliseconds(0), hours(24), "longest attempt; 0: automatic"},
      Field{"idempotent", &O::idempotent, "the call may be made twice"}};
}

}  // namespace hale::guard
