#include "hale/host/telemetry_sink.h"

#include <optional>

#include "hale/telemetry/sentence.h"

namespace hale::host {
namespace {

using telemetry::Level;

// The level of an event's line; none for what is about a single call.
std::optional<Level> LevelOf(const Event& event) {
  switch (event.kind) {
    case EventKind::kRefused:
    case EventKind::kWouldRefuse:
    case EventKind::kRetried:
    case EventKind::kRetryDenied:
    case EventKind::kRaced:
    case EventKind::kHedged:
    case EventKind::kJoined:
    case EventKind::kFellBack:
    case EventKind::kDelayed:
    case EventKind::kCount:
      return std::nullopt;
    case EventKind::kOpened:
    case EventKind::kForced:
    case EventKind::kEjected:
    case EventKind::kStalled:
    case EventKind::kConfigRejected:
    case EventKind::kBound:
      return Level::kWarn;
    case EventKind::kPanic:
    case EventKind::kHealthChanged:
      return event.reason == Reason::kRecovered ? Level::kInfo : Level::kWarn;
    case EventKind::kInstancesChanged:
      return event.reason == Reason::kStale || event.reason == Reason::kHeld ? Level::kWarn
                                                                             : Level::kInfo;
    case EventKind::kHalfOpened:
    case EventKind::kClosed:
    case EventKind::kReturned:
    case EventKind::kConfigApplied:
    case EventKind::kLifecycle:
      return Level::kInfo;
  }
  return std::nullopt;
}

}  // namespace

TelemetrySink::TelemetrySink(telemetry::Journal& journal, telemetry::Registry& registry,
                             const telemetry::Log& log)
    : journal_(journal),
      decisions_(
          registry.Counters({.name = "hale_policy_decisions_total",
                             .help = "What policies decided: refused, retried, opened and so on.",
                             .labels = {"policy", "service", "decision", "reason"}})),
      reloads_(registry.Counters({.name = "hale_config_reloads_total",
                                  .help = "Documents that arrived, by what became of them.",
                                  .labels = {"result"}})),
      log_(log) {}

void TelemetrySink::On(const Event& event) noexcept {
  journal_.Add(event);
  Count(event);
  Write(event);
}

void TelemetrySink::Count(const Event& event) {
  if (event.kind == EventKind::kConfigApplied) return reloads_.With({"applied"}).Add();
  if (event.kind == EventKind::kConfigRejected) return reloads_.With({"rejected"}).Add();
  if (event.policy.empty()) return;
  decisions_.With({event.policy, event.service, Word(event.kind), Word(event.reason)}).Add();
}

void TelemetrySink::Write(const Event& event) const {
  const auto level = LevelOf(event);
  if (!level || !log_.Enabled(*level)) return;
  log_.Write(*level, {}, telemetry::Sentence(event),
             {{"event", Word(event.kind)},
              {"reason", event.reason},
              {"policy", event.policy},
              {"upstream", event.service},
              {"instance", event.instance},
              {"observed", event.observed},
              {"threshold", event.threshold}});
}

}  // namespace hale::host
