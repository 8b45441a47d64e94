#include "hale/base/reason.h"

#include <array>

namespace hale {
namespace {

constexpr std::array kCodes = {
    std::string_view("ok"),
    std::string_view("cancelled"),
    std::string_view("unknown"),
    std::string_view("invalid_argument"),
    std::string_view("deadline_exceeded"),
    std::string_view("not_found"),
    std::string_view("already_exists"),
    std::string_view("permission_denied"),
    std::string_view("resource_exhausted"),
    std::string_view("failed_precondition"),
    std::string_view("aborted"),
    std::string_view("out_of_range"),
    std::string_view("unimplemented"),
    std::string_view("internal"),
    std::string_view("unavailable"),
    std::string_view("data_loss"),
    std::string_view("unauthenticated"),
};

// clang-format off
constexpr std::array<ReasonInfo, static_cast<std::size_t>(Reason::kCount)> kTable = {{
    {Reason::kNone, "none", 0, Code::kOk, false, "nothing was decided"},
    {Reason::kNoRoute, "no_route", 404, Code::kNotFound, false, "no route matches the request"},
    {Reason::kUnauthenticated, "unauthenticated", 401, Code::kUnauthenticated, false, "the token is missing or wrong"},
    {Reason::kForbidden, "forbidden", 403, Code::kPermissionDenied, false, "the caller may not do this"},
    {Reason::kProtocol, "protocol", 400, Code::kInvalidArgument, false, "the request is not well-formed HTTP"},
    {Reason::kHeaderTooLarge, "header_too_large", 431, Code::kResourceExhausted, false, "the header block is over its limit"},
    {Reason::kTargetTooLong, "target_too_long", 414, Code::kInvalidArgument, false, "the request target is over its limit"},
    {Reason::kBodyTooLarge, "body_too_large", 413, Code::kResourceExhausted, false, "the body is over its limit"},
    {Reason::kUnsupported, "unsupported", 501, Code::kUnimplemented, false, "the request needs what is not supported"},
    {Reason::kLoop, "loop", 508, Code::kFailedPrecondition, false, "the request has passed here before"},
    {Reason::kClientTimeout, "client_timeout", 408, Code::kDeadlineExceeded, true, "the client took too long to send its request"},
    {Reason::kClientAbort, "client_abort", 499, Code::kCancelled, false, "the client went away"},
    {Reason::kRateLimited, "rate_limited", 429, Code::kResourceExhausted, false, "more calls come than a rate limit lets through"},
    {Reason::kCircuitOpen, "circuit_open", 503, Code::kUnavailable, true, "the circuit is open: recent calls failed"},
    {Reason::kProbing, "probing", 503, Code::kUnavailable, true, "the circuit is half-open and its probes are out"},
    {Reason::kConcurrency, "concurrency", 503, Code::kUnavailable, true, "too many calls are in flight"},
    {Reason::kQueueFull, "queue_full", 503, Code::kUnavailable, true, "the queue for a free place is full"},
    {Reason::kQueueTimeout, "queue_timeout", 503, Code::kUnavailable, true, "no place became free in time to be useful"},
    {Reason::kShed, "shed", 503, Code::kUnavailable, true, "the queue has stood too long, or who counts more needed the place"},
    {Reason::kThrottled, "throttled", 503, Code::kUnavailable, false, "the service rejects too much, so a share of calls is not sent to it"},
    {Reason::kDeadline, "deadline", 504, Code::kDeadlineExceeded, false, "the deadline has passed or cannot be met"},
    {Reason::kBudgetExhausted, "budget_exhausted", 503, Code::kUnavailable, false, "the retry budget is spent"},
    {Reason::kNotReplayable, "not_replayable", 502, Code::kUnavailable, false, "the request may not or cannot be sent again"},
    {Reason::kAttemptsExhausted, "attempts_exhausted", 0, Code::kUnavailable, false, "no attempts are left"},
    {Reason::kHopFinal, "hop_final", 0, Code::kUnavailable, false, "the hop below has retried already or may not"},
    {Reason::kDraining, "draining", 503, Code::kUnavailable, true, "this process is shutting down"},
    {Reason::kForced, "forced", 503, Code::kUnavailable, false, "an operator has forced the circuit open"},
    {Reason::kFaultInjected, "fault_injected", 503, Code::kUnavailable, true, "a drill has injected this fault"},
    {Reason::kNoInstance, "no_instance", 503, Code::kUnavailable, true, "no instance is known or alive"},
    {Reason::kEjected, "ejected", 503, Code::kUnavailable, true, "the instance is left out for its errors"},
    {Reason::kStalled, "stalled", 504, Code::kUnavailable, true, "the instance has stopped answering"},
    {Reason::kUnhealthy, "unhealthy", 503, Code::kUnavailable, true, "the instance fails its health checks"},
    {Reason::kPanic, "panic", 0, Code::kOk, false, "too few instances remain, so sick ones are used again"},
    {Reason::kUpstreamConnect, "upstream_connect", 502, Code::kUnavailable, true, "no connection to the instance could be made"},
    {Reason::kUpstreamReset, "upstream_reset", 502, Code::kUnavailable, false, "the instance closed the connection before its answer ended"},
    {Reason::kUpstreamTimeout, "upstream_timeout", 504, Code::kDeadlineExceeded, false, "the instance did not answer in time"},
    {Reason::kUpstreamProtocol, "upstream_protocol", 502, Code::kInternal, false, "the instance's answer is not well-formed HTTP"},
    {Reason::kUpstreamStatus, "upstream_status", 0, Code::kUnavailable, true, "the instance answered with a failure status"},
    {Reason::kFailureRate, "failure_rate", 0, Code::kOk, false, "too large a share of calls failed"},
    {Reason::kSlowRate, "slow_rate", 0, Code::kOk, false, "too large a share of calls was slow"},
    {Reason::kConsecutiveFailures, "consecutive_failures", 0, Code::kOk, false, "too many calls in a row failed"},
    {Reason::kHungCalls, "hung_calls", 0, Code::kOk, false, "too many calls are out without an answer"},
    {Reason::kProbeFailed, "probe_failed", 0, Code::kOk, false, "a probe failed"},
    {Reason::kProbeLost, "probe_lost", 0, Code::kOk, false, "a probe never answered"},
    {Reason::kRecovered, "recovered", 0, Code::kOk, false, "it answers again"},
    {Reason::kStale, "stale", 0, Code::kOk, false, "the registry does not answer; its last good set is kept"},
    {Reason::kHeld, "held", 0, Code::kOk, false, "the registry took away most instances at once; a second reading must agree"},
}};
// clang-format on

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].reason) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "kTable is indexed by Reason");

}  // namespace

std::string_view Word(Code code) { return kCodes[static_cast<std::size_t>(code)]; }

const ReasonInfo& Info(Reason reason) { return kTable[static_cast<std::size_t>(reason)]; }

std::optional<Reason> ReasonFromWord(std::string_view word) {
  for (const auto& row : kTable) {
    if (row.word == word) return row.reason;
  }
  return std::nullopt;
}

}  // namespace hale
