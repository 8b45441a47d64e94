#pragma once

#include <memory>
#include <string>

#include "hale/config/live.h"
#include "hale/mesh/forward.h"
#include "hale/mesh/pools.h"
#include "hale/mesh/route_table.h"
#include "hale/mesh/served_request.h"
#include "hale/mesh/trusted_proxies.h"
#include "hale/net/http_server.h"

namespace hale::mesh {

/// Answers requests by calling services: the gateway on one loop, at one listener. Loop-bound.
class Proxy final : public net::RequestHandler {
 public:
  /// All but `listen` outlive me.
  Proxy(const config::Live<RouteTable>& routes, const ServingRecords& records, Pools& pools,
        const ListenOptions& listen);

  Task<void> Handle(net::ServerExchange& exchange) override;
  void OnRefused(const net::Address& peer, const net::Verdict& verdict) override;

 private:
  Task<void> Serve(ServedRequest& request, const RouteTable& routes);
  Task<void> Forward(ServedRequest& request, const Route& route);

  const config::Live<RouteTable> routes_;
  const ServingRecords& records_;
  Pools& pools_;
  const Trust trust_;
  const TrustedProxies trusted_;
};

}  // namespace hale::mesh
