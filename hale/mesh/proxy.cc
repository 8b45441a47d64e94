#include "hale/mesh/proxy.h"

#include <algorithm>

#include "hale/guard/governed_call.h"
#include "hale/mesh/path.h"
#include "hale/mesh/refusal.h"
#include "hale/mesh/upstream_sender.h"

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
    co_await Refuse(request, passport.error(), true);
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
    co_await Refuse(request, Error(Reason::kNoRoute, Executed::kNo), true);
    co_return;
  }
  const Route& route = *found;
  request.route = route.name;
  request.metrics = route.metrics;
  const TimePoint now = pools_.loop().Now();
  if (auto taken = route.limits.Take(head, request.client_ip, now); !taken) {
    Event event;
    event.at = now;
    event.reason = taken.error().reason;
    event.policy = "rate_limiter";
    event.service = route.name;
    event.observed = taken.error().observed;
    event.threshold = taken.error().threshold;
    event.span = taken.error().retry_after;
    request.trail.On(event);
    Error error(taken.error().reason, Executed::kNo);
    error.retry_after = taken.error().retry_after;
    co_await Refuse(request, error, true);
    co_return;
  }
  co_await Call(request, route);
}

Task<void> Proxy::Call(ServedRequest& request, const Route& route) {
  net::ServerExchange& exchange = request.exchange;
  request.service = route.service->name();
  RequestBody body(exchange);
  // A failure here is the client's, and answered by the server already.
  if (const auto read = co_await body.ReadWhole(); !read) {
    request.reason = read.error().reason;
    co_return;
  }
  const Duration whole = std::min(route.options.deadline, request.passport.timeout);
  const TimePoint deadline = SaturatingAdd(request.began, whole);
  const bool idempotent = route.options.idempotent == Idempotent::kAuto
                              ? net::IsIdempotent(exchange.request().method)
                              : route.options.idempotent == Idempotent::kYes;
  const ServiceOptions& options = *route.service_options;
  UpstreamSender sender({.pools = pools_,
                         .service = *route.service,
                         .options = options,
                         .head = exchange.request(),
                         .client = &exchange,
                         .body = body,
                         .idempotent = idempotent});
  const guard::CallPolicies policies{route.service->bulkhead(), options.retry,
                                     route.service->budget(), ThreadRandom(),
                                     options.timeout.per_try};
  const guard::CallSpec spec{.deadline = deadline,
                             .whole = whole,
                             .idempotent = idempotent,
                             .incoming_attempt = request.passport.attempt,
                             .service = route.service->name(),
                             .trail = request.trail};
  guard::GovernedCall<Answer> call(pools_.loop(), policies, spec, *route.service, sender);
  guard::Governed<Answer> ended = co_await call.Run();
  request.attempts = ended.attempts;
  request.instance = ended.lease.instance();
  if (ended.result) {
    net::ResponseHead& response = ended.result->exchange->response();
    if (response.status >= 500) request.reason = Reason::kUpstreamStatus;
    if (ended.final_for_caller && response.status >= 500) {
      response.fields.Set("hale-retry", "no");
    }
    co_await Relay(request, *ended.result->exchange, ended.lease);
  } else if (body.broken()) {
    request.reason = body.broken()->reason;
  } else {
    co_await Refuse(request, ended.result.error(), ended.final_for_caller);
  }
  co_await sender.Finish();
}

Task<void> Proxy::Relay(ServedRequest& request, net::ClientExchange& upstream,
                        guard::Lease& lease) {
  net::ServerExchange& client = request.exchange;
  net::ResponseHead& head = upstream.response();
  StampResponse(head, request.passport);
  client.Respond(head, head.framing);
  while (true) {
    std::span<const char> piece;
    if (!upstream.body_complete()) {
      const auto read = co_await upstream.ReadBody();
      if (!read) {
        // The client must see that this is not the whole of it (RFC 9112 §8).
        request.reason = read.error().reason;
        if (!IsCallersFault(request.reason) && read.error().code != Code::kCancelled) {
          lease.Broke(pools_.loop().Now());
        } else {
          request.reason = Reason::kClientAbort;
        }
        client.Abort();
        co_return;
      }
      piece = *read;
    }
    const bool last = upstream.body_complete() || piece.empty();
    const auto written = last ? co_await client.Finish(piece) : co_await client.WriteBody(piece);
    if (!written) {
      request.reason = written.error().reason;
      co_return;
    }
    if (last) co_return;
  }
}

Task<void> Proxy::Refuse(ServedRequest& request, const Error& error, bool no_retry) {
  request.reason = error.reason;
  const Refusal refusal = MakeRefusal(error, request.passport.request_id.view(),
                                      no_retry ? HopRetry::kNo : HopRetry::kMay);
  co_await request.exchange.RespondWhole(refusal.head, refusal.body);
}

void Proxy::OnRefused(const net::Address& peer, const net::Verdict& verdict) {
  ConcludeRefused(peer, verdict, records_, pools_.loop().Now());
}

}  // namespace hale::mesh
