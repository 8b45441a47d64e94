#pragma once

#include "hale/mesh/route_limits.h"
#include "hale/mesh/route_table.h"
#include "hale/mesh/served_request.h"
#include "hale/net/loop.h"

namespace hale::mesh {

/// Asks limits for a request of a route, tells which one refuses it, and waits for the last of its
/// turns. What they gave is for the caller to settle. Fails with what refused it, or kClientAbort:
/// who asked has gone, and nothing stays taken. All outlive it. Loop-bound.
Task<Result<LimitsTaken>> PassLimits(const RouteLimits& limits, ServedRequest& request,
                                     const Route& route, net::Loop& loop);

/// The request has ended for whom they limit.
void SettleLimits(const RouteLimits& limits, const LimitsTaken& taken, const ServedRequest& request,
                  TimePoint now);

}  // namespace hale::mesh
