#include "hale/guard/call_policies.h"

#include <algorithm>

namespace hale::guard {
namespace {

/// The codes with which an answer says that the request was wrong, or its sender has gone.
bool IsCallersFault(Code code) {
  switch (code) {
    case Code::kCancelled:
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kPermissionDenied:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
    case Code::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

/// A policy refused: one of the target's connections, or of a guard inside the callable.
bool IsShed(Reason reason) {
  switch (reason) {
    case Reason::kRateLimited:
    case Reason::kCircuitOpen:
    case Reason::kProbing:
    case Reason::kConcurrency:
    case Reason::kQueueFull:
    case Reason::kQueueTimeout:
    case Reason::kShed:
    case Reason::kThrottled:
    case Reason::kBudgetExhausted:
    case Reason::kDraining:
    case Reason::kForced:
    case Reason::kNoInstance:
      return true;
    default:
      return false;
  }
}

}  // namespace

Duration PerTry(const CallPolicies& policies, const CallSpec& spec, std::uint32_t number) {
  constexpr Duration kLongest = std::chrono::seconds(5);
  if (policies.per_try > Duration::zero()) return policies.per_try;
  const std::uint32_t most = policy::MostAttempts(policies.retry, spec.idempotent);
  const bool another =
      policies.retry.mode == policy::Mode::kEnforce && spec.idempotent && number < most;
  if (!another) return kForever;
  if (spec.deadline == kNever) return kLongest;
  return std::min(kLongest, spec.whole / most);
}

policy::Admission AdmissionOf(const CallSpec& spec, TimePoint now) {
  return {.remaining = Remaining(spec, now),
          .priority = spec.priority,
          .key = spec.fair_key,
          .partition = spec.partition,
          .trail = &spec.trail};
}

void AddFacts(policy::FailedAttempt& failure, const CallSpec& spec, Duration elapsed,
              TimePoint now) {
  failure.incoming_attempt = spec.incoming_attempt;
  failure.idempotent = spec.idempotent;
  failure.elapsed = elapsed;
  failure.remaining = Remaining(spec, now);
}

Outcome OutcomeOf(const policy::FailedAttempt& failure) {
  const bool neutral = failure.failed == policy::Failed::kInstance || failure.shed ||
                       IsShed(failure.reason) || hale::IsCallersFault(failure.reason) ||
                       (failure.reason == Reason::kNone && IsCallersFault(failure.code));
  return neutral ? Outcome::kIgnored : Outcome::kFailure;
}

Event RefusedBy(std::string_view policy, const Rejection& rejection, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = EventKind::kRefused;
  event.reason = rejection.reason;
  event.policy = policy;
  event.observed = rejection.observed;
  event.threshold = rejection.threshold;
  event.span = rejection.retry_after;
  event.detail = rejection.detail;
  return event;
}

Event RacedBy(std::string_view policy, Reason reason, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = EventKind::kRaced;
  event.reason = reason;
  event.policy = policy;
  return event;
}

void ObserveLimit(const CallPolicies& policies, const CallSpec& spec, const Received& received,
                  TimePoint now) {
  const policy::LimitSample sample{received.reception, now - received.sent,
                                   policies.bulkhead.in_flight()};
  if (policies.concurrency->Observe(sample, now, &spec.trail)) {
    Drive(policies.bulkhead, *policies.concurrency);
  }
}

}  // namespace hale::guard
