#pragma once

#include <optional>
#include <string>

#include "hale/base/clock.h"
#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/base/seq_cell.h"
#include "hale/guard/call_rules.h"
#include "hale/guard/caller_executor.h"
#include "hale/guard/guard_options.h"
#include "hale/guard/one_target.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/circuit_breaker.h"
#include "hale/policy/concurrency_limit.h"
#include "hale/policy/deadline.h"
#include "hale/policy/hedge.h"
#include "hale/policy/pacer.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/retry_budget.h"
#include "hale/policy/throttle.h"

namespace hale::guard {

/// What surrounds a guard. The references outlive it.
struct GuardContext {
  const Clock& clock = RealClock();
  EventSink& events = NullSink();
  Random* random = nullptr;  ///< null: the calling thread's; another serves one thread only
  Idle idle = {};            ///< how a blocking call sleeps; empty: for real
};

/// What the calls of one guard share: the policies with their state, which they keep when the
/// options change, and the rules that each call copies. Outlives the calls. Thread-safe.
struct GuardPolicies {
  /// The options are Check()ed.
  GuardPolicies(const GuardOptions& options, GuardContext context);
  GuardPolicies(const GuardPolicies&) = delete;
  GuardPolicies& operator=(const GuardPolicies&) = delete;

  /// What the limits gave to a call whose turn comes later.
  struct Reserved {
    policy::GcraTaken taken;
    policy::Pacer::Turn turn;
  };
  /// Asks the limits for a call that has so long: why not, if so. A turn that is waited for is told
  /// the events and left in `reserved`; there is none for who may go on at once.
  std::optional<Rejection> Admit(TimePoint now, Duration whole, std::optional<Reserved>& reserved);
  void GiveBack(const Reserved& reserved, TimePoint now);
  /// Tells the events of a call that the limits refused, and gives its error.
  Error Refused(const Rejection& rejection) const;

  /// New options for what has state. The policies tell the events, so call it with no lock held.
  void Apply(const GuardOptions& options, TimePoint now);

  const std::string name;
  const GuardContext context;
  SeqCell<CallRules> rules;
  policy::RateLimiter limiter;
  policy::Pacer pacer;
  policy::Throttle throttle;
  policy::Bulkhead bulkhead;
  policy::ConcurrencyLimit concurrency;
  policy::RetryBudget budget;
  policy::Hedge hedge;
  policy::DeadlineGate gate;
  OneTarget targets;
};

}  // namespace hale::guard
