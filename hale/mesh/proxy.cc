#include "hale/mesh/proxy.h"

#include <algorithm>

#include "hale/guard/governed_call.h"
#include "hale/mesh/path.h"
#include "hale/mesh/proxy_sender.h"
#include "hale/mesh/refusal.h"

namespace hale::mesh {
namespace {

/// Tells what was decided about one request to its trail and to everybody.
class CallTrail final : public EventSink {
 public:
  CallTrail(telemetry::RequestTrail& trail, EventSink& all) : trail_(trail), all_(all) {}
  void On(const Event& event) noexcept override {
    trail_.Add(event);
    all_.On(event);
  }

 private:
  telemetry::RequestTrail& trail_;
  EventSink& all_;
};

}  // namespace

/// What is known of a request while it is served.
struct Proxy::Request {
  Request(net::ServerExchange& e, EventSink& events)
      : exchange(e), began(e.started()), record(began), trail(record, events) {}

  net::ServerExchange& exchange;
  TimePoint began;
  telemetry::RequestTrail record;
  CallTrail trail;
  Passport passport;
  std::string client_ip;
  std::shared_ptr<const RouteTable> routes;
  const Route* route = nullptr;
  std::string instance;
  Reason reason = Reason::kNone;
  std::uint32_t attempts = 0;
};

Proxy::Proxy(const ProxyShared& shared, Pools& pools, const ListenOptions& listen)
    : shared_(shared), pools_(pools), trust_(listen.trust), trusted_(listen.trusted_proxies) {}

Task<void> Proxy::Handle(net::ServerExchange& exchange) {
  Request request(exchange, shared_.events);
  request.routes = shared_.routes.Get();
  co_await Serve(request);
  Finish(request);
}

Task<void> Proxy::Serve(Request& request) {
  net::ServerExchange& exchange = request.exchange;
  net::RequestHead& head = exchange.request();
  const std::string peer_ip = exchange.peer().Ip();
  request.client_ip = trusted_.ClientIp(exchange.peer(), head.fields);
  auto passport = StampRequest(head,
                               {.trust = trust_,
                                .peer_trusted = trusted_.Has(exchange.peer()),
                                .peer_ip = peer_ip,
                                .pseudonym = shared_.pseudonym},
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
  request.route = request.routes->Find(head, head.path());
  if (request.route == nullptr) {
    co_await Refuse(request, Error(Reason::kNoRoute, Executed::kNo), true);
    co_return;
  }
  const Route& route = *request.route;
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

Task<void> Proxy::Call(Request& request, const Route& route) {
  net::ServerExchange& exchange = request.exchange;
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
  ProxySender sender({.pools = pools_,
                      .service = *route.service,
                      .options = options,
                      .client = exchange,
                      .body = body,
                      .idempotent = idempotent,
                      .deadline = deadline});
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

Task<void> Proxy::Relay(Request& request, net::ClientExchange& upstream, guard::Lease& lease) {
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

Task<void> Proxy::Refuse(Request& request, const Error& error, bool no_retry) {
  request.reason = error.reason;
  const Refusal refusal =
      MakeRefusal(error, request.passport.request_id.view(), no_retry ? HopRetry::kNo : HopRetry::kMay);
  co_await request.exchange.RespondWhole(refusal.head, refusal.body);
}

telemetry::AccessRecord Proxy::RecordOf(const Request& request, TimePoint now) const {
  const net::ServerExchange& exchange = request.exchange;
  net::RequestHead& head = request.exchange.request();
  telemetry::AccessRecord record;
  record.duration = now - request.began;
  record.time = shared_.clock.WallNow() - record.duration;
  record.request_id = request.passport.request_id.view();
  record.trace = request.passport.trace;
  record.method = head.method;
  record.target = head.target;
  if (request.route != nullptr) {
    record.route = request.route->name;
    record.service = request.route->service->name();
  }
  record.instance = request.instance;
  record.status = exchange.status();
  record.reason = request.reason;
  record.bytes_in = exchange.bytes_in();
  record.bytes_out = exchange.bytes_out();
  record.attempts = request.attempts;
  record.client = request.client_ip;
  record.user_agent = head.fields.Find("user-agent").value_or("");
  return record;
}

void Proxy::Finish(Request& request) {
  // Of this instant, not of the turn: a turn that served many would make them all look instant.
  const TimePoint now = pools_.loop().clock().Now();
  const telemetry::AccessRecord record = RecordOf(request, now);
  telemetry::RouteMetrics& metrics =
      request.route != nullptr ? *request.route->metrics : shared_.metrics.Route("none");
  metrics.Count(record.method, record.status, record.reason, record.duration);
  if (shared_.access_log != nullptr) shared_.access_log->Write(record);
  if (const auto kept = shared_.recorder.Classify(record, request.record)) {
    std::vector<telemetry::HeaderView> headers;
    for (const auto& line : request.exchange.request().fields) {
      headers.push_back({line.name, line.value});
    }
    shared_.recorder.Keep(*kept, record, request.record, headers);
  }
}

void Proxy::OnRefused(const net::Address& peer, const net::Verdict& verdict) {
  Event event;
  event.at = pools_.loop().Now();
  event.reason = verdict.reason;
  event.policy = "http";
  event.detail = verdict.sentence;
  shared_.events.On(event);
  telemetry::AccessRecord record;
  record.time = shared_.clock.WallNow();
  const std::string client = peer.Ip();
  record.client = client;
  record.status = verdict.status;
  record.reason = verdict.reason;
  shared_.metrics.Route("none").Count("", verdict.status, verdict.reason, Duration::zero());
  if (shared_.access_log != nullptr) shared_.access_log->Write(record);
}

}  // namespace hale::mesh
