#include "hale/mesh/service_client.h"

#include "hale/guard/governed_call.h"
#include "hale/mesh/balance_key.h"
#include "hale/mesh/call_class.h"
#include "hale/mesh/upstream_sender.h"

namespace hale::mesh {
namespace {

constexpr std::size_t kMostBody = std::size_t{16} << 20;

void Complete(net::RequestHead& head, const Service& service, std::size_t body_size,
              const Passport* parent) {
  if (!head.fields.Has("host")) head.fields.Append("Host", service.name());
  if (body_size > 0) head.framing = net::Framing::Length(body_size);
  if (parent == nullptr) return;
  head.fields.Set("x-request-id", parent->request_id.view());
  const auto traceparent = telemetry::Traceparent(parent->trace);
  head.fields.Set("traceparent", {traceparent.data(), traceparent.size()});
  if (parent->priority) head.fields.Set("hale-priority", Word(*parent->priority));
}

Task<Result<ClientResponse>> ReadWhole(net::ClientExchange& exchange, guard::Lease& lease,
                                       net::Loop& loop) {
  ClientResponse response{exchange.response(), {}};
  while (!exchange.body_complete()) {
    const auto piece = co_await exchange.ReadBody();
    if (!piece) {
      if (piece.error().code != Code::kCancelled) lease.Broke(loop.Now());
      co_return std::unexpected(piece.error());
    }
    if (piece->empty()) break;
    if (response.content.size() + piece->size() > kMostBody) {
      co_return Fail(Reason::kBodyTooLarge, Executed::kYes);
    }
    response.content.append(piece->data(), piece->size());
  }
  co_return response;
}

}  // namespace

Task<Result<ClientResponse>> CallService(std::shared_ptr<Service> service, Pools& pools,
                                         ClientRequest request, EventSink& events) {
  Complete(request.head, *service, request.body.size(), request.parent);
  const auto options = service->options();
  const bool idempotent = net::IsIdempotent(request.head.method);
  const Duration whole = request.parent != nullptr
                             ? std::min(request.deadline, request.parent->timeout)
                             : request.deadline;
  const Passport none{};
  const Passport& passport = request.parent != nullptr ? *request.parent : none;
  const policy::Priority priority = PriorityOf(passport, request.priority);
  StampPriority(request.head, passport, request.priority);
  RequestBody body(std::move(request.body));
  UpstreamSender sender({.pools = pools,
                         .service = *service,
                         .options = *options,
                         .head = request.head,
                         .client = nullptr,
                         .body = body,
                         .idempotent = idempotent});
  const guard::CallPolicies policies{
      service->bulkhead(),     options->retry,           service->budget(),
      ThreadRandom(),          options->timeout.per_try, &service->throttle(),
      &service->concurrency(), &service->hedge(),        &service->gate()};
  const guard::CallSpec spec{
      .deadline = SaturatingAdd(pools.loop().Now(), whole),
      .whole = whole,
      .idempotent = idempotent,
      .incoming_attempt = request.parent != nullptr ? request.parent->attempt : 1,
      .service = service->name(),
      .trail = events,
      .priority = priority,
      .partition =
          PartitionOf(options->bulkhead.partitions.by, {request.head.fields, {}, priority}),
      .balance_key = AffinityOf(options->balance.key, request.head.fields, {})};
  guard::GovernedCall<Answer> call(pools.loop(), policies, spec, *service, sender);
  guard::Governed<Answer> ended = co_await call.Run();
  if (!ended.result) co_return std::unexpected(std::move(ended.result.error()));
  co_return co_await ReadWhole(*ended.result->exchange, ended.lease, pools.loop());
}

}  // namespace hale::mesh
