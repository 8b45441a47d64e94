#pragma once

#include <algorithm>
#include <exception>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "hale/base/event.h"
#include "hale/base/executor.h"
#include "hale/base/wait.h"
#include "hale/guard/attempt.h"
#include "hale/guard/call_policies.h"
#include "hale/guard/enter.h"
#include "hale/guard/governed.h"
#include "hale/guard/sender.h"
#include "hale/guard/targets.h"

namespace hale::guard {

/// One call on its way through the pipeline from admission on: bulkhead, retry and its budget,
/// race, pick, per-try timeout, send (design: the order is fixed). The rules are in policy/; this
/// only waits, and tells `spec.trail` what was decided. For one call; what it refers to outlives
/// it. Loop-bound.
template <class T>
class GovernedCall {
 public:
  GovernedCall(Executor& executor, const CallPolicies& policies, const CallSpec& spec,
               Targets& targets, Sender<T>& sender)
      : executor_(executor), policies_(policies), spec_(spec), targets_(targets), sender_(sender) {}

  /// A caller that stops has kClientAbort, and nothing is left behind.
  Task<Governed<T>> Run() {
    const TimePoint now = executor_.Now();
    if (now >= spec_.deadline) co_return RefuseLate(now);
    spec_.after ? tried_.Add(*spec_.after) : policies_.budget.OnRequest(now);
    auto place = policies_.bulkhead.TryEnter(now);
    if (!place && place.error().reason == Reason::kConcurrency) {
      place = co_await EnterQueue(policies_.bulkhead, executor_, spec_.deadline);
    }
    if (!place) co_return Refuse(place.error(), "bulkhead");

    caller_ = co_await CurrentStop();
    Governed<T> ended = co_await Attempts();
    ended.place = std::move(*place);
    co_return ended;
  }

 private:
  /// An attempt under way, and the timer that watches it.
  struct Flight {
    Flight(GovernedCall& c, Lease l, TimePoint now)
        : call(c),
          lease(std::move(l)),
          number(++c.attempts_),
          until(c.Until(now, number)),
          stop(c.sender_.stoppable() ? std::stop_source() : std::stop_source(std::nostopstate)) {
      c.tried_.Add(*lease.target());
    }
    ~Flight() { Unwatch(); }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;

    Attempt attempt() { return {number, until, call.executor_.clock(), stop.get_token()}; }
    /// Wakes at the attempt's end and, where a stall would be acted on, to look for one.
    void Watch(TimePoint now) {
      if (!stop.stop_possible()) return;
      const bool look = call.primary_ == this && call.spec_.idempotent && !call.race_;
      const TimePoint next = look ? std::min(until, SaturatingAdd(now, kLook)) : until;
      if (next == kNever) return;
      timer = call.executor_.At(next, [this] { Tick(call.executor_.Now()); });
    }
    void Unwatch() { call.executor_.Cancel(std::exchange(timer, Executor::Timer::kNone)); }
    void Tick(TimePoint now) {
      timer = Executor::Timer::kNone;
      if (now >= until) {
        timed_out = true;
        stop.request_stop();
        return;
      }
      call.RaceIfStalled(now);
      Watch(now);
    }

    GovernedCall& call;
    Lease lease;
    std::uint32_t number;
    TimePoint until;
    std::stop_source stop;
    Executor::Timer timer = Executor::Timer::kNone;
    bool timed_out = false;
  };

  /// A second attempt beside a stalled first one.
  struct Race {
    Race(GovernedCall& call, Lease lease, TimePoint now)
        : flight(call, std::move(lease), now), done(call.executor_) {}
    Flight flight;
    Trigger done;
    std::optional<Result<T>> result;
    bool won = false;  ///< and the first was stopped for it
  };

  struct StopAll {
    GovernedCall& call;
    void operator()() const {
      if (call.primary_ != nullptr) call.primary_->stop.request_stop();
      if (call.race_) call.race_->flight.stop.request_stop();
    }
  };

