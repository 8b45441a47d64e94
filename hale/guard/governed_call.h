#pragma once

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
#include "hale/guard/sender.h"
#include "hale/guard/targets.h"

namespace hale::guard {

/// How a governed call ended. A good result still holds the lease of the instance that gave it, so
/// that the load lasts as long as the answer flows.
template <class T>
struct Governed {
  Governed(Result<T> r, std::uint32_t n) : result(std::move(r)), attempts(n) {}

  Result<T> result;
  std::uint32_t attempts = 0;  ///< sent to an instance; races included
  Lease lease;
  policy::Bulkhead::Permit place;
  bool final_for_caller = false;  ///< tell the caller `hale-retry: no`
};

/// One call on its way through the pipeline from admission on: bulkhead, retry and its budget,
/// race, pick, per-try timeout, send (design: the order is fixed). The rules are in policy/; this
/// only waits, and tells `spec.trail` what was decided. Made for one call, on the stack of a
/// coroutine that awaits Run(); everything that it refers to outlives it. Loop-bound.
template <class T>
class GovernedCall {
 public:
  GovernedCall(Executor& executor, const CallPolicies& policies, const CallSpec& spec,
               Targets& targets, Sender<T>& sender)
      : executor_(executor), policies_(policies), spec_(spec), targets_(targets), sender_(sender) {}

  Task<Governed<T>> Run() {
    const TimePoint now = executor_.Now();
    if (now >= spec_.deadline) {
      co_return Refuse(
          {.reason = Reason::kDeadline, .observed = Seconds(spec_.deadline - now), .threshold = 0},
          "deadline");
    }
    policies_.budget.OnRequest(now);
    auto place = policies_.bulkhead.TryEnter(now);
    if (!place && place.error().reason == Reason::kConcurrency) {
      place = co_await EnterQueue(policies_.bulkhead, executor_, spec_.deadline);
    }
    if (!place) co_return Refuse(place.error(), "bulkhead");

    Governed<T> ended = co_await Attempts();
    ended.place = std::move(*place);
    co_return ended;
  }

 private:
  /// An attempt under way, and the timer that watches it.
  struct Flight {
    Flight(GovernedCall& c, Lease l, TimePoint now)
        : call(c), lease(std::move(l)), number(++c.attempts_), until(c.Until(now, number)) {
      c.tried_.Add(*lease.target());
      Tick(now);
    }
    ~Flight() { call.executor_.Cancel(timer); }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;

    Attempt attempt() { return {number, until, call.executor_.clock(), stop.get_token()}; }
    void End(TimePoint) {
      call.executor_.Cancel(timer);
      timer = Executor::Timer::kNone;
    }
    void Tick(TimePoint now) {
      timer = Executor::Timer::kNone;
      if (now >= until) {
        timed_out = true;
        stop.request_stop();
        return;
      }
      if (call.primary_ == this) call.RaceIfStalled(now);
      const TimePoint look = SaturatingAdd(now, kLook);
      timer =
          call.executor_.At(until < look ? until : look, [this] { Tick(call.executor_.Now()); });
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
    bool won = false;
  };

  struct StopAll {
    GovernedCall& call;
    void operator()() const {
      if (call.primary_ != nullptr) call.primary_->stop.request_stop();
      if (call.race_) call.race_->flight.stop.request_stop();
    }
  };

  /// How often a call that waits looks whether its instance has stalled.
  static constexpr Duration kLook = std::chrono::milliseconds(50);

  Task<Governed<T>> Attempts() {
    const TimePoint began = executor_.Now();
    std::optional<Error> last;
    while (true) {
      TimePoint now = executor_.Now();
      auto lease = targets_.Pick(tried_, now, policies_.random);
      if (!lease) {
        Governed<T> refused = Refuse(lease.error(), "pick");
        // What an earlier attempt may have done stays true of the whole call.
        if (last) refused.result.error().executed = last->executed;
        co_return refused;
      }
      Governed<T> ended = co_await TryOnce(std::move(*lease));
      now = executor_.Now();
      auto failure = sender_.Failure(ended.result);
      ended.lease.Settle(OutcomeOf(failure), now);
      if (!failure) co_return ended;

      failure->attempt = attempts_;
      failure->incoming_attempt = spec_.incoming_attempt;
      failure->idempotent = spec_.idempotent;
      failure->replayable = sender_.replayable();
      failure->elapsed = now - began;
      failure->remaining = spec_.deadline == kNever ? kForever : spec_.deadline - now;
      policy::RetryPlan plan =
          policy::PlanRetry(policies_.retry, *failure, policies_.budget, now, policies_.random);
      Tell(policy::ToEvent(plan.decision, now), ended.lease.instance());
      ended.final_for_caller = plan.decision.final_for_caller;
      if (plan.decision.verdict != policy::RetryDecision::Verdict::kRetry) co_return ended;

      last = ended.result ? Error(failure->reason, failure->executed) : ended.result.error();
      ended.lease = Lease();
      co_await sender_.Discard(std::move(ended.result));
      if (!co_await Sleep(executor_, plan.decision.delay)) {
        co_return Governed<T>(Fail(Reason::kClientAbort, last->executed), attempts_);
      }
      plan.token.Sent();
    }
  }

