#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hale/base/field_value.h"
#include "hale/guard/guard_options.h"

namespace hale::guard {

/// A remark for each setting that can be run but is unlikely to be meant, with the numbers that
/// show it. The defaults have none. Pure.
std::vector<Remark> Lint(const GuardOptions& options);

/// The same for a guard whose callable calls through another one: what the two do to each other.
/// The paths are those of the inner one. Pure.
std::vector<Remark> LintNested(const GuardOptions& outer, const GuardOptions& inner);

/// The single rules, for whoever composes the same policies otherwise: `hale check` says of a
/// document what Lint says of a guard. Each adds its remarks, with paths that begin at the policy.

/// How long a call and its attempts may take, and what their keys are called.
struct CallTimes {
  Duration deadline;
  Duration per_try;  ///< 0: automatic
  std::uint32_t attempts;
  std::string per_try_name = "per_try";
  std::string of_caller{};  ///< ` of routes[0]`, if it is said whose the deadline is
};

void LintTimes(const CallTimes& times, const policy::RetryOptions& retry,
               std::vector<Remark>& remarks);
void LintBreakerTimes(const CallTimes& times, const policy::CircuitBreakerOptions& breaker,
                      std::vector<Remark>& remarks);
void LintBulkheadTimes(const CallTimes& times, const policy::BulkheadOptions& bulkhead,
                       std::vector<Remark>& remarks);

void LintRetry(const policy::RetryOptions& retry, bool idempotent, std::vector<Remark>& remarks);
void LintBreaker(const policy::CircuitBreakerOptions& breaker, std::vector<Remark>& remarks);

/// What a bulkhead's queue does not use, and times of `codel` that never count.
void LintOrder(const policy::BulkheadOptions& bulkhead, std::vector<Remark>& remarks);

void LintThrottle(const policy::ThrottleOptions& throttle, std::vector<Remark>& remarks);
void LintConcurrency(const policy::ConcurrencyLimitOptions& limit,
                     const policy::BulkheadOptions& bulkhead, std::vector<Remark>& remarks);

/// With paths below the pace: `max_wait`, `rate`.
void LintPace(const policy::PacerOptions& pace, Duration deadline, std::vector<Remark>& remarks);
/// A limit that stands before a pace.
void LintPacedLimit(const policy::PacerOptions& pace, const policy::RateLimiterOptions& limit,
                    Duration deadline, std::vector<Remark>& remarks);

/// The most calls that limits let through in a breaker's window.
struct Supply {
  double calls;
  std::string limits;  ///< `the limit lets`
  std::string reach;   ///< `through`
};
/// What a limiter or a pace lets through in a window. Pure.
double MostCalls(const policy::RateLimiterOptions& limit, Duration window);
double MostCalls(const policy::PacerOptions& pace, Duration window);
void LintSupply(const Supply& supply, const policy::CircuitBreakerOptions& breaker,
                std::vector<Remark>& remarks);

}  // namespace hale::guard
