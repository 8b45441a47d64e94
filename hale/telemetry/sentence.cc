#include "hale/telemetry/sentence.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

namespace hale::telemetry {
namespace {

// `10`, `10.2`, `0.05`: whole numbers bare, others to two places.
std::string Number(double value) {
  if (std::round(value) == value && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.2f}", value);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string Percent(double share) {
  std::string text = fmt::format("{:.1f}", 100 * share);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + "%";
}

std::string Time(double seconds) { return Rounded(Scale(Duration(1s), seconds)); }

std::string Ratio(const Event& event) {
  return fmt::format("{} of {}", Number(event.observed), Number(event.threshold));
}

std::string Of(const Event& event, std::string_view what) {
  return fmt::format("{} {}", Ratio(event), what);
}

// Spans are told as seconds: what was measured, and what it was held against.
std::string Against(const Event& event) {
  if (event.threshold == 0) return Time(event.observed);
  return fmt::format("{} against {}", Time(event.observed), Time(event.threshold));
}

// Seconds until the deadline, and those that a call needs; a call that only waited says how long.
std::string UntilDeadline(const Event& event) {
  if (event.threshold > 0) {
    return fmt::format("{} left, {} needed", Time(event.observed), Time(event.threshold));
  }
  if (event.observed == 0) return "no time left";
  return event.observed < 0 ? Time(-event.observed) + " past it" : Time(event.observed) + " waited";
}

std::string SharesOf(const Event& event, std::string_view what) {
  return fmt::format("{} of {} {}", Percent(event.observed), Percent(event.threshold), what);
}

std::string FiguresOfReason(const Event& event, Reason reason) {
  switch (reason) {
    case Reason::kRateLimited:
      // A limit of bytes says so in its detail: `limit of the route (1000/s bytes by all)`.
      return Of(event, event.detail.contains(" bytes by ") ? "bytes" : "permits");
    case Reason::kConcurrency:
      return Of(event, "in flight");
    case Reason::kQueueFull:
      return Of(event, "waiting");
    case Reason::kBudgetExhausted:
      return Of(event, "tokens");
    case Reason::kAttemptsExhausted:
      return Of(event, "attempts");
    case Reason::kProbing:
      // Half-open it is the probes, in a ramp the share of calls that are let through.
      if (event.threshold >= 1) return Of(event, "probes");
      return fmt::format("{} of calls let through", Percent(event.threshold));
    case Reason::kConsecutiveFailures:
      return Of(event, "failures in a row");
    case Reason::kHungCalls:
      return event.threshold < 1 ? SharesOf(event, "hung") : Of(event, "calls hung");
    case Reason::kProbeFailed:
      return Of(event, "probes passed");
    case Reason::kFailureRate:
      return SharesOf(event, "failed");
    case Reason::kThrottled:
      return fmt::format("{} of calls held back", Percent(event.observed));
    case Reason::kSlowRate:
      return SharesOf(event, "slow");
    case Reason::kDeadline:
      return UntilDeadline(event);
    case Reason::kQueueTimeout:
    case Reason::kShed:
    case Reason::kStalled:
    case Reason::kUpstreamTimeout:
    case Reason::kClientTimeout:
      return Against(event);
    case Reason::kNoInstance:
    case Reason::kCircuitOpen:
      return event.threshold == 0 ? std::string() : Of(event, "instances");
    default:
      return Ratio(event);
  }
}

// `orders 127.0.0.1:9001`, `orders`, `127.0.0.1:9001` or `this process`.
std::string Subject(const Event& event) {
  if (event.service.empty() && event.instance.empty()) return "this process";
  if (event.service.empty()) return std::string(event.instance);
  if (event.instance.empty()) return std::string(event.service);
  return fmt::format("{} {}", event.service, event.instance);
}

std::string By(std::string_view verb, const Event& event) {
  std::string text(verb);
  if (!event.policy.empty()) text.append(" by ").append(event.policy);
  if (!event.service.empty()) text.append(" of ").append(event.service);
  if (!event.instance.empty()) text.append(" at ").append(event.instance);
  return text;
}

// It is about an instance, not about a call.
bool LeavesOut(const Event& event) { return event.policy == "outlier" || event.policy == "stall"; }

// Whether it is about one more attempt, which begins after the event's span.
bool IsAttempt(const Event& event) {
  return event.kind == EventKind::kRetried || event.kind == EventKind::kRaced ||
         event.kind == EventKind::kHedged ||
         (event.kind == EventKind::kWouldRefuse &&
          (event.policy == "hedge" || event.policy == "retry"));
}

// What a policy in shadow would have done with the call.
std::string_view WouldBe(std::string_view policy) {
  if (policy == "fallback") return "would be answered with a fallback";
  if (policy == "single_flight") return "would wait for an identical call";
  if (policy == "hedge") return "would be sent to a second instance";
  if (policy == "retry") return "would be retried";
  return "would be refused";
}

std::string Head(const Event& event) {
  switch (event.kind) {
    case EventKind::kRefused:
      return By("refused", event);
    case EventKind::kWouldRefuse:
      if (LeavesOut(event)) return Subject(event) + " would be left out";
      return By(WouldBe(event.policy), event);
    case EventKind::kRetried:
      return By("retried", event);
    case EventKind::kRetryDenied:
      return By(event.policy == "hedge" ? "not hedged" : "not retried", event);
    case EventKind::kRaced:
      return By("sent to a second instance", event);
    case EventKind::kHedged:
      return By("slow, sent to a second instance", event);
    case EventKind::kJoined:
      return By("waits for an identical call", event);
    case EventKind::kFellBack:
      return By("answered with a fallback", event);
    case EventKind::kDelayed:
      return By(
          event.policy == "single_flight" ? "waited for an identical call in vain" : "delayed",
          event);
    case EventKind::kOpened:
      return "circuit of " + Subject(event) + " opened";
    case EventKind::kHalfOpened:
      return "circuit of " + Subject(event) + " half-open, probing";
    case EventKind::kClosed:
      return "circuit of " + Subject(event) + " closed";
    case EventKind::kForced:
      return "circuit of " + Subject(event) + " forced by an operator";
    case EventKind::kEjected:
      return Subject(event) + " left out";
    case EventKind::kReturned:
      return Subject(event) + " back in";
    case EventKind::kStalled:
      return Subject(event) + " stopped answering";
    case EventKind::kPanic:
      return event.reason == Reason::kRecovered
                 ? Subject(event) + " has enough instances again"
                 : Subject(event) + " has too few instances, sick ones are used again";
    case EventKind::kHealthChanged:
      return Subject(event) +
             (event.reason == Reason::kRecovered ? " is healthy" : " fails its health checks");
    case EventKind::kInstancesChanged:
      return "instances of " + Subject(event) + " changed";
    case EventKind::kConfigApplied:
      return "configuration applied";
    case EventKind::kConfigRejected:
      return "configuration rejected, the old one stays";
    case EventKind::kBound:
      return fmt::format("{} of {} is full", event.policy, Subject(event));
    case EventKind::kLifecycle:
      return "this process";
    case EventKind::kCount:
      break;
  }
  return "event";
}

std::string SpanWords(const Event& event) {
  if (event.span <= Duration::zero()) return {};
  if (event.span == kForever) {
    return event.kind == EventKind::kRefused ? "do not ask again" : "for good";
  }
  if (IsAttempt(event)) return "after " + Rounded(event.span);
  if (event.kind == EventKind::kFellBack) return Rounded(event.span) + " old";
  if (LeavesOut(event)) return "for " + Rounded(event.span);
  const bool refused = event.kind == EventKind::kRefused || event.kind == EventKind::kWouldRefuse;
  return (refused ? "retry after " : "for ") + Rounded(event.span);
}

}  // namespace

std::string Rounded(Duration span) {
  constexpr std::array<std::string_view, 4> kUnits = {"ns", "us", "ms", "s"};
  auto value = static_cast<double>(span.count());
  std::size_t unit = 0;
  // From 999.5 on three digits would round up to the next unit's one.
  for (; unit + 1 < kUnits.size() && std::abs(value) >= 999.5; ++unit) value /= 1000;
  if (std::abs(value) >= 999.5) return fmt::format("{:.0f}{}", value, kUnits[unit]);
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

std::string Figures(const Event& event) {
  const bool turned_away =
      event.kind == EventKind::kRefused || event.kind == EventKind::kWouldRefuse;
  if (event.observed == 0 && event.threshold == 0) {
    return turned_away && event.reason == Reason::kDeadline ? UntilDeadline(event) : std::string();
  }
  if (event.kind == EventKind::kRetried || (IsAttempt(event) && event.policy == "retry")) {
    return fmt::format("after attempt {} of {}", Number(event.observed), Number(event.threshold));
  }
  switch (event.kind) {
    case EventKind::kHealthChanged:
      return Of(event, "checks in a row");
    case EventKind::kPanic:
      return fmt::format("{} in use, at least {} wanted", Number(event.observed),
                         Number(event.threshold));
    case EventKind::kInstancesChanged:
      return fmt::format("{}, before {}", Number(event.observed), Number(event.threshold));
    case EventKind::kBound:
      if (event.policy != "rate_limiter") break;
      return fmt::format("{} calls without a place among {} keys", Number(event.observed),
                         Number(event.threshold));
    default:
      break;
  }
  if (event.policy == "outlier") return "distance " + Ratio(event);
  // Of one circuit they are the figures of what opened it, which the detail names; else how many
  // instances there are.
  const auto opened_by =
      event.reason == Reason::kCircuitOpen ? ReasonFromWord(event.detail) : std::nullopt;
  return FiguresOfReason(event, opened_by.value_or(event.reason));
}

std::string Sentence(const Event& event) {
  std::string text = Head(event);
  std::string_view separator = ": ";
  const auto add = [&](std::string_view words) {
    if (words.empty()) return;
    text.append(separator).append(words);
    separator = ", ";
  };
  // What happens to the process stands in the detail.
  const bool said = event.reason == Reason::kRecovered || event.kind == EventKind::kLifecycle;
  if (event.reason != Reason::kNone && !said) add(Word(event.reason));
  add(Figures(event));
  const std::string span = SpanWords(event);
  // Of a fallback it is the age of what the detail names.
  const bool detail_first = event.kind == EventKind::kFellBack;
  add(detail_first ? event.detail : span);
  add(detail_first ? span : event.detail);
  return text;
}

}  // namespace hale::telemetry
