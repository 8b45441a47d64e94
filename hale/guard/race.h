#pragma once

#include <algorithm>
#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

#include "hale/base/wait.h"
#include "hale/guard/attempt.h"
#include "hale/guard/call_state.h"
#include "hale/guard/hedging.h"

namespace hale::guard {

/// One attempt of a call, and a second one beside it if its instance stalls or if it takes longer
/// than most calls do: the first good answer wins, the other attempt is stopped and neutral. For
/// one attempt. Loop-bound.
template <class T>
class RacedAttempt {
 public:
  explicit RacedAttempt(CallState<T>& call) : call_(call) {}
  RacedAttempt(const RacedAttempt&) = delete;
  RacedAttempt& operator=(const RacedAttempt&) = delete;

  /// To its end. `lease`, which outlives it: of the instance that it is sent to, then of the one
  /// that answered.
  Task<Result<T>> Run(Lease& lease, TimePoint now) {
    Flight flight(*this, std::move(lease), now);
    first_ = &flight;
    if (flight.number == 1)
      hedge_at_ = SaturatingAdd(now, HedgeDelay(call_.policies, call_.spec, now));
    flight.Watch(now);
    std::optional<std::stop_callback<StopAll>> relay;
    if (call_.caller.stop_possible()) relay.emplace(call_.caller, StopAll{*this});

    std::exception_ptr thrown;
    std::optional<Result<T>> result;
    try {
      result.emplace(co_await WithStop(flight.stop.get_token(),
                                       call_.sender.Send(flight.lease, flight.attempt())));
    } catch (...) {
      thrown = std::current_exception();
    }
    first_ = nullptr;
    flight.Unwatch();
    // What it throws when it has lost is nobody's any more.
    if (!result && second_ && second_->won) result.emplace(Fail(Code::kCancelled, "it lost"));
    if (result) Explain(flight, *result);
    ended_ = call_.executor.Now();
    if (result) Note(flight, *result, second_ && second_->won, ended_);
    if (second_) {
      co_await EndRace(flight, result);
      ended_ = call_.executor.Now();
    }
    if (!result) {
      flight.lease.Settle(Outcome::kFailure, ended_);
      std::rethrow_exception(thrown);
    }
    const bool alone = call_.attempts == flight.number;
    const auto reception = call_.sender.ReceptionOf(*result, call_.sender.Failure(*result));
    Observe(call_.policies, call_.spec, {reception, flight.began, alone}, ended_);
    lease = std::move(flight.lease);
    co_return std::move(*result);
  }

  /// When it did.
  TimePoint ended() const { return ended_; }

 private:
  /// An attempt under way, and the timer that watches it.
  struct Flight {
    Flight(RacedAttempt& r, Lease l, TimePoint now)
        : race(r),
          lease(std::move(l)),
          began(now),
          number(++r.call_.attempts),
          until(r.call_.Until(now, number)),
          stop(r.call_.sender.stoppable() ? std::stop_source()
                                          : std::stop_source(std::nostopstate)) {
      r.call_.tried.Add(*lease.target());
    }
    ~Flight() { Unwatch(); }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;

    Attempt attempt() {
      const CallState<T>& call = race.call_;
      return {number, until, call.executor.clock(), stop.get_token(), call.spec.priority};
    }
    /// Wakes at the attempt's end and, where it would be acted on, to look for a stall and when it
    /// has become slow.
    void Watch(TimePoint now) {
      if (!stop.stop_possible()) return;
      const TimePoint next = std::min(until, race.first_ == this ? race.NextLook(now) : kNever);
      if (next == kNever) return;
      timer = race.call_.executor.At(next, [this] { Tick(race.call_.executor.Now()); });
    }
    void Unwatch() { race.call_.executor.Cancel(std::exchange(timer, Executor::Timer::kNone)); }
    void Tick(TimePoint now) {
      timer = Executor::Timer::kNone;
      if (now >= until) {
        timed_out = true;
        stop.request_stop();
        return;
      }
      race.Look(now);
      Watch(now);
    }

    RacedAttempt& race;
    Lease lease;
    TimePoint began;
    std::uint32_t number;
    TimePoint until;
    std::stop_source stop;
    Executor::Timer timer = Executor::Timer::kNone;
    bool timed_out = false;
  };

  /// The second attempt.
  struct Second {
    Second(RacedAttempt& race, Lease lease, TimePoint now)
        : flight(race, std::move(lease), now), done(race.call_.executor) {}
    Flight flight;
    Trigger done;
    std::optional<Result<T>> result;
    bool hedge = false;  ///< for slowness
    bool won = false;    ///< and the first was stopped for it
  };

  struct StopAll {
    RacedAttempt& race;
    void operator()() const {
      if (race.first_ != nullptr) race.first_->stop.request_stop();
      if (race.second_) race.second_->flight.stop.request_stop();
    }
  };

  static constexpr Duration kLook = std::chrono::milliseconds(50);  // for a stall, while waiting

  TimePoint NextLook(TimePoint now) const {
    if (!call_.spec.idempotent || second_ || !call_.sender.may_race()) return kNever;
    return std::min(hedge_at_, SaturatingAdd(now, kLook));
  }

