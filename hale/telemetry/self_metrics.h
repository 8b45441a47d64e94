#pragma once

#include <string>
#include <vector>

#include "hale/telemetry/flight_recorder.h"
#include "hale/telemetry/journal.h"
#include "hale/telemetry/log_queue.h"
#include "hale/telemetry/metrics.h"

namespace hale::telemetry {

/// A log as its metrics name it: `access`, `event`.
struct NamedLog {
  std::string name;
  const LogQueue* queue;
};

/// What telemetry itself does and loses: `hale_log_lines_total{log,outcome}`,
/// `hale_log_lines_queued{log}`, `hale_journal_entries_total`,
/// `hale_journal_overwritten_total` and `hale_requests_kept_total{kept}`. All that is named here
/// outlives the registry.
void RegisterSelfMetrics(Registry& registry, std::vector<NamedLog> logs, const Journal& journal,
                         const FlightRecorder& recorder);

}  // namespace hale::telemetry
