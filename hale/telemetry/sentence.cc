#include "hale/telemetry/sentence.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace hale::telemetry {
namespace {

// `10`, `10.2`, `0.05`: whole numbers bare, others to two places.
std::string Number(double value) {
  if (std::round(value) == value && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.2f}", value);
  if (text.ends_with('0')) text.pop_back();
  return text;
}

std::string Percent(double share) {
  std::string text = fmt::format("{:.1f}", 100 * share);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + "%";
}

std::string Time(double seconds) { return Rounded(Scale(Duration(1s), seconds)); }

std::string Of(const Event& event, std::string_view what) {
  return fmt::format("{} of {} {}", Number(event.observed), Number(event.threshold), what);
}

// Spans are told as seconds: what was measured, and what it was held against.
std::string Against(const Event& event) {
  if (event.threshold == 0) return Time(event.observed);
  return fmt::format("{} against {}", Time(event.observed), Time(event.threshold));
}

std::string FiguresOfReason(const Event& event) {
  switch (event.reason) {
    case Reason::kRateLimited:
      return Of(event, "permits");
    case Reason::kConcurrency:
      return Of(event, "in flight");
    case Reason::kQueueFull:
      return Of(event, "waiting");
    case Reason::kBudgetExhausted:
      return Of(event, "tokens");
    case Reason::kAttemptsExhausted:
      return Of(event, "attempts");
    case Reason::kProbing:
      return Of(event, "probes");
    case Reason::kConsecutiveFailures:
      return Of(event, "failures in a row");
    case Reason::kHungCalls:
      return Of(event, "calls hung");
    case Reason::kFailureRate:
      return fmt::format("{} of {} failed", Percent(event.observed), Percent(event.threshold));
    case Reason::kSlowRate:
      return fmt::format("{} of {} slow", Percent(event.observed), Percent(event.threshold));
    case Reason::kQueueTimeout:
    case Reason::kDeadline:
    case Reason::kStalled:
    case Reason::kUpstreamTimeout:
    case Reason::kClientTimeout:
      return Against(event);
    case Reason::kNoInstance:
    case Reason::kCircuitOpen:
      return event.threshold == 0 ? std::string() : Of(event, "instances");
    default:
      return fmt::format("{} of {}", Number(event.observed), Number(event.threshold));
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

std::string Head(const Event& event) {
  switch (event.kind) {
    case EventKind::kRefused:
      return By("refused", event);
    case EventKind::kWouldRefuse:
      return By("would be refused", event);
    case EventKind::kRetried:
      return By("retried", event);
    case EventKind::kRetryDenied:
      return By("not retried", event);
    case EventKind::kRaced:
      return By("sent to a second instance", event);
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
  switch (event.kind) {
    case EventKind::kRefused:
    case EventKind::kWouldRefuse:
      return "retry after " + Rounded(event.span);
    case EventKind::kRetried:
    case EventKind::kRaced:
      return "after " + Rounded(event.span);
    default:
      return "for " + Rounded(event.span);
  }
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
  if (event.observed == 0 && event.threshold == 0) return {};
  switch (event.kind) {
    case EventKind::kRetried:
      return fmt::format("after attempt {} of {}", Number(event.observed), Number(event.threshold));
    case EventKind::kHealthChanged:
      return Of(event, "checks in a row");
    case EventKind::kPanic:
      return fmt::format("{} in use, at least {} wanted", Number(event.observed),
                         Number(event.threshold));
    case EventKind::kInstancesChanged:
      return fmt::format("{}, before {}", Number(event.observed), Number(event.threshold));
    default:
      return FiguresOfReason(event);
  }
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
  add(SpanWords(event));
  add(event.detail);
  return text;
}

}  // namespace hale::telemetry
