#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "hale/mesh/route_limits.h"
#include "hale/mesh/route_options.h"
#include "hale/mesh/service.h"
#include "hale/net/http_head.h"
#include "hale/telemetry/request_metrics.h"

namespace hale::mesh {

/// A route and what it leads to.
struct Route {
  RouteOptions options;
  std::string name;  ///< never empty
  std::shared_ptr<Service> service;
  std::shared_ptr<const ServiceOptions> service_options;  ///< as this table was made
  RouteLimits limits;
  telemetry::RouteMetrics* metrics = nullptr;  ///< never null in a running gateway
};

/// Whether a route takes a request whose path was normalised. Pure.
bool Matches(const MatchOptions& match, const net::RequestHead& request, std::string_view path);

/// The routes in the order of the document: what one request pins for its whole life. Immutable.
class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {}
  /// The first route that takes the request, or null.
  const Route* Find(const net::RequestHead& request, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace hale::mesh
