#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"
#include "hale/policy/retry_budget.h"

namespace hale::policy {

/// What to do with a request that is itself a retry of the caller's (`hale-attempt` above 1).
enum class RetriedRequest : std::uint8_t { kFinal, kRetry };

constexpr auto Names(Type<RetriedRequest>) {
  return std::array{Name<RetriedRequest>{"final", RetriedRequest::kFinal},
                    Name<RetriedRequest>{"retry", RetriedRequest::kRetry}};
}

struct RetryOptions {
  Mode mode = Mode::kEnforce;
  std::uint32_t attempts = 0;    ///< the first included; 0: 2, or 3 for an idempotent request
  Duration backoff_base = 25ms;  ///< the wait after the first failure is drawn below this
  Duration backoff_max = 250ms;  ///< and after later ones never above this
  Duration max_elapsed{0};       ///< no new attempt this long after the first; 0: the deadline's
  std::vector<int> retry_on_status = {502, 503, 504};  ///< of an idempotent request
  RetriedRequest retried_request = RetriedRequest::kFinal;
  RetryBudgetOptions budget = {};

  friend bool operator==(const RetryOptions&, const RetryOptions&) = default;
};

constexpr auto Fields(Type<RetryOptions>) {
  using O = RetryOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"attempts", &O::attempts, 0, 10, "calls in all; 0: 2, or 3 if idempotent"},
      Field{"backoff_base", &O::backoff_base, 1ms, 1h, "ceiling of the wait after one failure"},
      Field{"backoff_max", &O::backoff_max, 1ms, 1h, "ceiling of any wait of our own"},
      Field{"max_elapsed", &O::max_elapsed, 0ms, 24h, "no new attempt later; 0: the deadline's"},
      Field{"retry_on_status", &O::retry_on_status, "answers that are tried again"},
      Field{"retried_request", &O::retried_request, "a request that is a retry: final or retry"},
      Field{"budget", &O::budget, "what bounds retries, races and hedges together"}};
}

/// Attempts that a request may have in all.
constexpr std::uint32_t MostAttempts(const RetryOptions& options, bool idempotent) {
  if (options.attempts != 0) return options.attempts;
  return idempotent ? 3 : 2;
}

/// Who turned the attempt down.
enum class Failed : std::uint8_t {
  kUpstream,  ///< the call was tried: connect, send, answer or its absence
  kInstance,  ///< a policy of one instance refused before anything was sent: another may take it
};

/// One attempt that failed, and what is known about its request. Facts(error) fills in what an
/// Error tells.
struct FailedAttempt {
  Code code = Code::kUnavailable;
  Reason reason = Reason::kNone;         ///< of the failure; kNone: a callable's own, `code` tells
  Executed executed = Executed::kMaybe;  ///< did the remote act?
  Failed failed = Failed::kUpstream;
  int status = 0;                      ///< when an answer is the failure (upstream_status)
  Duration retry_after{0};             ///< what the refuser asked for; ≤ 0: nothing
  std::uint32_t attempt = 1;           ///< which attempt of ours this was, from 1
  std::uint32_t incoming_attempt = 1;  ///< which attempt of the caller's this request is
  bool idempotent = false;
  bool replayable = true;         ///< its body is still held whole, or it has none
  bool answer_begun = false;      ///< a byte of an answer has been passed on
  bool shed = false;              ///< the answer says that it was turned away for overload
  bool hop_final = false;         ///< the answer said `hale-retry: no`
  bool at_once = false;           ///< another attempt would follow without a back-off
  Duration elapsed{0};            ///< since the first attempt began
  Duration remaining = kForever;  ///< until the request's deadline
  Duration needed{0};             ///< of it, by another attempt

  friend bool operator==(const FailedAttempt&, const FailedAttempt&) = default;
};

/// The facts that an Error holds; the caller adds what it knows about the request. Pure.
FailedAttempt Facts(const Error& error);

struct RetryDecision {
  enum class Verdict : std::uint8_t {
    kFinal,       ///< return the last real error, now
    kRetry,       ///< another attempt after `delay`
    kWouldRetry,  ///< shadow: final all the same
  };
  Verdict verdict = Verdict::kFinal;
  /// kRetry: the failure's. kFinal: why not; the failure's own when it is not of a kind to retry.
  Reason reason = Reason::kNone;
  Duration delay{0};
  double observed = 0;   ///< the figure that decided: attempts, seconds or tokens
  double threshold = 0;  ///< what it was held against
  /// Tell our caller `hale-retry: no`: we have retried, may not, or were told so ourselves.
  bool final_for_caller = false;
};

/// Whether a failed attempt is followed by another. What was surely not executed may always be sent
/// again, what may have been only if it is idempotent; an answer that has begun to flow is never
/// taken back; refusals by our own policies are final, since asking again at once is what they
/// exist to prevent. The wait is the longer of backoff and Retry-After; when the deadline leaves no
/// room for it the last error is returned now, not after a wait in vain. Moving on to another
/// instance (Failed::kInstance) waits for nothing. Pure.
RetryDecision Decide(const RetryOptions& options, const FailedAttempt& failure, Random& random);

/// A decision and the token that pays for it.
struct RetryPlan {
  RetryDecision decision;
  RetryBudget::Token token;  ///< kRetry of a call that loads the upstream: say Sent() with it
};

/// Decide, then withdraw from the budget before any wait; without a token the failure is final.
/// Moving on to another instance (Failed::kInstance) costs nothing: nothing was sent. Thread-safe.
RetryPlan PlanRetry(const RetryOptions& options, const FailedAttempt& failure, RetryBudget& budget,
                    TimePoint now, Random& random);

/// The decision as an event: kRetried, kRetryDenied, or kWouldRefuse for what shadow would retry.
/// The caller adds service and instance. Pure.
Event ToEvent(const RetryDecision& decision, TimePoint now);

}  // namespace hale::policy
