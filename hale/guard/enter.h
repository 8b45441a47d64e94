#pragma once

#include <expected>

#include "hale/base/executor.h"
#include "hale/base/task.h"
#include "hale/policy/bulkhead.h"

namespace hale::guard {

/// Waits in the bulkhead's queue for a place, no longer than is useful until `deadline`. Refused
/// with the bulkhead's reasons, or kClientAbort when stopped. Loop-bound.
Task<std::expected<policy::Bulkhead::Permit, Rejection>> EnterQueue(policy::Bulkhead& bulkhead,
                                                                    Executor& executor,
                                                                    TimePoint deadline);

}  // namespace hale::guard
