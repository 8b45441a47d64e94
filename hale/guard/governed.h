#pragma once

#include <cstdint>
#include <utility>

#include "hale/base/error.h"
#include "hale/guard/lease.h"
#include "hale/policy/bulkhead.h"

namespace hale::guard {

/// How a governed call ended. A good result still holds the lease of the instance that gave it, so
/// that the load lasts as long as the answer flows. The error of a bad one is that of the last
/// attempt, its `executed` what any attempt may have done.
template <class T>
struct Governed {
  Governed(Result<T> r, std::uint32_t n) : result(std::move(r)), attempts(n) {}

  Result<T> result;
  std::uint32_t attempts =
      0;  ///< sent to an instance; races and CallSpec::attempts_before included
  policy::Bulkhead::Permit place;
  Lease lease;                    ///< goes before the place: who gets that finds the instance free
  Duration took{0};               ///< all attempts, when it was answered or failed
  bool final_for_caller = false;  ///< tell the caller `hale-retry: no`
};

/// The error of a call that a policy refused.
inline Error RefusedError(const Rejection& rejection, Executed executed) {
  Error error(rejection.reason, executed);
  error.retry_after = rejection.retry_after;
  return error;
}

/// Whether it is final for the caller too, `attempts` having been sent before: what was throttled
/// is, since another try would meet the same service.
inline bool IsFinalForCaller(const Rejection& rejection, std::uint32_t attempts) {
  return attempts > 1 || rejection.reason == Reason::kThrottled;
}

}  // namespace hale::guard
