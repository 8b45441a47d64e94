#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hale/base/event.h"
#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/retry.h"
#include "hale/policy/retry_budget.h"

namespace hale::guard {

class Target;

/// The live policies that a call goes through; all outlive it.
struct CallPolicies {
  policy::Bulkhead& bulkhead;
  const policy::RetryOptions& retry;
  policy::RetryBudget& budget;
  Random& random;
  Duration per_try{0};  ///< longest attempt; 0: see PerTry
};

/// What is known of one call before it starts.
struct CallSpec {
  TimePoint deadline = kNever;
  Duration whole{0};  ///< from its start to the deadline, for the share of an attempt
  bool idempotent = false;
  std::uint32_t incoming_attempt = 1;
  std::string_view service;
  EventSink& trail;
  /// Not null: an extra call, which goes on where one to this target broke, rather elsewhere.
  const Target* after = nullptr;
};

/// How long attempt `number` may take. Where nothing is said: the deadline divided by the attempts,
/// at most 5 s, as long as another attempt could follow; an attempt that is the last one, or that
/// could not be repeated once it was sent, has until the deadline. Pure.
Duration PerTry(const CallPolicies& policies, const CallSpec& spec, std::uint32_t number);

/// What an attempt that ended so says about its target. Neutral is what the caller did or asked
/// wrongly, and what a policy refused before anything was sent. Pure.
Outcome OutcomeOf(const std::optional<policy::FailedAttempt>& failure);

/// A call that `policy` turned away, as an event. The caller adds names. Pure.
Event RefusedBy(std::string_view policy, const Rejection& rejection, TimePoint now);

}  // namespace hale::guard
