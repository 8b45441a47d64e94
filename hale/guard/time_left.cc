#include "hale/guard/time_left.h"

namespace hale::guard {

std::optional<Rejection> TimeLeft::AskGate(TimePoint now) {
  using Look = policy::DeadlineGate::Look;
  const Look look = looked_ ? Look::kAgain : Look::kFirst;
  looked_ = now;
  const auto late = policies_.gate->Check(Remaining(spec_, now), now, look);
  if (!late || policies_.gate->enforced()) return late;
  told_ = true;
  Event event = RefusedBy("deadline", *late, now);
  event.kind = EventKind::kWouldRefuse;
  event.service = spec_.service;
  spec_.trail.On(event);
  return std::nullopt;
}

void LeaveRoom(policy::FailedAttempt& failure, const CallPolicies& policies, TimePoint now) {
  if (policies.gate == nullptr || !policies.gate->enforced()) return;
  failure.needed = policies.gate->Needed(now);
}

}  // namespace hale::guard
