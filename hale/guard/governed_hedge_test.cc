#include <gtest/gtest.h>

#include <algorithm>

#include "hale/guard/governed_call.h"
#include "hale/guard/scripted_call.h"

namespace hale::guard {
namespace {

/// A first attempt on `a`, a second one on `b` after about 100 ms, out of a budget that allows it.
class GovernedHedgeTest : public ::testing::Test, protected ScriptedCall {
 protected:
  GovernedHedgeTest() {
    idempotent_ = true;
    per_try_ = 5s;
    retry_.mode = policy::Mode::kOff;
    Hedging({.mode = policy::Mode::kEnforce});
    budget_ =
        std::make_unique<policy::RetryBudget>(policy::RetryBudgetOptions{.ratio = 1, .reserve = 0});
    for (int i = 0; i < 10; ++i) budget_->OnRequest(start_);
    seen_ = hedge_.calls();
  }
  void Hedging(const policy::HedgeOptions& options) {
    hedge_.Apply(options);
    for (int i = 0; i < 100; ++i) hedge_.Record(100ms);
  }
  void TearDown() override { EXPECT_EQ(Remains(), ""); }
  /// Latencies that the call has told of.
  std::uint64_t Seen() const { return hedge_.calls() - seen_; }
  double Spent() { return 11 - budget_->balance(executor_.Now()); }
  /// A call that takes a second, and whether it was hedged.
  bool Hedged() {
    sender_.script = {{.takes = 1s}, {.takes = 1s}};
    Finish();
    return sender_.sent.size() == 2;
  }
  CallPolicies Policies() {
    return {.bulkhead = bulkhead_,
            .retry = retry_,
            .budget = *budget_,
            .random = random_,
            .hedge = &hedge_};
  }
  /// Whether another attempt follows such a failure without a back-off.
  bool IsTriedAtOnce(const policy::FailedAttempt& failure) {
    const CallSpec spec{.idempotent = true, .service = "s", .trail = *this};
    return FollowsAtOnce(Policies(), *targets_, failure, spec, start_);
  }
  bool HasDenied(Reason why) const {
    for (const Told& told : told_) {
      if (told.policy == "hedge" && told.kind == EventKind::kRetryDenied && told.reason == why) {
        return true;
      }
    }
    return false;
  }

