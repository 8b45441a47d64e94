#pragma once

#include <expected>

#include "hale/base/executor.h"
#include "hale/base/task.h"
#include "hale/guard/targets.h"
#include "hale/policy/bulkhead.h"

namespace hale::guard {

/// Waits in the bulkhead's queue for a place, no longer than is useful. Refused with the bulkhead's
/// reasons, or kClientAbort when stopped. `call` outlives it. Loop-bound.
Task<std::expected<policy::Bulkhead::Permit, Rejection>> EnterQueue(policy::Bulkhead& bulkhead,
                                                                    Executor& executor,
                                                                    const policy::Admission& call);

/// What a call waits with when no instance takes another one. All references outlive it.
struct FullHouse {
  policy::Bulkhead& bulkhead;
  Executor& executor;
  Targets& targets;
  policy::Bulkhead::Permit& place;  ///< given back while it waits
  const policy::Admission& call;
};

/// Picks again whenever a call to the service has ended, waiting meanwhile in the bulkhead's one
/// queue where the call's turn is, until `patience` ends. Refused with the bulkhead's reasons, with
/// the pick's when it is no longer for want of room, or kClientAbort when stopped. Loop-bound.
Task<std::expected<Lease, Rejection>> PickWhenFree(const FullHouse& house,
                                                   policy::Bulkhead::Patience patience,
                                                   Wanted wanted);

}  // namespace hale::guard
