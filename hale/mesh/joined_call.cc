#include "hale/mesh/joined_call.h"

#include <utility>

#include "hale/mesh/refusal.h"
#include "hale/mesh/request_key.h"

namespace hale::mesh {
namespace {

using Landing = policy::SingleFlight::Landing;

/// A failure that says something of this caller only: it had less time than others, or has gone.
/// A turn is waited for no longer than half of what is left, so that less time is a shorter wait.
bool IsOwn(Reason reason, bool has_less_time) {
  return reason == Reason::kNone || reason == Reason::kDeadline || IsCallersFault(reason) ||
         (reason == Reason::kQueueTimeout && has_less_time);
}

}  // namespace

Task<void> JoinedCall::Ask(std::optional<policy::LastGoodMark> mark) {
  mark_ = mark;
  const net::RequestHead& request = request_.exchange.request();
  const std::vector<std::string>& by = route_.options.single_flight.by;
  const bool joins = route_.flights != nullptr && route_.flights->mode() != policy::Mode::kOff &&
                     HasTwins(request, by);
  if (!joins) {
    co_await call_.Ask();
    co_return;
  }
  const Standing standing{call_.spec().priority, call_.spec().partition};
  const std::string key = FlightKey(request, by, standing);
  const TimePoint began = pools_.loop().Now();
  guard::Boarding boarding(*route_.flights, pools_.loop(), key, &request_.trail);
  auto boarded = co_await boarding.Join(call_.deadline());
  if (!boarded) {
    late_ = boarded.error();
    if (late_->reason != Reason::kDeadline) co_return;
    const Duration waited = pools_.loop().Now() - began;
    const Rejection late{.reason = Reason::kDeadline, .observed = Seconds(waited)};
    Event event = guard::RefusedBy("single_flight", late, pools_.loop().Now());
    event.service = route_.name;
    request_.trail.On(event);
    co_return;
  }
  if (boarded->lead) {
    co_await guard::RunLead(boarded->lead, pools_.loop(), Lead(boarded->lead));
    co_return;
  }
  const Duration waited = pools_.loop().Now() - began;
  if (boarded->followed) {
    const bool shares = Follow(boarded->landed);
    Tell(shares, waited);
    if (shares) co_return;
  }
  co_await call_.Ask();
}

/// Makes the call and lands with what it came to.
Task<void> JoinedCall::Lead(policy::SingleFlight::Lead& lead) {
  co_await call_.Ask();
  const std::size_t most = route_.options.single_flight.max_body.bytes;
  Shared shared;
  if (!call_.failure()) {
    if (MayBeShared(call_.response())) shared.answer = co_await call_.Copy(most);
    if (!shared.answer && !call_.failure()) {
      lead.Land({Landing::kAlone, nullptr});
      co_return;
    }
  }
  if (call_.failure()) {
    if (IsOwn(call_.failure()->reason, call_.spec().whole < route_.options.deadline)) {
      lead.Land({Landing::kAgain, nullptr});
      co_return;
    }
    shared.failure = call_.failure();
  }
  shared.hop_retry = call_.hop_retry();
  shared.mark = mark_;
  auto common = std::make_shared<const Shared>(std::move(shared));
  // What it holds of the service is free for others while the client takes its answer.
  if (common->answer) {
    shared_ = common;
    co_await call_.Drop();
  }
  lead.Land({Landing::kShared, std::move(common)});
}

/// Whether what another one's call came to is an answer, or a failure, for this one as well.
bool JoinedCall::Follow(const policy::SingleFlight::Landed& landed) {
  if (landed.how != Landing::kShared) return false;
  auto shared = std::static_pointer_cast<const Shared>(landed.what);
  if (shared->answer && !FitsRequest(*shared->answer, request_.exchange.request())) return false;
  shared_ = std::move(shared);
  mark_ = shared_->mark;
  return true;
}

/// Who waited for what it does not share has been delayed.
void JoinedCall::Tell(bool shares, Duration waited) {
  Event event;
  event.at = pools_.loop().Now();
  event.kind = shares ? EventKind::kJoined : EventKind::kDelayed;
  event.reason = shares && shared_->failure ? shared_->failure->reason : Reason::kNone;
  event.policy = "single_flight";
  event.service = route_.name;
  event.span = waited;
  request_.trail.On(event);
}

Task<void> JoinedCall::Answer() {
  if (shared_ && shared_->answer) {
    if (shared_->answer->head.status >= 500) request_.reason = Reason::kUpstreamStatus;
    co_await RespondCopy(request_, *shared_->answer, shared_->hop_retry);
  } else if (failure() && (shared_ || late_)) {
    co_await Refuse(request_, *failure(), shared_ ? shared_->hop_retry : HopRetry::kMay);
  } else {
    co_await call_.Answer();
  }
}

Task<bool> JoinedCall::Hold(std::size_t most) {
  Shared held;
  held.answer = co_await call_.Copy(most);
  if (!held.answer) co_return call_.failure().has_value();
  held.hop_retry = call_.hop_retry();
  shared_ = std::make_shared<const Shared>(std::move(held));
  co_return true;
}

Task<void> JoinedCall::Drop() { co_await call_.Drop(); }

}  // namespace hale::mesh
