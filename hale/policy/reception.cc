#include "hale/policy/reception.h"

namespace hale::policy {
namespace {

Reception OfCallable(const FailedAttempt& failure) {
  switch (failure.code) {
    case Code::kResourceExhausted:
    case Code::kDeadlineExceeded:
      return Reception::kTurnedAway;
    case Code::kUnavailable:
      return failure.retry_after > Duration::zero() ? Reception::kTurnedAway : Reception::kUnknown;
    case Code::kCancelled:
    case Code::kUnknown:
      return Reception::kUnknown;
    default:
      return Reception::kTaken;
  }
}

Reception OfAnswer(const FailedAttempt& failure) {
  const bool may_say_busy = failure.status == 429 || failure.status == 503;
  const bool says_when = failure.retry_after > Duration::zero();
  return may_say_busy && says_when ? Reception::kTurnedAway : Reception::kTaken;
}

}  // namespace

Reception ReceptionOf(const FailedAttempt& failure) {
  if (failure.failed == Failed::kInstance) return Reception::kUnknown;
  if (failure.shed) return Reception::kTurnedAway;
  switch (failure.reason) {
    case Reason::kNone:
      return OfCallable(failure);
    case Reason::kUpstreamStatus:
      return OfAnswer(failure);
    case Reason::kConcurrency:
    case Reason::kQueueFull:
    case Reason::kQueueTimeout:
    case Reason::kShed:
    case Reason::kThrottled:
    case Reason::kUpstreamTimeout:
      return Reception::kTurnedAway;
    case Reason::kDeadline:
      // Whose time had passed before anything was sent has tried nobody.
      return failure.executed == Executed::kNo ? Reception::kUnknown : Reception::kTurnedAway;
    default:
      return Reception::kUnknown;
  }
}

}  // namespace hale::policy
