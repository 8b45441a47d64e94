#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>

#include "hale/base/wait.h"
#include "hale/guard/call_state.h"
#include "hale/guard/enter.h"
#include "hale/guard/governed.h"
#include "hale/guard/race.h"
#include "hale/guard/time_left.h"

namespace hale::guard {

/// One call on its way through the pipeline from admission on: bulkhead, retry and its budget,
/// race, pick, per-try timeout, send (design: the order is fixed). The rules are in policy/; this
/// only takes their steps, waits between them, and tells `spec.trail` what was decided. The steps
/// are plain functions and the waits a coroutine, so that a call that blocks and need not wait has
/// no coroutine at all. For one call; what it refers to outlives it. Loop-bound.
template <class T>
class GovernedCall {
 public:
  GovernedCall(Executor& executor, const CallPolicies& policies, const CallSpec& spec,
               Targets& targets, Sender<T>& sender)
      : call_{executor, policies, spec, targets, sender}, time_(policies, spec) {
    call_.attempts = spec.attempts_before;
  }

  /// Whether it has ended since no time is left for it, for who decides something else before it
  /// runs.
  bool EndsLate(TimePoint now) {
    const auto late = time_.TooLate(now);
    if (late) next_ = Refuse(*late, "deadline");
    return late.has_value();
  }

  /// Takes the steps that come next, at `now`, up to the first that waits: whether it has ended.
  bool Advance(TimePoint now) {
    now_ = now;
    if (next_ == Next::kEnter) next_ = Enter();
    if (next_ == Next::kPick) next_ = Pick();
    if (next_ == Next::kSend && call_.sender.blocks()) next_ = SendBlocking();
    return next_ == Next::kEnded;
  }

  /// Goes on to the end. A caller that stops has kClientAbort, and nothing is left behind.
  Task<Governed<T>> Run() { return Run(call_.executor.Now()); }
  /// The same by who has just read the clock.
  Task<Governed<T>> Run(TimePoint now) {
    call_.caller = co_await CurrentStop();
    while (!Advance(now)) {
      if (next_ == Next::kQueue) {
        const policy::Admission call = AdmissionOf(call_.spec, now_);
        auto place = co_await EnterQueue(call_.policies.bulkhead, call_.executor, call);
        next_ = Entered(std::move(place));
      } else if (next_ == Next::kRoom) {
        const policy::Admission call = AdmissionOf(call_.spec, now_);
        const FullHouse house{call_.policies.bulkhead, call_.executor, call_.targets, place_, call};
        const auto patience =
            call_.policies.bulkhead.PatienceFrom(now_, Remaining(call_.spec, now_), leaves_);
        auto lease = co_await PickWhenFree(house, patience, call_.WantedAt(now_));
        now_ = call_.executor.Now();
        until_ = call_.Until(now_, call_.attempts + 1);
        next_ = Picked(std::move(lease));
      } else if (next_ == Next::kSend) {
        RacedAttempt<T> attempt(call_);
        result_.emplace(co_await attempt.Run(*lease_, now_));
        now_ = attempt.ended();
        next_ = Conclude(call_.sender.Failure(*result_));
      } else {
        lease_.reset();
        co_await call_.sender.Discard(std::move(*result_));
        const bool slept = co_await Sleep(call_.executor, delay_);
        now_ = call_.executor.Now();
        next_ = slept ? Next::kPick : Abort();
      }
      now = now_;
    }
    co_return Take();
  }

  /// What it came to, once it has ended.
  Result<T>& result() { return *result_; }

 private:
  /// The step that comes next. kQueue, kRoom and kRetry wait, and so does kSend unless it blocks.
  enum class Next : std::uint8_t { kEnter, kQueue, kPick, kRoom, kSend, kRetry, kEnded };

  Governed<T> Take() {
    Governed<T> ended(std::move(*result_), call_.attempts);
    result_.reset();
    ended.place = std::move(place_);
    if (lease_) ended.lease = std::move(*lease_);
    ended.took = took_;
    ended.final_for_caller = final_for_caller_;
    return ended;
  }

  Next Enter() {
    if (EndsLate(now_)) return Next::kEnded;
    const auto asked = AskThrottle(call_.policies, call_.spec, now_);
    if (!asked) return Refuse(asked.error(), "throttle");
    call_.spec.after ? call_.tried.Add(*call_.spec.after) : call_.policies.budget.OnRequest(now_);
    auto place = call_.policies.bulkhead.TryEnter(now_, call_.spec.partition, &call_.spec.trail);
    if (!place) return Next::kQueue;
    place_ = std::move(*place);
    began_ = now_;
    return Next::kPick;
  }

