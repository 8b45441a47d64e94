#pragma once

#include <memory>

#include "hale/mesh/fallback_options.h"
#include "hale/mesh/route_limits.h"
#include "hale/mesh/service.h"
#include "hale/policy/fallback.h"
#include "hale/policy/last_good.h"

namespace hale::mesh {

/// What a route can answer when its service cannot. The parts that are not null live on through
/// documents.
struct RouteFallback {
  RouteFallbackOptions options;
  policy::FallbackRule rule;
  std::shared_ptr<Service> service = nullptr;                       ///< another one; null: none
  std::shared_ptr<const ServiceOptions> service_options = nullptr;  ///< as the table was made
  RouteLimits limits = {};                                          ///< that service's own
  std::shared_ptr<policy::LastGood> last_good = nullptr;            ///< null: none is kept
};

}  // namespace hale::mesh
