#include "hale/policy/retry.h"

#include <algorithm>
#include <utility>

#include "hale/policy/backoff.h"

namespace hale::policy {
namespace {

/// Whether the error of somebody else's code could be another the next time.
bool Passing(Code code) {
  switch (code) {
    case Code::kUnknown:
    case Code::kDeadlineExceeded:
    case Code::kResourceExhausted:
    case Code::kAborted:
    case Code::kUnavailable:
      return true;
    default:
      return false;
  }
}

/// Whether the failure is such that another try could go better. The rest is the caller's fault, or
/// a refusal of ours.
bool CouldGoBetter(const RetryOptions& options, const FailedAttempt& failure) {
  if (failure.failed == Failed::kInstance) return true;
  switch (failure.reason) {
    case Reason::kNone:
      return Passing(failure.code);
    case Reason::kUpstreamStatus:
      return std::ranges::find(options.retry_on_status, failure.status) !=
             options.retry_on_status.end();
    case Reason::kUpstreamConnect:
    case Reason::kUpstreamReset:
    case Reason::kUpstreamTimeout:
    case Reason::kUpstreamProtocol:
    case Reason::kEjected:
    case Reason::kStalled:
    case Reason::kUnhealthy:
    case Reason::kFaultInjected:
      return true;
    default:
      return false;
  }
}

/// A figure and what it was held against.
struct Held {
  double observed = 0;
  double threshold = 0;
};

RetryDecision Final(const FailedAttempt& failure, Reason why, Held held = {}) {
  RetryDecision decision;
  decision.reason = why;
  decision.observed = held.observed;
  decision.threshold = held.threshold;
  decision.final_for_caller = failure.hop_final || failure.attempt > 1;
  return decision;
}

/// Why the request must not be sent again, whatever the time; kNone: it may be.
Reason WhyNot(const FailedAttempt& failure) {
  if (failure.answer_begun || !failure.replayable) return Reason::kNotReplayable;
  if (failure.failed == Failed::kInstance) return Reason::kNone;
  if (failure.hop_final) return Reason::kHopFinal;
  const bool harmless = failure.executed == Executed::kNo || failure.idempotent;
  return harmless ? Reason::kNone : Reason::kNotReplayable;
}

/// How long to wait, before the deadline has its say.
Duration Wait(const RetryOptions& options, const FailedAttempt& failure, Random& random) {
  if (failure.failed == Failed::kInstance) return Duration::zero();
  if (failure.at_once) return failure.retry_after;
  const Backoff backoff{.base = options.backoff_base, .max = options.backoff_max};
  return std::max(backoff.Delay(failure.attempt, random), failure.retry_after);
}

}  // namespace

FailedAttempt Facts(const Error& error) {
  FailedAttempt failure;
  failure.code = error.code;
  failure.reason = error.reason;
  failure.executed = error.executed;
  failure.retry_after = error.retry_after;
  return failure;
}

RetryDecision Decide(const RetryOptions& options, const FailedAttempt& failure, Random& random) {
  if (options.mode == Mode::kOff || !CouldGoBetter(options, failure)) {
    return Final(failure, failure.reason);
  }
  if (const Reason why = WhyNot(failure); why != Reason::kNone) return Final(failure, why);

  const std::uint32_t most = MostAttempts(options, failure.idempotent);
  const Held attempts{static_cast<double>(failure.attempt), static_cast<double>(most)};
  if (failure.attempt >= most) return Final(failure, Reason::kAttemptsExhausted, attempts);
  if (failure.incoming_attempt > 1 && options.retried_request == RetriedRequest::kFinal &&
      failure.failed != Failed::kInstance) {
    // The caller above retries already; if both did, the attempts would multiply.
    return Final(failure, Reason::kAttemptsExhausted,
                 {static_cast<double>(failure.incoming_attempt), 1});
  }

  const Duration delay = Wait(options, failure, random);
  if (failure.remaining != kForever && failure.remaining - failure.needed <= delay) {
    return Final(failure, Reason::kDeadline,
                 {Seconds(failure.remaining), Seconds(delay) + Seconds(failure.needed)});
  }
  const Duration room = options.max_elapsed - failure.elapsed;
  if (options.max_elapsed > Duration::zero() && room <= delay) {
    return Final(failure, Reason::kDeadline, {Seconds(room), Seconds(delay)});
  }

  RetryDecision decision;
  decision.verdict = options.mode == Mode::kShadow ? RetryDecision::Verdict::kWouldRetry
                                                   : RetryDecision::Verdict::kRetry;
  decision.reason = failure.reason;
  decision.delay = delay;
  decision.observed = attempts.observed;
  decision.threshold = attempts.threshold;
  decision.final_for_caller = failure.attempt > 1;
  return decision;
}

RetryPlan PlanRetry(const RetryOptions& options, const FailedAttempt& failure, RetryBudget& budget,
                    TimePoint now, Random& random) {
  RetryPlan plan;
  plan.decision = Decide(options, failure, random);
  if (plan.decision.verdict != RetryDecision::Verdict::kRetry ||
      failure.failed == Failed::kInstance) {
    return plan;
  }
  auto token = budget.Withdraw(ExtraCall::kRetry, now);
  if (token) {
    plan.token = std::move(*token);
  } else {
    const Rejection& rejection = token.error();
    plan.decision = Final(failure, rejection.reason, {rejection.observed, rejection.threshold});
    plan.decision.final_for_caller = true;
  }
  return plan;
}

Event ToEvent(const RetryDecision& decision, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = decision.verdict == RetryDecision::Verdict::kRetry        ? EventKind::kRetried
               : decision.verdict == RetryDecision::Verdict::kWouldRetry ? EventKind::kWouldRefuse
                                                                         : EventKind::kRetryDenied;
  event.reason = decision.reason;
  event.policy = "retry";
  event.observed = decision.observed;
  event.threshold = decision.threshold;
  event.span = decision.delay;
  return event;
}

}  // namespace hale::policy
