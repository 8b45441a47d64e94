#include "hale/mesh/upstream_sender.h"

#include <string>

#include "hale/mesh/retry_after.h"

namespace hale::mesh {
namespace {

Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

/// A body that is thrown away is read to its end only if that is nearly here.
constexpr std::uint64_t kWorthDraining = 64 * 1024;
constexpr Duration kDrainPatience = std::chrono::milliseconds(100);

/// A hop below has more to do than it takes on: not a failure of the instance that says so. What
/// else it refuses with (`circuit_open`, `no_instance` ...) tells that behind it nobody answers.
bool IsOverload(std::optional<Reason> reason) {
  return reason == Reason::kConcurrency || reason == Reason::kQueueFull ||
         reason == Reason::kQueueTimeout || reason == Reason::kShed ||
         reason == Reason::kThrottled || reason == Reason::kDraining;
}

Duration RetryAfterOf(const net::ResponseHead& head) {
  const auto after = head.fields.Find("retry-after");
  return after ? ParseRetryAfter(*after, RealClock().WallNow()) : Duration::zero();
}

bool IsStale(const Error& error, const net::ClientExchange& exchange) {
  return error.reason == Reason::kUpstreamReset && exchange.reused() && !exchange.answered();
}

}  // namespace

Task<Result<Answer>> UpstreamSender::Send(guard::Lease& lease, guard::Attempt attempt) {
  Flight& flight = FreeFlight();
  net::OpenOptions open;
  open.idempotent = parts_.idempotent;
  open.deadline = attempt.until();
  while (true) {
    if (auto opened = co_await Open(flight, lease, open); !opened) {
      flight.busy = false;
      co_return std::unexpected(opened.error());
    }
    auto answer = co_await SendOn(flight, lease, attempt);
    if (answer) co_return answer;
    // The peer closed a kept connection as we wrote to it: not a failure of the instance, and if
    // nothing can have been executed twice, a fresh connection is simply used (RFC 9112 §9.3.1).
    const bool again = IsStale(answer.error(), *flight.exchange) &&
                       (parts_.idempotent || !flight.exchange->sent()) && parts_.body.replayable();
    flight.exchange.reset();
    if (!again || open.use == net::OpenOptions::Use::kFresh) {
      flight.busy = false;
      co_return answer;
    }
    open.use = net::OpenOptions::Use::kFresh;
  }
}

Task<Result<void>> UpstreamSender::Open(Flight& flight, guard::Lease& lease,
                                        net::OpenOptions options) {
  const auto member = std::static_pointer_cast<Member>(lease.shared_target());
  const auto pool = co_await parts_.pools.Resolve(member, parts_.options.timeout, options.deadline);
  if (!pool) co_return std::unexpected(pool.error());
  auto opened = co_await (*pool)->Open(options);
  const TimePoint now = parts_.pools.loop().Now();
  if (!opened) {
    if (opened.error().reason == Reason::kUpstreamConnect) {
      parts_.service.OnRefused(*member, now);
    }
    co_return std::unexpected(opened.error());
  }
  flight.exchange.emplace(std::move(*opened));
  flight.exchange->set_bytes(member.get());
  flight.exchange->set_informational(this);
  co_return Result<void>();
}

// The head is shared with an attempt beside this one: it is this one's only until it is written.
void UpstreamSender::Stamp(const guard::Attempt& attempt) {
  net::Fields& fields = parts_.head.fields;
  fields.Set("hale-attempt", std::to_string(attempt.number()));
  if (attempt.until() == kNever) return;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(attempt.remaining());
  fields.Set("hale-timeout-ms", std::to_string(left.count()));
}

Task<Result<Answer>> UpstreamSender::SendOn(Flight& flight, guard::Lease& lease,
                                            const guard::Attempt& attempt) {
  net::Loop& loop = parts_.pools.loop();
  net::ClientExchange& exchange = *flight.exchange;
  const net::RequestHead& head = parts_.head;
  Stamp(attempt);
  exchange.SendHead(head, head.framing);
  const TimePoint sent_at = loop.Now();
  lease.OnSent(sent_at);
  Result<void> sent;
  if (parts_.body.whole()) {
    sent = co_await exchange.FinishBody(parts_.body.kept());
  } else {
    flight.upload = std::make_unique<Upload>(loop);
    Spawn(RunUpload(flight), flight.upload->stop.get_token());
  }
  // An instance may answer without reading all and close: its answer counts more than our write.
  auto answered = co_await exchange.ReadHead();
  if (!answered) {
    co_await EndUpload(flight);
    if (parts_.body.broken()) co_return std::unexpected(*parts_.body.broken());
    co_return std::unexpected(sent ? answered.error() : sent.error());
  }
  const TimePoint now = loop.Now();
  lease.OnAnswered(now);
  if (parts_.options.balance.reports == policy::Reports::kUse) {
    const auto said = exchange.response().fields.Find("hale-load");
    const auto load = policy::ParseLoad(said.value_or(""));
    if (load) lease.target()->load().reported().Report(*load, now);
  }
  parts_.service.replies().Record(now - sent_at);
  const Answer answer{&exchange};
  co_return answer;
}

Task<void> UpstreamSender::RunUpload(Flight& flight) {
  net::ClientExchange& exchange = *flight.exchange;
  Upload& upload = *flight.upload;
  if (!parts_.body.kept().empty()) {
    upload.result = co_await exchange.WriteBody(parts_.body.kept());
  }
  while (upload.result && !parts_.body.complete()) {
    const auto piece = co_await parts_.body.ReadMore();
    if (!piece) {
      upload.result = std::unexpected(piece.error());
      // What the client does not finish, the instance must not take for whole.
      exchange.Abort();
    } else if (!piece->empty()) {
      upload.result = co_await exchange.WriteBody(*piece);
    }
  }
  if (upload.result) upload.result = co_await exchange.FinishBody();
  upload.ended.Fire();
}

Task<void> UpstreamSender::EndUpload(Flight& flight) {
  if (!flight.upload) co_return;
  flight.upload->stop.request_stop();
  co_await WithStop(std::stop_token(), Await(flight.upload->ended));
  flight.upload.reset();
}

Task<void> UpstreamSender::Finish() {
  for (Flight& flight : flights_) co_await EndUpload(flight);
}

UpstreamSender::Flight& UpstreamSender::FreeFlight() {
  Flight& flight = flights_[0].busy ? flights_[1] : flights_[0];
  flight.exchange.reset();
  flight.busy = true;
  return flight;
}

std::optional<policy::FailedAttempt> UpstreamSender::Failure(const Result<Answer>& result) const {
  if (!result) {
    policy::FailedAttempt failure = policy::Facts(result.error());
    // All its connections are in use and nothing was sent: another instance may take it.
    if (failure.reason == Reason::kConcurrency) failure.failed = policy::Failed::kInstance;
    return failure;
  }
  const net::ResponseHead& head = result->exchange->response();
  if (head.status < 500) return std::nullopt;
  policy::FailedAttempt failure;
  failure.reason = Reason::kUpstreamStatus;
  failure.executed = Executed::kMaybe;
  failure.status = head.status;
  failure.hop_final = head.fields.Find("hale-retry") == "no";
  failure.shed = IsOverload(ReasonFromWord(head.fields.Find("hale-reason").value_or("")));
  failure.retry_after = RetryAfterOf(head);
  return failure;
}

bool UpstreamSender::TurnedAway(const Result<Answer>& result) const {
  if (!result) return false;
  const net::ResponseHead& head = result->exchange->response();
  return head.status == 429 && RetryAfterOf(head) > Duration::zero();
}

Task<void> UpstreamSender::Discard(Result<Answer> result) {
  for (Flight& flight : flights_) {
    co_await EndUpload(flight);
    if (result && flight.exchange && result->exchange == &*flight.exchange) {
      const net::Framing framing = result->exchange->response().framing;
      const bool short_body =
          framing.kind == net::Framing::Kind::kNone ||
          (framing.kind == net::Framing::Kind::kLength && framing.length <= kWorthDraining);
      flight.exchange->set_deadline(parts_.pools.loop().Now() + kDrainPatience);
      while (short_body && !flight.exchange->body_complete()) {
        const auto piece = co_await flight.exchange->ReadBody();
        if (!piece || piece->empty()) break;
      }
    }
    flight.exchange.reset();
    flight.busy = false;
  }
}

Task<void> UpstreamSender::OnInformational(const net::ResponseHead& head) {
  // 100 Continue is ours to send, when the body is read; others pass through (RFC 9110 §15.2).
  if (head.status == 100 || parts_.client == nullptr) co_return;
  co_await parts_.client->SendInformational(head);
}

}  // namespace hale::mesh