  std::uint64_t seen_ = 0;
};

Act Fails(Executed executed, Duration takes) {
  return {.result = Fail(Reason::kUpstreamReset, executed), .takes = takes};
}

TEST_F(GovernedHedgeTest, ASecondJoinsAfterTheDelayAndWins) {
  sender_.script = {{.result = 1, .takes = 1h}, {.result = 2, .takes = 20ms}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 2);
  EXPECT_EQ(ended.instance, "b");
  EXPECT_GE(sender_.sent[1].at - start_, 100ms);
  EXPECT_LE(sender_.sent[1].at - start_, 113ms);
  EXPECT_EQ(sender_.stopped, 1);
  EXPECT_TRUE(HasTold(EventKind::kHedged, Reason::kNone));
  EXPECT_EQ(hedge_.sent(), 1U);
  EXPECT_EQ(hedge_.won(), 1U);
}

TEST_F(GovernedHedgeTest, TheFirstThatLosesIsNeutralAndItsLatencyIsLearned) {
  sender_.script = {{.result = 1, .takes = 1h}, {.result = 2, .takes = 20ms}};
  Finish();
  EXPECT_EQ(TotalsOf(0).ignored, 1U);
  EXPECT_EQ(TotalsOf(1).succeeded, 1U);
  EXPECT_EQ(targets_->targets[0]->load().Latency(executor_.Now()), 0ms);
  EXPECT_EQ(targets_->targets[0]->load().FailureShare(executor_.Now()), 0);
  EXPECT_EQ(Seen(), 2U);
}

TEST_F(GovernedHedgeTest, TheFirstAnswersAndTheSecondIsStoppedNeutralAndLearned) {
  sender_.script = {{.result = 1, .takes = 300ms}, {.result = 2, .takes = 1h}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 1);
  EXPECT_EQ(ended.at - start_, 300ms);
  EXPECT_EQ(sender_.stopped, 1);
  EXPECT_EQ(TotalsOf(0).succeeded, 1U);
  EXPECT_EQ(TotalsOf(1).ignored, 1U);
  EXPECT_EQ(Seen(), 2U);
  EXPECT_EQ(hedge_.won(), 0U);
}

TEST_F(GovernedHedgeTest, WhatAnswersSoonerIsNotHedged) {
  sender_.script = {{.result = 1, .takes = 99ms}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 1U);
  EXPECT_EQ(Spent(), 0);
  EXPECT_EQ(Seen(), 1U);
}

TEST_F(GovernedHedgeTest, ASecondThatFailsDoesNotMaskTheFirst) {
  sender_.script = {{.result = 1, .takes = 1s}, Fails(Executed::kNo, 20ms)};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 1);
  EXPECT_EQ(ended.at - start_, 1s);
  EXPECT_EQ(TotalsOf(1).failed, 1U);
}

TEST_F(GovernedHedgeTest, AFirstThatFailsDoesNotMaskTheSecond) {
  sender_.script = {Fails(Executed::kMaybe, 200ms), {.result = 2, .takes = 1s}};
  EXPECT_EQ(Finish().result.value(), 2);
  EXPECT_EQ(TotalsOf(0).failed, 1U);
}

TEST_F(GovernedHedgeTest, WhenBothFailTheFirstOnesFailureCounts) {
  Act first = {.result = Fail(Reason::kUpstreamProtocol, Executed::kNo), .takes = 1s};
  sender_.script = {first, Fails(Executed::kMaybe, 20ms)};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamProtocol);
  EXPECT_EQ(ended.result.error().executed, Executed::kMaybe);
  EXPECT_EQ(Seen(), 0U);  // a failure says nothing about how long calls take
}

TEST_F(GovernedHedgeTest, WhatATimeLimitCutIsLearned) {
  per_try_ = 80ms;
  sender_.script = {{.takes = 1h}};
  EXPECT_EQ(Finish().result.error().reason, Reason::kUpstreamTimeout);
  EXPECT_EQ(Seen(), 1U);
}

