#include "hale/mesh/proxied_call.h"

#include <algorithm>

#include "hale/base/wait.h"
#include "hale/mesh/balance_key.h"
#include "hale/mesh/call_class.h"
#include "hale/mesh/refusal.h"
#include "hale/policy/stall_threshold.h"

namespace hale::mesh {
namespace {

/// So long a head without a length waits for its body: a stream may be silent for as long as it
/// likes, and its client wants to know that it stands.
constexpr Duration kHeadWaits = std::chrono::milliseconds(100);

/// A copy: it may be a field of the request, and those change on the way.
std::string PartitionFor(const ServedRequest& request, const Route& route, const CallTo& to) {
  const policy::Priority priority = PriorityOf(request.passport, route.options.priority);
  return std::string(PartitionOf(to.options.bulkhead.partitions.by,
                                 {request.exchange.request().fields, route.name, priority}));
}

/// `partition` outlives it.
guard::CallSpec SpecOf(ServedRequest& request, const Route& route, const CallTo& to,
                       std::string_view partition) {
  const Duration whole = std::min(route.options.deadline, request.passport.timeout);
  const net::RequestHead& head = request.exchange.request();
  const policy::Priority priority = PriorityOf(request.passport, route.options.priority);
  const bool idempotent = route.options.idempotent == Idempotent::kAuto
                              ? net::IsIdempotent(request.exchange.request().method)
                              : route.options.idempotent == Idempotent::kYes;
  return {.deadline = SaturatingAdd(request.began, whole),
          .whole = whole,
          .idempotent = idempotent,
          .incoming_attempt = request.passport.attempt,
          .service = to.service.name(),
          .trail = request.trail,
          .priority = priority,
          .fair_key = route.fair.Of(head, request.client_ip),
          .partition = partition,
          .balance_key = AffinityOf(to.options.balance.key, request.exchange.request().fields,
                                    request.client_ip)};
}

}  // namespace

ProxiedCall::ProxiedCall(Pools& pools, ServedRequest& request, const Route& route, CallTo to,
                         RequestBody& body)
    : pools_(pools),
      request_(request),
      to_(to),
      body_(body),
      policies_{to.service.bulkhead(),      to.options.retry,
                to.service.budget(),        ThreadRandom(),
                to.options.timeout.per_try, &to.service.throttle(),
                &to.service.concurrency(),  &to.service.hedge(),
                &to.service.gate()},
      partition_(PartitionFor(request, route, to)),
      spec_(SpecOf(request, route, to, partition_)) {
  StampPriority(request.exchange.request(), request.passport, route.options.priority);
}

UpstreamSender::Parts ProxiedCall::Parts() {
  return {.pools = pools_,
          .service = to_.service,
          .options = to_.options,
          .head = request_.exchange.request(),
          .client = &request_.exchange,
          .body = body_,
          .idempotent = spec_.idempotent};
}

Task<void> ProxiedCall::Ask() {
  if (const auto read = co_await body_.ReadWhole(); !read) {
    failure_ = read.error();
    co_return;
  }
  co_await Send(spec_);
  if (ended_->result) {
    co_await Begin();
  } else {
    failure_ = ended_->result.error();
  }
}

/// Waits for the first byte of the body. Until then nothing is given away: what breaks can be tried
/// again, refused, or answered with something else.
Task<void> ProxiedCall::Begin() {
  while (true) {
    // Before its client knows, who is then never given what it has changed.
    const net::RequestHead& asked = request_.exchange.request();
    if (TellsOfAChange(asked, response())) request_.routes->Outdate(asked);
    // What one attempt may take is for its head: no other attempt waits for its turn any more.
    upstream().set_deadline(spec_.deadline);
    const bool sized = response().framing.kind == net::Framing::Kind::kLength;
    const auto body =
        co_await upstream().AwaitBody(sized ? kNever : SaturatingAdd(now(), kHeadWaits));
    if (body) {
      begun_ = true;
      alone_ = !*body;
      co_return;
    }
    const bool again = co_await GoOn(body.error());
    if (again) continue;
    co_await Break(ended_->result ? body.error() : ended_->result.error());
    co_return;
  }
}

/// The answer broke off before its client has seen any of it: a failure, which holds nothing of the
/// service any more.
Task<void> ProxiedCall::Break(Error broken) {
  failure_ = broken;
  if (now() >= spec_.deadline) failure_ = Error(Reason::kDeadline, Executed::kMaybe);
  if (broken.code == Code::kCancelled) failure_ = Error(Reason::kClientAbort, Executed::kMaybe);
  // Its connection first: that is one of the instance's places, and refers to it.
  co_await sender_->Discard(std::unexpected(std::move(broken)));
  ended_.reset();
}

Task<void> ProxiedCall::Send(const guard::CallSpec& spec) {
  sender_.emplace(Parts());
  guard::GovernedCall<mesh::Answer> call(pools_.loop(), policies_, spec, to_.service, *sender_);
  ended_.emplace(co_await call.Run());
  if (ended_->final_for_caller) hop_retry_ = HopRetry::kNo;
  request_.attempts += ended_->attempts - attempts_;
  attempts_ = ended_->attempts;
  request_.instance = ended_->lease.instance();
}

Task<void> ProxiedCall::Answer() {
  if (!failure_) {
    co_await Relay();
  } else if (body_.broken()) {
    co_await RefuseBody(request_, *body_.broken());
  } else {
    co_await Refuse(request_, *failure_, hop_retry_);
  }
}

Task<void> ProxiedCall::Finish() {
  if (sender_) co_await sender_->Finish();
}

Task<void> ProxiedCall::Drop() {
  if (ended_ && ended_->result) co_await sender_->Discard(std::move(ended_->result));
  ended_.reset();
}

Task<void> ProxiedCall::Relay() {
  net::ServerExchange& client = request_.exchange;
  if (response().status >= 500) {
    request_.reason = Reason::kUpstreamStatus;
    if (hop_retry_ == HopRetry::kNo) response().fields.Set("hale-retry", "no");
  }
  StampResponse(response(), request_.passport);
  client.Respond(response(), response().framing);
  if (ahead_is_all_ || !ahead_.empty()) {
    const Result<void> given = co_await Give(ahead_, ahead_is_all_);
    if (!given || ahead_is_all_) co_return;
  } else if (alone_) {
    const auto flushed = co_await client.Flush();
    if (!flushed) {
      request_.reason = flushed.error().reason;
      co_return;
    }
  }
  while (true) {
    const auto piece = co_await NextPiece();
    if (!piece) {
      // The client must see that this is not the whole of it (RFC 9112 §8).
      const Error& why = body_.broken() ? *body_.broken() : piece.error();
      request_.reason = why.code == Code::kCancelled ? Reason::kClientAbort : why.reason;
      client.Abort();
      co_return;
    }
    const bool last = upstream().body_complete() || piece->empty();
    const Result<void> given = co_await Give(*piece, last);
    if (!given || last) co_return;
  }
}

Task<Result<void>> ProxiedCall::Give(std::span<const char> piece, bool last) {
  if (most_kept_) Keep(piece, last);
  net::ServerExchange& client = request_.exchange;
  auto given = last ? co_await client.Finish(piece) : co_await client.WriteBody(piece);
  if (given) co_return given;
  kept_.reset();
  request_.reason = given.error().reason;
  co_return given;
}

Task<std::shared_ptr<const CopiedAnswer>> ProxiedCall::Copy(std::size_t most) {
  const net::Framing framing = response().framing;
  if (framing.kind == net::Framing::Kind::kLength && framing.length > most &&
      !upstream().body_complete()) {
    co_return nullptr;
  }
  while (ahead_.size() <= most) {
    const auto piece = co_await NextPiece();
    if (!piece) {
      co_await Break(piece.error());
      co_return nullptr;
    }
    ahead_.append(piece->data(), piece->size());
    if (piece->empty() || upstream().body_complete()) {
      ahead_is_all_ = true;
      break;
    }
  }
  if (!ahead_is_all_ || ahead_.size() > most) co_return nullptr;
  co_return std::make_shared<const CopiedAnswer>(
      CopyOf(request_.exchange.request(), response(), ahead_));
}

void ProxiedCall::Keep(std::span<const char> piece, bool last) {
  if (keeping_.size() + piece.size() > *most_kept_) {
    most_kept_.reset();
    keeping_.clear();
    return;
  }
  keeping_.append(piece.data(), piece.size());
  if (!last) return;
  kept_ = std::make_shared<const CopiedAnswer>(
      CopyOf(request_.exchange.request(), response(), std::move(keeping_)));
}

/// The next bytes of the answer; empty at the end.
Task<Result<std::span<const char>>> ProxiedCall::NextPiece() {
  if (relayed_ > 0) LookAhead();
  while (!upstream().body_complete()) {
    if (patience_ != kForever) {
      upstream().set_deadline(std::min(spec_.deadline, SaturatingAdd(now(), patience_)));
    }
    auto piece = co_await upstream().ReadBody();
    if (!piece) {
      if (!co_await GoOn(piece.error())) co_return piece;
      continue;
    }
    const auto known = std::min<std::uint64_t>(overlap_, piece->size());
    overlap_ -= known;
    if (piece->size() == known && known > 0) continue;
    relayed_ += piece->size() - known;
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
  if (to_.service.HasOther(wanted)) patience_ = policy::StallThreshold(to_.service.replies());
}

/// Asks another instance for the rest, or for all of it while nothing has been given away; false
/// when that may not be or does not come.
Task<bool> ProxiedCall::GoOn(Error broken) {
  if (broken.code == Code::kCancelled || IsCallersFault(broken.reason) || body_.broken()) {
    co_return false;
  }
  ended_->lease.Broke(now());
  if (begun_) LookAhead();
  if (begun_ && !resume_) co_return false;
  // The head, a failure by itself, said that no more may be sent for it.
  if (hop_retry_ == HopRetry::kNo) co_return false;
  policy::FailedAttempt failure = policy::Facts(broken);
  failure.attempt = attempts_;
  failure.incoming_attempt = request_.passport.attempt;
  failure.idempotent = spec_.idempotent;
  failure.replayable = sender_->replayable();
  failure.elapsed = now() - request_.began;
  failure.remaining = spec_.deadline - now();
  policy::RetryPlan plan =
      policy::PlanRetry(to_.options.retry, failure, to_.service.budget(), now(), policies_.random);
  Event event = policy::ToEvent(plan.decision, now());
  event.service = spec_.service;
  event.instance = request_.instance;
  request_.trail.On(event);
  if (plan.decision.verdict != policy::RetryDecision::Verdict::kRetry) {
    if (plan.decision.final_for_caller) hop_retry_ = HopRetry::kNo;
    co_return false;
  }
  const bool slept = co_await Sleep(pools_.loop(), plan.decision.delay);
  if (!slept) {
    ended_->result = Fail(Reason::kClientAbort, Executed::kMaybe);
    co_return false;
  }

  const std::shared_ptr<guard::Target> broke = ended_->lease.shared_target();
  guard::CallSpec rest = spec_;
  rest.after = broke.get();
  rest.attempts_before = attempts_;
  if (resume_) resume_->Ask(request_.exchange.request(), relayed_);
  plan.token.Sent();
  co_await sender_->Finish();
  if (resume_ && !head_) head_ = std::move(upstream().response());
  ended_.reset();  // gives its place and its load back before another is asked for
  co_await Send(rest);
  if (resume_) BodyResume::Unask(request_.exchange.request());
  if (!ended_->result) co_return false;
  if (!resume_) co_return true;
  const auto overlap = resume_->Overlap(upstream().response(), relayed_);
  if (!overlap) co_return false;
  overlap_ = *overlap;
  upstream().set_deadline(spec_.deadline);
  co_return true;
}

}  // namespace hale::mesh
