#pragma once

#include <array>

#include "hale/base/field.h"
#include "hale/base/reason.h"

namespace hale {

/// The reasons with which a call to a service can end, as a document says them: Word(reason) each.
/// A limit is asked before there is a call to end: who is over it must be told so.
constexpr auto Names(Type<Reason>) {
  using N = Name<Reason>;
  return std::array{N{"circuit_open", Reason::kCircuitOpen},
                    N{"probing", Reason::kProbing},
                    N{"concurrency", Reason::kConcurrency},
                    N{"queue_full", Reason::kQueueFull},
                    N{"queue_timeout", Reason::kQueueTimeout},
                    N{"shed", Reason::kShed},
                    N{"throttled", Reason::kThrottled},
                    N{"deadline", Reason::kDeadline},
                    N{"forced", Reason::kForced},
                    N{"fault_injected", Reason::kFaultInjected},
                    N{"no_instance", Reason::kNoInstance},
                    N{"ejected", Reason::kEjected},
                    N{"stalled", Reason::kStalled},
                    N{"unhealthy", Reason::kUnhealthy},
                    N{"upstream_connect", Reason::kUpstreamConnect},
                    N{"upstream_reset", Reason::kUpstreamReset},
                    N{"upstream_timeout", Reason::kUpstreamTimeout},
                    N{"upstream_protocol", Reason::kUpstreamProtocol},
                    N{"upstream_status", Reason::kUpstreamStatus}};
}

}  // namespace hale
