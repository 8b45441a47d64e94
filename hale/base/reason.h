#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hale/base/code.h"

namespace hale {

/// Why a call was refused, retried, raced, or an instance left out: the same word in the error, the
/// `hale-reason` header, the metric label, the log field and the console. A closed set.
enum class Reason : std::uint8_t {
  kNone,
  // What the caller asked for cannot be.
  kNoRoute,
  kUnauthenticated,
  kForbidden,
  kProtocol,
  kHeaderTooLarge,
  kTargetTooLong,
  kBodyTooLarge,
  kUnsupported,
  kLoop,
  kClientTimeout,
  kClientAbort,
  // A policy said no.
  kRateLimited,
  kCircuitOpen,
  kProbing,
  kConcurrency,
  kQueueFull,
  kQueueTimeout,
  kShed,
  kThrottled,
  kDeadline,
  kBudgetExhausted,
  kNotReplayable,
  kAttemptsExhausted,
  kHopFinal,
  kDraining,
  kForced,
  kFaultInjected,
  // The set of instances.
  kNoInstance,
  kEjected,
  kStalled,
  kUnhealthy,
  kPanic,
  // The upstream failed.
  kUpstreamConnect,
  kUpstreamReset,
  kUpstreamTimeout,
  kUpstreamProtocol,
  kUpstreamStatus,
  // Why an instance or a breaker changed.
  kFailureRate,
  kSlowRate,
  kConsecutiveFailures,
  kHungCalls,
  kProbeFailed,
  kProbeLost,
  kRecovered,
  // Why a set of instances did not follow its registry.
  kStale,
  kHeld,
  kCount,
};

/// What a reason is called and what it becomes on the wire.
struct ReasonInfo {
  Reason reason;
  std::string_view word;  ///< snake_case, stable: dashboards and clients match on it
  int http_status;        ///< of the response that Hale makes itself; 0: never the end of a call
  Code code;
  bool retryable;             ///< by the caller above, when its request is idempotent
  std::string_view sentence;  ///< for a person
};

/// The row of a reason. Pure.
const ReasonInfo& Info(Reason reason);

/// The stable word of a reason. Pure.
inline std::string_view Word(Reason reason) { return Info(reason).word; }

/// The request itself was at fault, or its sender gave up: it says nothing about who was called.
/// Pure.
constexpr bool IsCallersFault(Reason reason) {
  return reason >= Reason::kNoRoute && reason <= Reason::kClientAbort;
}

/// The reason that a word names, or nothing. Pure.
std::optional<Reason> ReasonFromWord(std::string_view word);

}  // namespace hale