  void Look(TimePoint now) {
    if (first_ == nullptr || second_) return;
    // Asked once, since who is slow for long shall not wait for tokens.
    const bool slow = now >= hedge_at_;
    if (slow) hedge_at_ = kNever;
    if (!call_.sender.raceable()) return;
    if (first_->lease.Stalled()) {
      Join(policy::ExtraCall::kRace, RacedBy("stall", Reason::kStalled, now), now);
    } else if (slow) {
      HedgeSlow(now);
    }
  }

  /// The first has been alone for its time: a second one joins it unless somebody protects itself.
  void HedgeSlow(TimePoint now) {
    policy::Hedge& hedge = *call_.policies.hedge;
    const Duration waited = now - first_->began;
    Reason why = WhoProtectsItself(call_.policies, call_.targets, now);
    if (why == Reason::kNone && hedge.mode() == policy::Mode::kEnforce) {
      why = Join(policy::ExtraCall::kHedge, HedgeEvent(hedge, why, waited, now), now);
      if (second_) return hedge.OnSent();
    }
    call_.Tell(HedgeEvent(hedge, why, waited, now), first_->lease.instance());
  }

  /// Sends a second attempt out of the budget, if another target takes it; else says why not.
  Reason Join(policy::ExtraCall kind, const Event& event, TimePoint now) {
    auto token = call_.policies.budget.Withdraw(kind, now);
    if (!token) return token.error().reason;
    auto other = call_.targets.PickOther(call_.WantedAt(now));
    if (!other) return other.error().reason;
    token->Sent();
    call_.Tell(event, first_->lease.instance());
    second_.emplace(*this, std::move(*other), now);
    second_->hedge = kind == policy::ExtraCall::kHedge;
    second_->flight.Watch(now);
    Spawn(RunSecond(), second_->flight.stop.get_token());
    return Reason::kNone;
  }

  Task<void> RunSecond() {
    Second& second = *second_;
    std::optional<Result<T>> result;
    try {
      result.emplace(co_await call_.sender.Send(second.flight.lease, second.flight.attempt()));
    } catch (...) {
      // Nobody waits for this one alone: its exception counts as a failure.
      result.emplace(Fail(Code::kInternal, "an exception ended the attempt"));
    }
    second.flight.Unwatch();
    Explain(second.flight, *result);
    Note(second.flight, *result, first_ == nullptr && second.flight.stop.stop_requested(),
         call_.executor.Now());
    if (first_ != nullptr && !call_.sender.Failure(*result)) {
      second.won = true;
      first_->stop.request_stop();
    }
    second.result.emplace(std::move(*result));
    second.done.Fire();
  }

  /// The second attempt has ended, or is stopped since the first has its end. When it alone is good
  /// it takes the place of the first; when both have failed the first one's failure counts.
  Task<void> EndRace(Flight& flight, std::optional<Result<T>>& result) {
    Second& second = *second_;
    const bool over = !result || !call_.sender.Failure(*result);
    const bool cut = over && !second.result;
    if (cut) second.flight.stop.request_stop();
    co_await WithStop(std::stop_token(), Await(second.done));
    const TimePoint now = call_.executor.Now();
    const auto failure = call_.sender.Failure(*second.result);
    if (failure || over) {
      const bool neutral = cut || !failure;
      second.flight.lease.Settle(neutral ? Outcome::kIgnored : OutcomeOf(failure), now);
      if (failure) call_.executed = std::max(call_.executed, failure->executed);
    } else {
      const auto lost = call_.sender.Failure(*result);
      flight.lease.Settle(second.won ? Outcome::kIgnored : OutcomeOf(lost), now);
      flight.lease = std::move(second.flight.lease);
      result.emplace(std::move(*second.result));
      if (second.hedge) call_.policies.hedge->OnWon();
    }
    second_.reset();
  }

  static Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

  /// How long an attempt took is known when it was answered, had all of its time, or lost.
  void Note(const Flight& flight, const Result<T>& result, bool lost, TimePoint now) const {
    const bool answered = !call_.sender.Failure(result);
    const bool superseded = lost && !flight.timed_out && !call_.caller.stop_requested();
    Learn(call_.policies, {now - flight.began, answered, flight.timed_out, superseded});
  }

  /// An attempt that was cut short says by what, and what it may have done.
  void Explain(const Flight& flight, Result<T>& result) const {
    if (result) return;
    const Executed executed = result.error().executed;
    if (call_.caller.stop_requested()) {
      result = Fail(Reason::kClientAbort, executed);
    } else if (flight.timed_out) {
      const bool all = flight.until >= call_.spec.deadline;
      result = Fail(all ? Reason::kDeadline : Reason::kUpstreamTimeout, executed);
    }
  }

  CallState<T>& call_;
  Flight* first_ = nullptr;
  TimePoint ended_{};
  TimePoint hedge_at_ = kNever;  // when the first has been alone for long enough
  std::optional<Second> second_;
};

}  // namespace hale::guard
