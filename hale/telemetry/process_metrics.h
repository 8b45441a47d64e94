#pragma once

#include "hale/telemetry/metrics.h"

namespace hale::telemetry {

/// Adds Prometheus's standard process metrics (CPU seconds, resident and virtual memory, open and
/// maximal file descriptors, threads, start time), read from /proc when somebody asks.
void RegisterProcessMetrics(Registry& registry);

}  // namespace hale::telemetry
