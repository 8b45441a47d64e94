#include "hale/mesh/proxy.h"

#include "hale/mesh/fallback_call.h"
#include "hale/mesh/joined_call.h"
#include "hale/mesh/pass_limits.h"
#include "hale/mesh/path.h"
#include "hale/mesh/proxied_call.h"
#include "hale/mesh/refusal.h"

namespace hale::mesh {
Proxy::Proxy(const config::Live<RouteTable>& routes, const ServingRecords& records, Pools& pools,
             const ListenOptions& listen)
    : routes_(routes),
      records_(records),
      pools_(pools),
      trust_(listen.trust),
      trusted_(listen.trusted_proxies) {}

Task<void> Proxy::Handle(net::ServerExchange& exchange) {
  // Pinned for the request's whole life: what a route says does not change under it.
  const std::shared_ptr<const RouteTable> routes = routes_.Get();
  ServedRequest request(exchange, records_.events);
  request.routes = routes.get();
  co_await Serve(request, *routes);
  // Of this instant, not of the turn: a turn that served many would make them all look instant.
  Conclude(request, records_, pools_.loop().clock().Now());
}

Task<void> Proxy::Serve(ServedRequest& request, const RouteTable& routes) {
  net::ServerExchange& exchange = request.exchange;
  net::RequestHead& head = exchange.request();
  const std::string peer_ip = exchange.peer().Ip();
  request.client_ip = trusted_.ClientIp(exchange.peer(), head.fields);
  auto passport = StampRequest(head,
                               {.trust = trust_,
                                .peer_trusted = trusted_.Has(exchange.peer()),
                                .peer_ip = peer_ip,
                                .pseudonym = records_.pseudonym},
                               ThreadRandom());
  if (!passport) {
    co_await Refuse(request, passport.error(), HopRetry::kNo);
    co_return;
  }
  request.passport = *passport;

  std::string buffer;
  const std::string_view path = head.path();
  const std::string_view normal = NormalizePath(path, buffer);
  if (normal.data() != path.data()) {
    const std::string_view rest = std::string_view(head.target).substr(path.size());
    head.target = std::string(normal) + std::string(rest);
  }
  // `OPTIONS *` asks about the server: it goes where its root goes (RFC 9112 §3.2.4).
  const Route* found = routes.Find(head, head.target == "*" ? "/" : head.path());
  if (found == nullptr) {
    const Error unknown(Reason::kNoRoute, Executed::kNo);
    co_await Refuse(request, unknown, HopRetry::kNo);
    co_return;
  }
  const Route& route = *found;
  request.route = route.name;
  request.metrics = route.metrics;
  if (route.limits.empty()) {
    co_await Forward(request, route);
    co_return;
  }
  const auto passed = co_await PassLimits(route.limits, request, route, pools_.loop());
  if (!passed) {
    co_await Refuse(request, passed.error(), HopRetry::kNo);
    co_return;
  }
  co_await Forward(request, route);
  SettleLimits(route.limits, *passed, request, pools_.loop().Now());
}

Task<void> Proxy::Forward(ServedRequest& request, const Route& route) {
  request.service = route.service->name();
  const CallTo to{*route.service, *route.service_options};
  RequestBody body(request.exchange);
  ProxiedCall call(pools_, request, route, to, body);
  JoinedCall joined(call, pools_, request, route);
  if (route.fallback) {
    FallbackCall fallback(joined, pools_, request, route, body);
    co_await fallback.Run(call);
  } else {
    co_await joined.Ask();
    co_await joined.Answer();
  }
  co_await call.Finish();
}

void Proxy::OnRefused(const net::Address& peer, const net::Verdict& verdict) {
  ConcludeRefused(peer, verdict, records_, pools_.loop().Now());
}

}  // namespace hale::mesh