  static constexpr Duration kLook = std::chrono::milliseconds(50);  // for a stall, while waiting

  Task<Governed<T>> Attempts() {
    TimePoint now = executor_.Now();
    const TimePoint began = now;
    policy::RetryBudget::Token token;
    for (;; now = executor_.Now()) {
      if (caller_.stop_requested()) co_return Abort();
      if (now >= spec_.deadline) co_return RefuseLate(now);
      auto lease = targets_.Pick(WantedAt(now));
      token.Sent();
      if (!lease) co_return Refuse(lease.error(), "pick");
      Governed<T> ended = co_await TryOnce(std::move(*lease), now);
      now = executor_.Now();
      auto failure = sender_.Failure(ended.result);
      ended.lease.Settle(OutcomeOf(failure), now);
      if (!failure) co_return ended;

      executed_ = std::max(executed_, failure->executed);
      failure->attempt = attempts_;
      failure->incoming_attempt = spec_.incoming_attempt;
      failure->idempotent = spec_.idempotent;
      failure->replayable = failure->replayable && sender_.replayable();
      failure->elapsed = now - began;
      failure->remaining = spec_.deadline == kNever ? kForever : spec_.deadline - now;
      policy::RetryPlan plan =
          policy::PlanRetry(policies_.retry, *failure, policies_.budget, now, policies_.random);
      Tell(policy::ToEvent(plan.decision, now), ended.lease.instance());
      if (plan.decision.verdict != policy::RetryDecision::Verdict::kRetry) {
        ended.final_for_caller = plan.decision.final_for_caller;
        if (!ended.result) ended.result.error().executed = executed_;
        co_return ended;
      }
      token = std::move(plan.token);
      ended.lease = Lease();
      co_await sender_.Discard(std::move(ended.result));
      const bool slept = co_await Sleep(executor_, plan.decision.delay);
      if (!slept) co_return Abort();
    }
  }

  /// One attempt, and a second one beside it if its instance stalls: the first good answer wins.
  Task<Governed<T>> TryOnce(Lease lease, TimePoint now) {
    Flight flight(*this, std::move(lease), now);
    primary_ = &flight;
    flight.Watch(now);
    std::optional<std::stop_callback<StopAll>> relay;
    if (caller_.stop_possible()) relay.emplace(caller_, StopAll{*this});

    std::exception_ptr thrown;
    std::optional<Result<T>> result;
    try {
      result.emplace(
          co_await WithStop(flight.stop.get_token(), sender_.Send(flight.lease, flight.attempt())));
    } catch (...) {
      thrown = std::current_exception();
    }
    primary_ = nullptr;
    flight.Unwatch();
    if (result) Explain(flight, *result);
    if (race_) co_await EndRace(flight, result);
    if (!result) {
      flight.lease.Settle(Outcome::kFailure, executor_.Now());
      std::rethrow_exception(thrown);
    }
    Governed<T> ended(std::move(*result), attempts_);
    ended.lease = std::move(flight.lease);
    co_return ended;
  }

  /// The second attempt has ended, or is stopped since the first has its end. When it alone is good
  /// it takes the place of the first; when both have failed the first one's failure counts.
  Task<void> EndRace(Flight& flight, std::optional<Result<T>>& result) {
    Race& race = *race_;
    const bool over = !result || !sender_.Failure(*result);
    const bool cut = over && !race.result;
    if (cut) race.flight.stop.request_stop();
    co_await WithStop(std::stop_token(), Await(race.done));
    const TimePoint now = executor_.Now();
    const auto failure = sender_.Failure(*race.result);
    if (failure || over) {
      const bool neutral = cut || !failure;
      race.flight.lease.Settle(neutral ? Outcome::kIgnored : OutcomeOf(failure), now);
      if (failure) executed_ = std::max(executed_, failure->executed);
    } else {
      const auto lost = sender_.Failure(*result);
      flight.lease.Settle(race.won ? Outcome::kIgnored : OutcomeOf(lost), now);
      flight.lease = std::move(race.flight.lease);
      result.emplace(std::move(*race.result));
    }
    race_.reset();
  }

