#pragma once

#include <cstdint>

#include "hale/base/time.h"
#include "hale/guard/guard_options.h"
#include "hale/policy/retry.h"

namespace hale::guard {

/// What a call reads of its guard's options, copied when it begins and kept for its whole life, so
/// that a change never meets it half way. Trivially copyable: it is read without a lock. What has
/// state (limiter, bulkhead, breaker, budget) is shared instead and changes for all at once.
struct CallRules {
  explicit CallRules(const GuardOptions& options)
      : retry_mode(options.retry.mode),
        retried_request(options.retry.retried_request),
        idempotent(options.idempotent),
        attempts(options.retry.attempts),
        backoff_base(options.retry.backoff_base),
        backoff_max(options.retry.backoff_max),
        max_elapsed(options.retry.max_elapsed),
        deadline(options.deadline),
        per_try(options.per_try) {}
  CallRules() = default;

  /// The statuses are left out: a callable has none, its errors say what they are.
  policy::RetryOptions Retry() const {
    return {.mode = retry_mode,
            .attempts = attempts,
            .backoff_base = backoff_base,
            .backoff_max = backoff_max,
            .max_elapsed = max_elapsed,
            .retry_on_status = {},
            .retried_request = retried_request,
            .budget = {}};
  }

  policy::Mode retry_mode = policy::Mode::kOff;
  policy::RetriedRequest retried_request = policy::RetriedRequest::kFinal;
  bool idempotent = false;
  std::uint32_t attempts = 0;
  Duration backoff_base{0};
  Duration backoff_max{0};
  Duration max_elapsed{0};
  Duration deadline{0};
  Duration per_try{0};
};

}  // namespace hale::guard
