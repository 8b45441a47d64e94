#pragma once

#include "hale/mesh/route_table.h"
#include "hale/telemetry/metrics.h"

namespace hale::host {

/// What each limit of a table has decided: `route` or `service` (the other one is empty), its
/// `limit` (the place in its list, from 1), `by` and `decision` (`refused`, `would_refuse`). Routes
/// that share a name have limits of their own, but are one series: their sum. On the control loop.
void SampleLimits(const mesh::RouteTable& table, telemetry::SampleSink& sink);

}  // namespace hale::host