  /// One attempt, and a second one beside it if its instance stalls: the first good answer wins.
  Task<Governed<T>> TryOnce(Lease lease) {
    const std::stop_token parent = co_await CurrentStop();
    Flight flight(*this, std::move(lease), executor_.Now());
    primary_ = &flight;
    std::optional<std::stop_callback<StopAll>> relay;
    if (parent.stop_possible()) relay.emplace(parent, StopAll{*this});

    std::exception_ptr thrown;
    Result<T> result = Fail(Code::kInternal, "the attempt did not end");
    try {
      result =
          co_await WithStop(flight.stop.get_token(), sender_.Send(flight.lease, flight.attempt()));
    } catch (...) {
      thrown = std::current_exception();
    }
    flight.End(executor_.Now());
    primary_ = nullptr;
    if (!thrown) TimedOut(flight, result);

    if (race_) {
      const bool good = !thrown && !race_->won && !sender_.Failure(result);
      if (good) race_->flight.stop.request_stop();
      co_await WithStop(std::stop_token(), Await(race_->done));
      if (good || thrown) {
        race_->flight.lease.Settle(Outcome::kIgnored, executor_.Now());
      } else {
        // The stalled one lost: neutral when the other won, a failure when it failed by itself.
        flight.lease.Settle(race_->won ? Outcome::kIgnored : Outcome::kFailure, executor_.Now());
        flight.lease = std::move(race_->flight.lease);
        result = std::move(*race_->result);
      }
      race_.reset();
    }
    if (thrown) {
      flight.lease.Settle(Outcome::kFailure, executor_.Now());
      std::rethrow_exception(thrown);
    }
    Governed<T> ended(std::move(result), attempts_);
    ended.lease = std::move(flight.lease);
    co_return ended;
  }

  static Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

  void RaceIfStalled(TimePoint now) {
    if (race_ || !spec_.idempotent || !sender_.raceable() || !primary_->lease.Stalled()) return;
    auto token = policies_.budget.Withdraw(policy::ExtraCall::kRace, now);
    if (!token) return;
    auto other = targets_.PickOther(tried_, now, policies_.random);
    if (!other) return;
    token->Sent();
    race_.emplace(*this, std::move(*other), now);
    Event event;
    event.at = now;
    event.kind = EventKind::kRaced;
    event.reason = Reason::kStalled;
    event.policy = "stall";
    Tell(event, primary_->lease.instance());
    Spawn(RunRace(), race_->flight.stop.get_token());
  }

  Task<void> RunRace() {
    Result<T> result = Fail(Code::kInternal, "the attempt did not end");
    try {
      result = co_await sender_.Send(race_->flight.lease, race_->flight.attempt());
    } catch (...) {
      // Nobody waits for this one alone: its exception counts as a failure.
      result = Fail(Code::kInternal, "an exception ended the attempt");
    }
    race_->flight.End(executor_.Now());
    TimedOut(race_->flight, result);
    if (primary_ != nullptr && !sender_.Failure(result)) {
      race_->won = true;
      primary_->stop.request_stop();
    }
    race_->result.emplace(std::move(result));
    race_->done.Fire();
  }

  /// An attempt that was cut short at its time says so.
  void TimedOut(const Flight& flight, Result<T>& result) const {
    if (!flight.timed_out || result) return;
    const Executed executed = result.error().executed;
    const Reason reason =
        flight.until >= spec_.deadline ? Reason::kDeadline : Reason::kUpstreamTimeout;
    result = Fail(reason, executed);
  }

  static Outcome OutcomeOf(const std::optional<policy::FailedAttempt>& failure) {
    if (!failure) return Outcome::kSuccess;
    const bool neutral = IsCallersFault(failure->reason) ||
                         failure->reason == Reason::kConcurrency ||
                         failure->failed == policy::Failed::kInstance;
    return neutral ? Outcome::kIgnored : Outcome::kFailure;
  }

  /// When an attempt that starts now has had its time.
  TimePoint Until(TimePoint now, std::uint32_t number) const {
    const Duration per_try = PerTry(policies_, spec_, number);
    return std::min(spec_.deadline, SaturatingAdd(now, per_try));
  }

  Governed<T> Refuse(const Rejection& rejection, std::string_view policy) {
    Event event;
    event.at = executor_.Now();
    event.kind = EventKind::kRefused;
    event.reason = rejection.reason;
    event.policy = policy;
    event.observed = rejection.observed;
    event.threshold = rejection.threshold;
    event.span = rejection.retry_after;
    Tell(event, {});
    Error error(rejection.reason, Executed::kNo);
    error.retry_after = rejection.retry_after;
    return Governed<T>(std::unexpected(std::move(error)), attempts_);
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
  Tried tried_;
  std::uint32_t attempts_ = 0;
  Flight* primary_ = nullptr;
  std::optional<Race> race_;
};

}  // namespace hale::guard