TEST_F(GovernedHedgeTest, WhatTheCallerCutIsNotLearned) {
  sender_.script = {{.takes = 1h}, {.takes = 1h}};
  StopAt(400ms);
  EXPECT_EQ(Finish().result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(sender_.stopped, 2);
  EXPECT_EQ(Seen(), 0U);
}

TEST_F(GovernedHedgeTest, SendsOneSecondAttemptAndNoThird) {
  UseTargets({"a", "b", "c"});
  EXPECT_TRUE(Hedged());
  EXPECT_EQ(Spent(), 1);
}

TEST_F(GovernedHedgeTest, DoesNotHedgeWhatMayNotBeExecutedTwice) {
  idempotent_ = false;
  EXPECT_FALSE(Hedged());
  CallSpec spec{.idempotent = false, .service = "s", .trail = *this};
  EXPECT_EQ(HedgeDelay(Policies(), spec, start_), kForever);
  spec.idempotent = true;
  EXPECT_NE(HedgeDelay(Policies(), spec, start_), kForever);
}

TEST_F(GovernedHedgeTest, DoesNotHedgeWhatCannotBeSentMeanwhile) {
  sender_.can_race = false;
  EXPECT_FALSE(Hedged());
}

TEST_F(GovernedHedgeTest, WithoutABudgetTheFirstGoesOn) {
  budget_ = std::make_unique<policy::RetryBudget>();
  EXPECT_FALSE(Hedged());
  EXPECT_TRUE(Finish().result);
  EXPECT_TRUE(HasDenied(Reason::kBudgetExhausted));
}

TEST_F(GovernedHedgeTest, WithoutABudgetItAsksForItOnce) {
  budget_ = std::make_unique<policy::RetryBudget>();
  EXPECT_FALSE(Hedged());
  EXPECT_EQ(std::ranges::count(told_, EventKind::kRetryDenied, &Told::kind), 1);
}

TEST_F(GovernedHedgeTest, WithoutAnotherTargetItPaysNothing) {
  UseTargets({"a"});
  EXPECT_FALSE(Hedged());
  EXPECT_EQ(Spent(), 0);
  EXPECT_TRUE(HasDenied(Reason::kNoInstance));
}

TEST_F(GovernedHedgeTest, DoesNotHedgeWhileTheTargetsProtectThemselves) {
  targets_->protects = Reason::kCircuitOpen;
  EXPECT_FALSE(Hedged());
  EXPECT_EQ(Spent(), 0);
  EXPECT_TRUE(HasDenied(Reason::kCircuitOpen));
}

TEST_F(GovernedHedgeTest, DoesNotHedgeWhileCallsWaitForAPlace) {
  bulkhead_.Apply({.limit = 1});
  const CallPolicies policies = Policies();
  auto place = bulkhead_.TryEnter(start_);
  class Waits final : public policy::Bulkhead::Waiter {
    void Wake() noexcept override {}
  } waiter;
  ASSERT_TRUE(bulkhead_.Enter(waiter, {}, start_));
  EXPECT_EQ(WhoProtectsItself(policies, *targets_, start_), Reason::kConcurrency);
  EXPECT_TRUE(bulkhead_.Abandon(waiter));
  EXPECT_EQ(WhoProtectsItself(policies, *targets_, start_), Reason::kNone);
}

TEST_F(GovernedHedgeTest, DoesNotHedgeWhileAThrottleHoldsBack) {
  policy::Throttle throttle({.mode = policy::Mode::kEnforce});
  CallPolicies policies = Policies();
  policies.throttle = &throttle;
  EXPECT_EQ(WhoProtectsItself(policies, *targets_, start_), Reason::kNone);
  for (int i = 0; i < 100; ++i) throttle.Count(policy::Reception::kTurnedAway, start_);
  EXPECT_EQ(WhoProtectsItself(policies, *targets_, start_), Reason::kThrottled);
  throttle.Apply({.mode = policy::Mode::kShadow});  // it holds nobody back
  EXPECT_EQ(WhoProtectsItself(policies, *targets_, start_), Reason::kNone);
}

TEST_F(GovernedHedgeTest, InShadowItSaysSoAndSendsNothing) {
  Hedging({.mode = policy::Mode::kShadow});
  EXPECT_FALSE(Hedged());
  EXPECT_EQ(Spent(), 0);
  EXPECT_TRUE(HasTold(EventKind::kWouldRefuse, Reason::kNone));
}

TEST_F(GovernedHedgeTest, InShadowItSaysWhoWouldHaveKeptItFromThat) {
  Hedging({.mode = policy::Mode::kShadow});
  const Event event = HedgeEvent(hedge_, Reason::kThrottled, 100ms, start_);
  EXPECT_EQ(event.kind, EventKind::kRetryDenied);
}

TEST_F(GovernedHedgeTest, TellsHowLongTheFirstWasAlone) {
  const Event event = HedgeEvent(hedge_, Reason::kNone, 100ms, start_);
  EXPECT_EQ(event.kind, EventKind::kHedged);
  EXPECT_EQ(event.span, 100ms);
  EXPECT_TRUE(event.detail.empty());
}

TEST_F(GovernedHedgeTest, ARetryIsNotHedged) {
  UseTargets({"a", "b", "c"});
  retry_ = {.attempts = 2, .backoff_base = 1ms, .backoff_max = 1ms};
  sender_.script = {Fails(Executed::kNo, 10ms), {.takes = 1s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 2U);
  EXPECT_EQ(hedge_.sent(), 0U);
}

TEST_F(GovernedHedgeTest, AFailureBeforeTheDelayIsTheRetrysAffair) {
  retry_ = {.attempts = 2, .backoff_base = 1h, .backoff_max = 1h};
  deadline_ = 24h;
  sender_.script = {Fails(Executed::kNo, 10ms)};
  EXPECT_GT(Finish().at - start_, 1s);
}

TEST_F(GovernedHedgeTest, AFailureBeforeTheDelayIsTriedAgainAtOnceWhenToldTo) {
  Hedging({.mode = policy::Mode::kEnforce, .early_failure = policy::EarlyFailure::kAtOnce});
  retry_ = {.attempts = 2, .backoff_base = 1h, .backoff_max = 1h};
  deadline_ = 24h;
  sender_.script = {Fails(Executed::kNo, 10ms)};
  EXPECT_EQ(Finish().at - start_, 10ms);
}

TEST_F(GovernedHedgeTest, WhatIsTriedAtOnceNeedsNoTimeForABackOff) {
  Hedging({.mode = policy::Mode::kEnforce, .early_failure = policy::EarlyFailure::kAtOnce});
  retry_ = {.attempts = 2, .backoff_base = 1h, .backoff_max = 1h};
  deadline_ = 100ms;
  sender_.script = {Fails(Executed::kNo, 10ms)};
  EXPECT_TRUE(Finish().result);
  EXPECT_EQ(sender_.sent.size(), 2U);
}

TEST_F(GovernedHedgeTest, WhatIsNotHedgedIsNotTriedAtOnceEither) {
  Hedging({.mode = policy::Mode::kEnforce, .early_failure = policy::EarlyFailure::kAtOnce});
  idempotent_ = false;
  retry_ = {.attempts = 2, .backoff_base = 1h, .backoff_max = 1h};
  deadline_ = 24h;
  sender_.script = {Fails(Executed::kNo, 10ms)};
  EXPECT_GT(Finish().at - start_, 1s);
}

TEST_F(GovernedHedgeTest, NothingIsTriedAtOnceWhileTheTargetsProtectThemselves) {
  Hedging({.mode = policy::Mode::kEnforce, .early_failure = policy::EarlyFailure::kAtOnce});
  retry_ = {.attempts = 2, .backoff_base = 1h, .backoff_max = 1h};
  deadline_ = 24h;
  targets_->protects = Reason::kPanic;
  sender_.script = {Fails(Executed::kNo, 10ms)};
  EXPECT_GT(Finish().at - start_, 1s);
}

TEST_F(GovernedHedgeTest, OnlyAFirstFailureBeforeTheDelayIsTriedAtOnce) {
  Hedging({.mode = policy::Mode::kEnforce, .early_failure = policy::EarlyFailure::kAtOnce});
  const Duration delay = hedge_.Delay(start_);
  EXPECT_TRUE(IsTriedAtOnce({.elapsed = delay - 1ns}));
  EXPECT_FALSE(IsTriedAtOnce({.elapsed = delay}));
  EXPECT_FALSE(IsTriedAtOnce({.attempt = 2}));
}

TEST_F(GovernedHedgeTest, WhatIsToldToWaitIsNotTriedAtOnce) {
  Hedging({.mode = policy::Mode::kEnforce, .early_failure = policy::EarlyFailure::kAtOnce});
  EXPECT_FALSE(IsTriedAtOnce({.retry_after = 1ms}));
}

TEST_F(GovernedHedgeTest, NothingIsTriedAtOnceInShadow) {
  Hedging({.mode = policy::Mode::kShadow, .early_failure = policy::EarlyFailure::kAtOnce});
  EXPECT_FALSE(IsTriedAtOnce({}));
}

TEST_F(GovernedHedgeTest, AStallIsActedOnBeforeTheDelay) {
  for (int i = 0; i < 5000; ++i) hedge_.Record(500ms);
  At(20ms, [this] {
    policy::Pulse& pulse = targets_->targets[0]->pulse();
    pulse.MarkStalled(pulse.Read());
  });
  EXPECT_TRUE(Hedged());
  EXPECT_TRUE(HasTold(EventKind::kRaced, Reason::kStalled));
  EXPECT_EQ(hedge_.sent(), 0U);
}

class GovernedDeadlineTest : public ::testing::Test, protected ScriptedCall {
 protected:
  GovernedDeadlineTest() { Gate(policy::Mode::kEnforce); }
  void Gate(policy::Mode mode) {
    gate_.Apply({.mode = mode, .most_refused = 1});
    for (int i = 0; i < 1000; ++i) gate_.Record(100ms);
  }
  void TearDown() override { EXPECT_EQ(Remains(), ""); }
};

TEST_F(GovernedDeadlineTest, RefusesAtOnceWhatCannotBeInTime) {
  deadline_ = 50ms;
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kDeadline);
  EXPECT_EQ(ended.result.error().executed, Executed::kNo);
  EXPECT_EQ(ended.at, start_);
  EXPECT_TRUE(sender_.sent.empty());
  EXPECT_TRUE(HasTold(EventKind::kRefused, Reason::kDeadline));
}

TEST_F(GovernedDeadlineTest, InShadowItSaysSoAndSends) {
  Gate(policy::Mode::kShadow);
  deadline_ = 50ms;
  EXPECT_TRUE(Finish().result);
  EXPECT_TRUE(HasTold(EventKind::kWouldRefuse, Reason::kDeadline));
}

TEST_F(GovernedDeadlineTest, ARetryLeavesItselfTheTimeThatAnAttemptNeeds) {
  retry_ = {.attempts = 2, .backoff_base = 1ms, .backoff_max = 1ms};
  deadline_ = 200ms;
  sender_.script = {Fails(Executed::kNo, 120ms)};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamReset);  // the last real error
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(GovernedDeadlineTest, InShadowARetryTakesTheTimeThatThereIs) {
  Gate(policy::Mode::kShadow);
  retry_ = {.attempts = 2, .backoff_base = 1ms, .backoff_max = 1ms};
  deadline_ = 200ms;
  sender_.script = {Fails(Executed::kNo, 120ms)};
  EXPECT_TRUE(Finish().result);
  EXPECT_EQ(sender_.sent.size(), 2U);
}

TEST_F(GovernedDeadlineTest, LearnsFromAnswersOnly) {
  const std::uint64_t before = gate_.calls();
  retry_ = {.attempts = 2, .backoff_base = 1ms, .backoff_max = 1ms};
  sender_.script = {Fails(Executed::kNo, 10ms), {.takes = 10ms}};
  Finish();
  EXPECT_EQ(gate_.calls() - before, 1U);
}

TEST_F(GovernedDeadlineTest, WhatHasWaitedTooLongForAPlaceIsNotSent) {
  bulkhead_.Apply({.limit = 1, .max_wait = 10s});
  deadline_ = 200ms;
  auto place = bulkhead_.TryEnter(start_);
  At(99'900us, [&] { place->Release(); });  // half of it: nothing waits longer
  EXPECT_EQ(Finish().result.error().reason, Reason::kDeadline);
  EXPECT_TRUE(sender_.sent.empty());
}

TEST_F(GovernedDeadlineTest, WhatWaitedIsOneCallOfTheShareThatMayBeRefused) {
  gate_.Apply({.mode = policy::Mode::kEnforce, .most_refused = 0.5});  // one of two
  bulkhead_.Apply({.limit = 1, .max_wait = 10s});
  deadline_ = 200ms;
  auto place = bulkhead_.TryEnter(start_);
  At(99'900us, [&] { place->Release(); });
  EXPECT_TRUE(Finish().result);
}

TEST_F(GovernedDeadlineTest, InShadowItIsSaidOnceOfWhatWaits) {
  Gate(policy::Mode::kShadow);
  bulkhead_.Apply({.limit = 1, .max_wait = 10s});
  deadline_ = 50ms;
  EXPECT_FALSE(gate_.Check(1h, start_));  // another call: the share would allow a second refusal
  auto place = bulkhead_.TryEnter(start_);
  At(20ms, [&] { place->Release(); });
  EXPECT_TRUE(Finish().result);
  EXPECT_EQ(std::ranges::count(told_, EventKind::kWouldRefuse, &Told::kind), 1);
}

}  // namespace
}  // namespace hale::guard