  Next Entered(std::expected<policy::Bulkhead::Permit, Rejection>&& place) {
    if (!place) return Refuse(place.error(), "bulkhead");
    place_ = std::move(*place);
    began_ = now_ = call_.executor.Now();
    return EndsLate(now_) ? Next::kEnded : Next::kPick;
  }

  Next Pick() {
    if (call_.caller.stop_requested()) return Abort();
    if (now_ >= call_.spec.deadline) return Refuse(PastDeadline(call_.spec, now_), "deadline");
    leaves_ = call_.policies.bulkhead.leaves();
    until_ = call_.Until(now_, call_.attempts + 1);
    auto lease = call_.targets.Pick(call_.WantedUntil(until_, now_));
    if (!lease && lease.error().reason == Reason::kConcurrency) return Next::kRoom;
    return Picked(std::move(lease));
  }

  Next Picked(std::expected<Lease, Rejection>&& lease) {
    token_.Sent();
    if (!lease) return Refuse(lease.error(), "pick");
    lease_.emplace(std::move(*lease));
    return Next::kSend;
  }

  /// The attempt of a sender that blocks: nobody can stop it or join it.
  Next SendBlocking() {
    const TimePoint sent = now_;
    call_.tried.Add(*lease_->target());
    const Attempt attempt(++call_.attempts, until_, call_.executor.clock(), {},
                          call_.spec.priority);
    try {
      result_.emplace(call_.sender.SendBlocking(*lease_, attempt));
    } catch (...) {
      lease_->Settle(Outcome::kFailure, call_.executor.Now());
      throw;
    }
    now_ = call_.executor.Now();
    const auto failure = call_.sender.Failure(*result_);
    Learn(call_.policies, {.latency = now_ - sent, .answered = !failure});
    Observe(call_.policies, call_.spec, {call_.sender.ReceptionOf(*result_, failure), sent}, now_);
    return Conclude(failure);
  }

  Next Conclude(const std::optional<policy::FailedAttempt>& failure) {
    const Outcome outcome = OutcomeOf(failure);
    lease_->Settle(outcome, now_);
    took_ = outcome != Outcome::kIgnored ? now_ - began_ : Duration::zero();
    if (!failure) return End();
    return AfterFailure(*failure);
  }

  Next AfterFailure(policy::FailedAttempt failure) {
    call_.executed = std::max(call_.executed, failure.executed);
    failure.attempt = call_.attempts;
    failure.replayable = failure.replayable && call_.sender.replayable();
    AddFacts(failure, call_.spec, now_ - began_, now_);
    LeaveRoom(failure, call_.policies, now_);
    failure.at_once = FollowsAtOnce(call_.policies, call_.targets, failure, call_.spec, now_);
    policy::RetryPlan plan = policy::PlanRetry(call_.policies.retry, failure, call_.policies.budget,
                                               now_, call_.policies.random);
    call_.Tell(policy::ToEvent(plan.decision, now_), lease_->instance());
    if (plan.decision.verdict != policy::RetryDecision::Verdict::kRetry) {
      final_for_caller_ = plan.decision.final_for_caller;
      if (!*result_) result_->error().executed = call_.executed;
      return End();
    }
    token_ = std::move(plan.token);
    delay_ = plan.decision.delay;
    return Next::kRetry;
  }

  Next End() {
    call_.policies.bulkhead.Served(took_);
    return Next::kEnded;
  }
  Next Abort() {
    place_.Release();
    took_ = Duration::zero();
    result_.emplace(Fail(Reason::kClientAbort, call_.executed));
    return Next::kEnded;
  }
  Next Refuse(const Rejection& rejection, std::string_view policy) {
    call_.Tell(RefusedBy(policy, rejection, call_.executor.Now()), {});
    place_.Release();
    took_ = Duration::zero();
    final_for_caller_ = IsFinalForCaller(rejection, call_.attempts);
    result_.emplace(std::unexpected(RefusedError(rejection, call_.executed)));
    return Next::kEnded;
  }

  CallState<T> call_;
  TimeLeft time_;
  Next next_ = Next::kEnter;
  bool final_for_caller_ = false;
  TimePoint now_{};
  TimePoint began_{};  // its first attempt
  policy::Bulkhead::Permit place_;
  std::optional<Lease> lease_;  // goes before the place, see Governed
  std::optional<Result<T>> result_;
  Duration took_{0};
  // Of the next attempt.
  policy::RetryBudget::Token token_;
  Duration delay_{0};
  TimePoint until_{};
  std::uint32_t leaves_ = 0;  // of the bulkhead, before it was picked for
};

}  // namespace hale::guard
