#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "hale/base/event.h"
#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/concurrency_limit.h"
#include "hale/policy/deadline.h"
#include "hale/policy/hedge.h"
#include "hale/policy/reception.h"
#include "hale/policy/retry.h"
#include "hale/policy/retry_budget.h"
#include "hale/policy/throttle.h"

namespace hale::guard {

class Target;

/// The live policies that a call goes through; all outlive it.
struct CallPolicies {
  policy::Bulkhead& bulkhead;
  const policy::RetryOptions& retry;
  policy::RetryBudget& budget;
  Random& random;
  Duration per_try{0};                              ///< longest attempt; 0: see PerTry
  policy::Throttle* throttle = nullptr;             ///< null: none
  policy::ConcurrencyLimit* concurrency = nullptr;  ///< of the bulkhead; null: none
  policy::Hedge* hedge = nullptr;                   ///< null: no second attempt for slowness
  policy::DeadlineGate* gate = nullptr;             ///< null: a deadline is late when it has passed
};

/// What is known of one call before it starts.
struct CallSpec {
  TimePoint deadline = kNever;
  Duration whole{0};  ///< from its start to the deadline, for the share of an attempt
  bool idempotent = false;
  std::uint32_t incoming_attempt = 1;
  std::string_view service;
  EventSink& trail;
  policy::Priority priority = policy::Priority::kCritical;
  std::uint64_t fair_key = 0;       ///< a hash of whom it is for; 0: said by nobody
  std::string_view partition = {};  ///< of the bulkhead, see policy::PartitionsOptions
  std::uint64_t balance_key = 0;    ///< whom it belongs to, see Wanted::key
  /// Not null: an extra call, which goes on where one to this target broke, rather elsewhere.
  const Target* after = nullptr;
  std::uint32_t attempts_before = 0;  ///< made by the call that it goes on from; they count as its
};

/// How long attempt `number` may take. Where nothing is said: the deadline divided by the attempts,
/// at most 5 s, as long as another attempt could follow; an attempt that is the last one, or that
/// could not be repeated once it was sent, has until the deadline. Pure.
Duration PerTry(const CallPolicies& policies, const CallSpec& spec, std::uint32_t number);

/// Until its deadline; kForever without one. Pure.
constexpr Duration Remaining(const CallSpec& spec, TimePoint now) {
  return spec.deadline == kNever ? kForever : spec.deadline - now;
}

/// The rejection of a call whose deadline has passed. Pure.
inline Rejection PastDeadline(const CallSpec& spec, TimePoint now) {
  return {.reason = Reason::kDeadline, .observed = Seconds(Remaining(spec, now))};
}

/// What the bulkhead has to know of it. Pure.
policy::Admission AdmissionOf(const CallSpec& spec, TimePoint now);

/// Adds to a failure what is known of its call. Pure.
void AddFacts(policy::FailedAttempt& failure, const CallSpec& spec, Duration elapsed,
              TimePoint now);

/// What an attempt that ended so says about its target. Neutral is what the caller did or asked
/// wrongly, and what a policy refused before anything was sent. Pure.
Outcome OutcomeOf(const policy::FailedAttempt& failure);
inline Outcome OutcomeOf(const std::optional<policy::FailedAttempt>& failure) {
  return failure ? OutcomeOf(*failure) : Outcome::kSuccess;
}

/// A call that `policy` turned away, as an event. The caller adds names. Pure.
Event RefusedBy(std::string_view policy, const Rejection& rejection, TimePoint now);

/// A call that `policy` sent to a second instance as well, as an event. Pure.
Event RacedBy(std::string_view policy, Reason reason, TimePoint now);

/// One attempt that has ended.
struct Received {
  policy::Reception reception = policy::Reception::kUnknown;
  TimePoint sent{};
  bool alone = true;  ///< no other attempt of the call ran beside it
};

/// Tells the concurrency limit, which there is, how an attempt was received.
void ObserveLimit(const CallPolicies& policies, const CallSpec& spec, const Received& received,
                  TimePoint now);
/// Tells the throttle and the concurrency limit. How long two attempts together took is no time of
/// the service's.
inline void Observe(const CallPolicies& policies, const CallSpec& spec, const Received& received,
                    TimePoint now) {
  if (policies.throttle != nullptr) policies.throttle->Count(received.reception, now);
  const bool limits =
      policies.concurrency != nullptr && policies.concurrency->mode() != policy::Mode::kOff;
  if (limits && received.alone) ObserveLimit(policies, spec, received, now);
}

/// Asks the throttle, if there is one. What goes on where another call broke is no new call.
inline std::expected<void, Rejection> AskThrottle(const CallPolicies& policies,
                                                  const CallSpec& spec, TimePoint now) {
  if (policies.throttle == nullptr || spec.after != nullptr) return {};
  return policies.throttle->Admit(now, policies.random, &spec.trail);
}

}  // namespace hale::guard
