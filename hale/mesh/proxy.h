#pragma once

#include <memory>
#include <string>

#include "hale/config/live.h"
#include "hale/mesh/forward.h"
#include "hale/mesh/pools.h"
#include "hale/mesh/route_table.h"
#include "hale/mesh/trusted_proxies.h"
#include "hale/net/http_server.h"
#include "hale/telemetry/access_log.h"
#include "hale/telemetry/flight_recorder.h"

namespace hale::mesh {

/// What the proxies of all loops share. Everything outlives them.
struct ProxyShared {
  config::Live<RouteTable> routes;
  EventSink& events;
  telemetry::RequestMetrics& metrics;
  telemetry::FlightRecorder& recorder;
  const telemetry::AccessLog* access_log;  ///< null: none is written
  const Clock& clock;                      ///< for the calendar
  std::string pseudonym;                   ///< in Via, unique to this process
};

/// Answers requests by calling services: the gateway on one loop, at one listener. Loop-bound.
class Proxy final : public net::RequestHandler {
 public:
  /// Both outlive me.
  Proxy(const ProxyShared& shared, Pools& pools, const ListenOptions& listen);

  Task<void> Handle(net::ServerExchange& exchange) override;
  void OnRefused(const net::Address& peer, const net::Verdict& verdict) override;

 private:
  struct Request;

  Task<void> Serve(Request& request);
  Task<void> Call(Request& request, const Route& route);
  Task<void> Relay(Request& request, net::ClientExchange& upstream, guard::Lease& lease);
  Task<void> Refuse(Request& request, const Error& error, bool no_retry);
  void Finish(Request& request);
  telemetry::AccessRecord RecordOf(const Request& request, TimePoint now) const;

  const ProxyShared& shared_;
  Pools& pools_;
  const Trust trust_;
  const TrustedProxies trusted_;
};

}  // namespace hale::mesh
