#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/host/document.h"
#include "hale/host/kept.h"
#include "hale/host/route_memory.h"
#include "hale/host/running_service.h"
#include "hale/mesh/route_table.h"
#include "hale/telemetry/request_metrics.h"

namespace hale::host {

/// Makes what a document describes run, and keeps its state through documents: a service or limit
/// that stays is the same object, one that goes is kept for ten minutes, since removing and adding
/// is no amnesty. Loop-bound to the control loop.
class Routing {
 public:
  /// The metrics outlive me. `fleet` is the service whose instances are the processes like this
  /// one, if there is such a service.
  Routing(const ServiceGround& ground, telemetry::RequestMetrics& metrics, std::string fleet)
      : ground_(ground), metrics_(metrics), memory_(ground.events), fleet_(std::move(fleet)) {}

  /// The table for a document that has been judged valid; what it needs runs from now on.
  mesh::RouteTable Apply(const Document& document);
  /// Judges all services and forgets what has been gone for long; every 100 ms.
  void Judge();

  using Services = KeptMap<RunningService>;
  /// Those that the document has, and those it had lately (`left` says).
  const Services& services() const { return services_; }

 private:
  std::shared_ptr<const mesh::RouteFallback> FallbackOf(const mesh::RouteOptions& route,
                                                        const std::string& name);
  void ShareOut();
  /// Whose limits: its name, and what tells it from all other routes and services.
  struct Owner {
    std::string_view name;
    std::string identity;
  };
  std::vector<std::shared_ptr<mesh::RouteLimit>> Limits(const std::vector<mesh::LimitOptions>& list,
                                                        const Owner& owner, TimePoint now);
  mesh::RouteLimits LimitsOf(const mesh::RouteOptions& route, const std::string& name,
                             TimePoint now);

  const ServiceGround ground_;
  telemetry::RequestMetrics& metrics_;
  RouteMemory memory_;
  const std::string fleet_;
  Services services_;
  KeptMap<mesh::RouteLimit> limits_;
  std::map<std::string, std::vector<std::shared_ptr<mesh::RouteLimit>>> service_limits_;
};

}  // namespace hale::host
