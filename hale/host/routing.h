#pragma once

#include <map>
#include <memory>
#include <string>

#include "hale/host/document.h"
#include "hale/host/running_service.h"
#include "hale/mesh/route_table.h"
#include "hale/telemetry/request_metrics.h"

namespace hale::host {

/// Makes what a document describes run, and keeps its state through documents: a service or limit
/// that stays is the same object, one that goes is kept for ten minutes, since removing and adding
/// is no amnesty. Loop-bound to the control loop.
class Routing {
 public:
  /// The metrics outlive me.
  Routing(const ServiceGround& ground, telemetry::RequestMetrics& metrics)
      : ground_(ground), metrics_(metrics) {}

  /// The table for a document that has been judged valid; what it needs runs from now on.
  mesh::RouteTable Apply(const Document& document);
  /// Judges all services and forgets what has been gone for long; every 100 ms.
  void Judge();

  template <class T>
  struct Kept {
    std::shared_ptr<T> object;
    TimePoint left = kNever;
  };
  using Services = std::map<std::string, Kept<RunningService>>;
  /// Those that the document has, and those it had lately (`left` says).
  const Services& services() const { return services_; }

 private:
  mesh::RouteLimits LimitsOf(const mesh::RouteOptions& route, const std::string& name,
                             TimePoint now);

  const ServiceGround ground_;
  telemetry::RequestMetrics& metrics_;
  Services services_;
  std::map<std::string, Kept<mesh::RouteLimit>> limits_;
};

}  // namespace hale::host