  static Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

  void RaceIfStalled(TimePoint now) {
    if (primary_ == nullptr || race_ || !sender_.raceable() || !primary_->lease.Stalled()) return;
    auto token = policies_.budget.Withdraw(policy::ExtraCall::kRace, now);
    if (!token) return;
    auto other = targets_.PickOther(WantedAt(now));
    if (!other) return;
    token->Sent();
    Event event;
    event.at = now;
    event.kind = EventKind::kRaced;
    event.reason = Reason::kStalled;
    event.policy = "stall";
    Tell(event, primary_->lease.instance());
    race_.emplace(*this, std::move(*other), now);
    race_->flight.Watch(now);
    Spawn(RunRace(), race_->flight.stop.get_token());
  }

  Task<void> RunRace() {
    Race& race = *race_;
    std::optional<Result<T>> result;
    try {
      result.emplace(co_await sender_.Send(race.flight.lease, race.flight.attempt()));
    } catch (...) {
      // Nobody waits for this one alone: its exception counts as a failure.
      result.emplace(Fail(Code::kInternal, "an exception ended the attempt"));
    }
    race.flight.Unwatch();
    Explain(race.flight, *result);
    if (primary_ != nullptr && !sender_.Failure(*result)) {
      race.won = true;
      primary_->stop.request_stop();
    }
    race.result.emplace(std::move(*result));
    race.done.Fire();
  }

  /// An attempt that was cut short says by what, and what it may have done.
  void Explain(const Flight& flight, Result<T>& result) const {
    if (result) return;
    const Executed executed = result.error().executed;
    if (caller_.stop_requested()) {
      result = Fail(Reason::kClientAbort, executed);
    } else if (flight.timed_out) {
      const bool all = flight.until >= spec_.deadline;
      result = Fail(all ? Reason::kDeadline : Reason::kUpstreamTimeout, executed);
    }
  }

  TimePoint Until(TimePoint now, std::uint32_t number) const {
    const Duration per_try = PerTry(policies_, spec_, number);
    return std::min(spec_.deadline, SaturatingAdd(now, per_try));
  }

  Wanted WantedAt(TimePoint now) const {
    const TimePoint until = Until(now, attempts_ + 1);
    return {tried_, now, until == kNever ? Duration::zero() : until - now, policies_.random};
  }

  Governed<T> Abort() { return {Fail(Reason::kClientAbort, executed_), attempts_}; }
  Governed<T> RefuseLate(TimePoint now) {
    const double left = Seconds(spec_.deadline - now);
    return Refuse({.reason = Reason::kDeadline, .observed = left}, "deadline");
  }
  Governed<T> Refuse(const Rejection& rejection, std::string_view policy) {
    Tell(RefusedBy(policy, rejection, executor_.Now()), {});
    Error error(rejection.reason, executed_);
    error.retry_after = rejection.retry_after;
    Governed<T> refused(std::unexpected(std::move(error)), attempts_);
    refused.final_for_caller = attempts_ > 1;
    return refused;
  }

  void Tell(Event event, std::string_view instance) {
    event.service = spec_.service;
    event.instance = instance;
    spec_.trail.On(event);
  }

  Executor& executor_;
  const CallPolicies& policies_;
  const CallSpec& spec_;
  Targets& targets_;
  Sender<T>& sender_;
  std::stop_token caller_;
  Tried tried_;
  std::uint32_t attempts_ = 0;
  Executed executed_ = Executed::kNo;  ///< the most that any attempt may have done
  Flight* primary_ = nullptr;
  std::optional<Race> race_;
};

}  // namespace hale::guard
