#include "hale/mesh/fallback_call.h"

#include <algorithm>
#include <utility>

#include "hale/mesh/pass_limits.h"
#include "hale/mesh/request_key.h"

namespace hale::mesh {
namespace {

/// So much of a failure's own page is held while another service is asked.
constexpr std::size_t kFailurePage = std::size_t{64} * 1024;

}  // namespace

Task<void> FallbackCall::Run(ProxiedCall& proxied) {
  const auto mark = Recognize();
  co_await call_.Ask(mark);
  const int status = call_.failure() ? 0 : call_.response().status;
  const Reason reason = call_.failure() ? call_.failure()->reason
                        : status >= 500 ? Reason::kUpstreamStatus
                                        : Reason::kNone;
  if (reason == Reason::kNone && !call_.failure()) {
    co_await AnswerAndKeep(proxied);
    co_return;
  }
  if (fallback_.rule.Covers(reason, status) && !body_.broken()) {
    if (fallback_.rule.mode() == policy::Mode::kShadow) {
      Tell("shadow: it would have been answered otherwise", reason);
    } else {
      const bool answered = co_await TryInstead(proxied, reason);
      if (answered) co_return;
    }
  }
  co_await call_.Answer();
}

Task<bool> FallbackCall::TryInstead(ProxiedCall& proxied, Reason after) {
  if (fallback_.service && MayAskAgain(proxied)) {
    const bool answered = co_await TryService(proxied, after);
    if (answered) co_return true;
    if (body_.broken()) co_return false;  // its client's fault came to light on the way
  }
  const bool answered = co_await TryLastGood(after);
  if (answered) co_return true;
  if (fallback_.options.status == 0) co_return false;
  co_await call_.Drop();
  co_await AnswerFixed(after);
  co_return true;
}

/// Whether another service may be sent what the first one may have executed, and can be: all of it
/// is still here.
bool FallbackCall::MayAskAgain(const ProxiedCall& proxied) const {
  const auto& failure = call_.failure();
  const bool untouched = failure && failure->executed == Executed::kNo;
  return (untouched || proxied.idempotent()) && body_.replayable() && now() < proxied.deadline();
}

Task<bool> FallbackCall::TryService(ProxiedCall& proxied, Reason after) {
  if (!call_.failure() && !call_.whole()) {
    // Its place and its instance are given back before another service is asked; what it said is
    // held, for when that one fails, too.
    const bool held = co_await call_.Hold(kFailurePage);
    if (!held) co_return false;
  }
  co_await call_.Drop();
  co_await proxied.Finish();
  const auto passed = co_await PassLimits(fallback_.limits, request_, route_, pools_.loop());
  if (!passed) {
    const bool left = passed.error().reason == Reason::kClientAbort;
    if (left) co_await Refuse(request_, passed.error(), HopRetry::kMay);
    co_return left;
  }
  const CallTo to{*fallback_.service, *fallback_.service_options};
  const std::string first_instance = request_.instance;
  ProxiedCall second(pools_, request_, route_, to, body_);
  co_await second.Ask();
  const bool good = !second.failure() && second.response().status < 500;
  const bool gone = second.failure() && second.failure()->reason == Reason::kClientAbort;
  if (good) {
    const Instead instead{"service", after};
    Mark(second.response(), instead);
    request_.service = to.service.name();
    Answered(instead, "service " + to.service.name());
    co_await second.Answer();
  } else if (gone) {
    co_await Refuse(request_, *second.failure(), HopRetry::kMay);
  } else {
    request_.instance = first_instance;
    co_await second.Drop();
  }
  co_await second.Finish();
  SettleLimits(fallback_.limits, *passed, request_, now());
  co_return good || gone;  // who has gone needs no other answer
}

Task<bool> FallbackCall::TryLastGood(Reason after) {
  if (key_.empty()) co_return false;
  const auto found = fallback_.last_good->Find(key_, now());
  if (!found) co_return false;
  const auto answer = std::static_pointer_cast<const CopiedAnswer>(found->value);
  if (!FitsRequest(*answer, request_.exchange.request())) co_return false;
  co_await call_.Drop();
  const Instead instead{"cached", after};
  const std::chrono::seconds aged(AgeAfter(answer->head.fields, Duration(0)));
  Answered(instead, instead.how, found->age + aged);
  co_await RespondCopy(request_, *answer, instead, found->age);
  co_return true;
}

Task<void> FallbackCall::AnswerFixed(Reason after) {
  net::ResponseHead head;
  head.status = fallback_.options.status;
  for (const auto& [name, value] : fallback_.options.headers) head.fields.Append(name, value);
  StampResponse(head, request_.passport);
  const Instead instead{"static", after};
  Mark(head, instead);
  Answered(instead, instead.how);
  const auto sent = co_await request_.exchange.RespondWhole(head, fallback_.options.body);
  if (!sent) request_.reason = sent.error().reason;
}

/// A good answer goes its way; a copy of it is kept if it is worth one.
Task<void> FallbackCall::AnswerAndKeep(ProxiedCall& proxied) {
  const KeepOptions& keep = fallback_.options.last_good;
  if (key_.empty()) {
    co_await call_.Answer();
    co_return;
  }
  const Duration good_for =
      MayBeKeptFor(request_.exchange.request(), call_.response(), keep.max_age);
  if (good_for <= Duration::zero()) {
    if (Supersedes(call_.response())) fallback_.last_good->Drop(key_);
    co_await call_.Answer();
    co_return;
  }
  const bool wanted = call_.mark() && fallback_.last_good->Wants(key_, now());
  if (wanted && !call_.whole()) proxied.KeepCopy(keep.body.bytes);
  co_await call_.Answer();
  if (!wanted) co_return;
  auto answer = call_.whole() ? call_.whole() : proxied.TakeKept();
  if (!answer || answer->body.size() > keep.body.bytes) co_return;
  const std::size_t bytes = answer->bytes();
  fallback_.last_good->Keep(key_, std::move(answer), bytes, now(), good_for, *call_.mark());
}

std::optional<policy::LastGoodMark> FallbackCall::Recognize() {
  const auto& by = fallback_.options.last_good.by;
  const net::RequestHead& request = request_.exchange.request();
  if (!fallback_.last_good || !HasTwins(request, by)) return std::nullopt;
  key_ = RequestKey(request, by);
  return fallback_.last_good->Mark(RequestSubject(request));
}

void FallbackCall::Answered(const Instead& instead, std::string_view told, Duration age) {
  request_.fallback = instead.how;
  request_.fell_back_after = instead.after;
  request_.reason = Reason::kNone;
  Tell(told, instead.after, age);
}

void FallbackCall::Tell(std::string_view how, Reason after, Duration age) {
  Event event = policy::FellBack(fallback_.rule.mode(), after, how, now());
  event.service = route_.name;
  event.span = age;  // how long it has been true
  request_.trail.On(event);
}

}  // namespace hale::mesh
