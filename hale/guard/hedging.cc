#include "hale/guard/hedging.h"

namespace hale::guard {

Duration HedgeDelay(const CallPolicies& policies, const CallSpec& spec, TimePoint now) {
  if (policies.hedge == nullptr || !spec.idempotent) return kForever;
  return policies.hedge->Delay(now);
}

Reason WhoProtectsItself(const CallPolicies& policies, const Targets& targets, TimePoint now) {
  if (policies.bulkhead.waiting() > 0) return Reason::kConcurrency;
  if (policies.throttle != nullptr && policies.throttle->enforced() &&
      policies.throttle->share(now) > 0) {
    return Reason::kThrottled;
  }
  return targets.Protects(now);
}

Event HedgeEvent(const policy::Hedge& hedge, Reason why, Duration waited, TimePoint now) {
  const bool enforces = hedge.mode() == policy::Mode::kEnforce;
  Event event;
  event.at = now;
  event.kind = why != Reason::kNone ? EventKind::kRetryDenied
               : enforces           ? EventKind::kHedged
                                    : EventKind::kWouldRefuse;
  event.reason = why;
  event.policy = "hedge";
  event.span = waited;
  return event;
}

bool FollowsAtOnce(const CallPolicies& policies, const Targets& targets,
                   const policy::FailedAttempt& failure, const CallSpec& spec, TimePoint now) {
  const policy::Hedge* hedge = policies.hedge;
  if (hedge == nullptr || hedge->mode() != policy::Mode::kEnforce) return false;
  if (hedge->early_failure() != policy::EarlyFailure::kAtOnce) return false;
  if (failure.attempt > 1 || failure.retry_after > Duration::zero()) return false;
  const Duration delay = HedgeDelay(policies, spec, now);
  if (delay == kForever || failure.elapsed >= delay) return false;
  return WhoProtectsItself(policies, targets, now) == Reason::kNone;
}

}  // namespace hale::guard
