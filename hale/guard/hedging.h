#pragma once

#include "hale/base/event.h"
#include "hale/guard/call_policies.h"
#include "hale/guard/targets.h"

namespace hale::guard {

/// How long the first attempt of a call stays alone; kForever: it is not hedged at all, since that
/// is off, the call may not be made twice, or nothing is known of how long calls take.
Duration HedgeDelay(const CallPolicies& policies, const CallSpec& spec, TimePoint now);

/// Who protects itself now, so that nothing is sent beyond what must be; kNone: nobody. An open or
/// half-open circuit, a throttle that holds back, calls that wait for a place, panic.
Reason WhoProtectsItself(const CallPolicies& policies, const Targets& targets, TimePoint now);

/// The second attempt of a call that has waited so long, as an event; in shadow, where there would
/// have been one, kWouldRefuse. `why`: why there was none, kNone: there was.
Event HedgeEvent(const policy::Hedge& hedge, Reason why, Duration waited, TimePoint now);

/// How an attempt ended, for those who learn from how long it took.
struct Took {
  Duration latency{0};
  bool answered = false;    ///< well
  bool timed_out = false;   ///< it had all of its time
  bool superseded = false;  ///< the other attempt was faster
};
inline void Learn(const CallPolicies& policies, const Took& took) {
  if (policies.hedge != nullptr && (took.answered || took.timed_out || took.superseded)) {
    policies.hedge->Record(took.latency);
  }
  if (policies.gate != nullptr && took.answered) policies.gate->Record(took.latency);
}

/// Whether a second attempt follows a first one without a back-off, since that failed before the
/// delay of a hedge was over and nobody protects itself.
bool FollowsAtOnce(const CallPolicies& policies, const Targets& targets,
                   const policy::FailedAttempt& failure, const CallSpec& spec, TimePoint now);

}  // namespace hale::guard
