#pragma once

#include "hale/base/event.h"
#include "hale/telemetry/journal.h"
#include "hale/telemetry/log.h"
#include "hale/telemetry/metrics.h"

namespace hale::host {

/// Where every event of a process goes: into the journal, a counter and, if it is about more than
/// one call, a line of the event log.
///
/// `hale_policy_decisions_total{policy,service,decision,reason}` counts what policies decided;
/// `hale_config_reloads_total{result}` documents. What is about one call (a refusal, a retry ...)
/// stands in the access log already and gets no line of its own.
/// Thread-safe: an event costs a look-up without a lock and the journal's short one.
class TelemetrySink final : public EventSink {
 public:
  /// All three outlive me.
  TelemetrySink(telemetry::Journal& journal, telemetry::Registry& registry,
                const telemetry::Log& log);

  void On(const Event& event) noexcept override;

 private:
  void Count(const Event& event);
  void Write(const Event& event) const;

  telemetry::Journal& journal_;
  telemetry::CounterFamily& decisions_;
  telemetry::CounterFamily& reloads_;
  const telemetry::Log& log_;
};

}  // namespace hale::host
