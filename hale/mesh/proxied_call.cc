#include "hale/mesh/proxied_call.h"

#include <algorithm>

#include "hale/base/wait.h"
#include "hale/mesh/refusal.h"
#include "hale/policy/stall_threshold.h"

namespace hale::mesh {
namespace {

guard::CallSpec SpecOf(const ServedRequest& request, const Route& route, EventSink& trail) {
  const Duration whole = std::min(route.options.deadline, request.passport.timeout);
  const bool idempotent = route.options.idempotent == Idempotent::kAuto
                              ? net::IsIdempotent(request.exchange.request().method)
                              : route.options.idempotent == Idempotent::kYes;
  return {.deadline = SaturatingAdd(request.began, whole),
          .whole = whole,
          .idempotent = idempotent,
          .incoming_attempt = request.passport.attempt,
          .service = route.service->name(),
          .trail = trail};
}

}  // namespace

ProxiedCall::ProxiedCall(Pools& pools, ServedRequest& request, const Route& route)
    : pools_(pools),
      request_(request),
      service_(*route.service),
      options_(*route.service_options),
      body_(request.exchange),
      policies_{service_.bulkhead(), options_.retry, service_.budget(), ThreadRandom(),
                options_.timeout.per_try},
      spec_(SpecOf(request, route, request.trail)) {}

UpstreamSender::Parts ProxiedCall::Parts() {
  return {.pools = pools_,
          .service = service_,
          .options = options_,
          .head = request_.exchange.request(),
          .client = &request_.exchange,
          .body = body_,
          .idempotent = spec_.idempotent};
}

Task<void> ProxiedCall::Run() {
  // A failure here is the client's, and answered by the server already.
  if (const auto read = co_await body_.ReadWhole(); !read) {
    request_.reason = read.error().reason;
    co_return;
  }
  co_await Send(spec_);
  co_await Answer();
  co_await sender_->Finish();
}

Task<void> ProxiedCall::Send(const guard::CallSpec& spec) {
  sender_.emplace(Parts());
  guard::GovernedCall<mesh::Answer> call(pools_.loop(), policies_, spec, service_, *sender_);
  ended_.emplace(co_await call.Run());
  request_.attempts += ended_->attempts;
  request_.instance = ended_->lease.instance();
}

Task<void> ProxiedCall::Answer() {
  if (!ended_->result && body_.broken()) {
    request_.reason = body_.broken()->reason;
    co_return;
  }
  if (!ended_->result) {
    const HopRetry retry = ended_->final_for_caller ? HopRetry::kNo : HopRetry::kMay;
    co_await Refuse(request_, ended_->result.error(), retry);
    co_return;
  }
  net::ResponseHead& response = upstream().response();
  if (response.status >= 500) request_.reason = Reason::kUpstreamStatus;
  if (ended_->final_for_caller && response.status >= 500) response.fields.Set("hale-retry", "no");
  co_await Relay();
}

Task<void> ProxiedCall::Relay() {
  net::ServerExchange& client = request_.exchange;
  StampResponse(upstream().response(), request_.passport);
  client.Respond(upstream().response(), upstream().response().framing);
  // What one attempt may take is for its head: no other attempt waits for its turn any more.
  upstream().set_deadline(spec_.deadline);
  while (true) {
    const auto piece = co_await NextPiece();
    if (!piece) {
      // The client must see that this is not the whole of it (RFC 9112 §8).
      request_.reason =
          piece.error().code == Code::kCancelled ? Reason::kClientAbort : piece.error().reason;
      client.Abort();
      co_return;
    }
    const bool last = upstream().body_complete() || piece->empty();
    const auto written = last ? co_await client.Finish(*piece) : co_await client.WriteBody(*piece);
    if (!written) {
      request_.reason = written.error().reason;
      co_return;
    }
    if (last) co_return;
    relayed_ += piece->size();
    LookAhead();
  }
}

/// The next bytes that the client has not seen; empty at the end.
Task<Result<std::span<const char>>> ProxiedCall::NextPiece() {
  while (!upstream().body_complete()) {
    if (patience_ != kForever) {
      upstream().set_deadline(std::min(spec_.deadline, SaturatingAdd(now(), patience_)));
    }
    auto piece = co_await upstream().ReadBody();
    if (!piece) {
      const Error broken = piece.error();
      if (broken.code != Code::kCancelled && !IsCallersFault(broken.reason)) {
        ended_->lease.Broke(now());
      }
      if (!co_await GoOn(broken)) co_return piece;
      continue;
    }
    const auto known = std::min<std::uint64_t>(overlap_, piece->size());
    overlap_ -= known;
    if (piece->size() == known && known > 0) continue;
    co_return piece->subspan(known);
  }
  co_return std::span<const char>();
}

/// Whether the body can go on elsewhere is seen from its first head; most bodies are over before.
void ProxiedCall::LookAhead() {
  if (std::exchange(looked_, true)) return;
  if (!spec_.idempotent || !ended_->lease.target()) return;
  resume_ = BodyResume::Of(request_.exchange.request(), upstream().response());
  if (!resume_) return;
  guard::Tried tried;
  tried.Add(*ended_->lease.target());
  // A silence is worth ending only if there is somebody else to ask.
  const guard::Wanted wanted{tried, now(), Duration::zero(), policies_.random};
  if (service_.PickOther(wanted)) patience_ = policy::StallThreshold(service_.replies());
}

/// Asks another instance for the rest; false when that may not be or does not come.
Task<bool> ProxiedCall::GoOn(Error broken) {
  LookAhead();
  if (!resume_) co_return false;
  policy::FailedAttempt failure = policy::Facts(broken);
  failure.attempt = request_.attempts;
  failure.incoming_attempt = request_.passport.attempt;
  failure.idempotent = true;
  failure.elapsed = now() - request_.began;
  failure.remaining = spec_.deadline - now();
  policy::RetryPlan plan =
      policy::PlanRetry(options_.retry, failure, service_.budget(), now(), policies_.random);
  Event event = policy::ToEvent(plan.decision, now());
  event.service = spec_.service;
  event.instance = request_.instance;
  request_.trail.On(event);
  if (plan.decision.verdict != policy::RetryDecision::Verdict::kRetry) co_return false;
  const bool slept = co_await Sleep(pools_.loop(), plan.decision.delay);
  if (!slept) co_return false;

  const std::shared_ptr<guard::Target> broke = ended_->lease.shared_target();
  guard::CallSpec rest = spec_;
  rest.after = broke.get();
  resume_->Ask(request_.exchange.request(), relayed_);
  plan.token.Sent();
  co_await sender_->Finish();
  ended_.reset();  // gives its place and its load back before another is asked for
  co_await Send(rest);
  if (!ended_->result) co_return false;
  const auto overlap = resume_->Overlap(upstream().response(), relayed_);
  if (!overlap) co_return false;
  overlap_ = *overlap;
  upstream().set_deadline(spec_.deadline);
  co_return true;
}

}  // namespace hale::mesh
