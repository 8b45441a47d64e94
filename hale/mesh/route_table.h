#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "hale/mesh/fair_key.h"
#include "hale/mesh/route_fallback.h"
#include "hale/mesh/route_limits.h"
#include "hale/mesh/route_options.h"
#include "hale/mesh/service.h"
#include "hale/net/http_head.h"
#include "hale/policy/single_flight.h"
#include "hale/telemetry/request_metrics.h"

namespace hale::mesh {

/// A route and what it leads to.
struct Route {
  RouteOptions options;
  std::string name;  ///< never empty
  std::shared_ptr<Service> service;
  std::shared_ptr<const ServiceOptions> service_options;  ///< as this table was made
  RouteLimits limits;
  FairKey fair = {};
  std::shared_ptr<const RouteFallback> fallback = nullptr;  ///< null: none
  std::shared_ptr<policy::SingleFlight> flights = nullptr;  ///< null: each request asks itself
  telemetry::RouteMetrics* metrics = nullptr;               ///< never null in a running gateway
};

/// Whether a route takes a request whose path was normalised. Pure.
bool Matches(const MatchOptions& match, const net::RequestHead& request, std::string_view path);

/// The routes in the order of the document: what one request pins for its whole life. Immutable.
class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(std::vector<Route> routes);
  /// The first route that takes the request, or null.
  const Route* Find(const net::RequestHead& request, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }
  /// What a request is about has changed: no route gives an answer about it that it has kept.
  void Outdate(const net::RequestHead& request) const;

 private:
  std::vector<Route> routes_;
  std::vector<std::shared_ptr<policy::LastGood>> kept_;  // of all of them
};

}  // namespace hale::mesh
