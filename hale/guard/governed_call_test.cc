#include "hale/guard/governed_call.h"

#include <gtest/gtest.h>

#include <array>

#include "hale/guard/scripted_call.h"

namespace hale::guard {
namespace {

class GovernedCallTest : public ::testing::Test, protected ScriptedCall {
 protected:
  void TearDown() override { EXPECT_EQ(Remains(), ""); }
};

Act Fails(Reason reason, Executed executed, Duration takes = Duration::zero()) {
  return {.result = Fail(reason, executed), .takes = takes};
}
Act Refused() { return Fails(Reason::kUpstreamConnect, Executed::kNo); }
Act Reset() { return Fails(Reason::kUpstreamReset, Executed::kMaybe); }

TEST_F(GovernedCallTest, GivesTheAnswerOfItsOneAttempt) {
  sender_.script = {{.result = 7, .takes = 30ms}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 7);
  EXPECT_EQ(ended.attempts, 1U);
  EXPECT_EQ(ended.instance, "a");
  EXPECT_EQ(TotalsOf(0).succeeded, 1U);
  EXPECT_TRUE(told_.empty());
}

TEST_F(GovernedCallTest, TriesAnotherTargetAfterAFailure) {
  sender_.script = {Refused(), {.result = 2}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 2);
  EXPECT_EQ(ended.attempts, 2U);
  EXPECT_EQ(ended.instance, "b");
  EXPECT_EQ(TotalsOf(0).failed, 1U);
  EXPECT_TRUE(HasTold(EventKind::kRetried, Reason::kUpstreamConnect));
}

TEST_F(GovernedCallTest, GoesElsewhereThanWhereTheCallBeforeItBroke) {
  after_ = 0;
  sender_.script = {{.result = 2}};
  EXPECT_EQ(Finish().instance, "b");
}

TEST_F(GovernedCallTest, TheAttemptsOfTheCallBeforeItCountAsItsOwn) {
  after_ = 0;
  retry_.attempts = 2;
  attempts_before_ = 1;
  sender_.script = {Refused(), {.result = 2}};
  const Ended& ended = Finish();
  EXPECT_FALSE(ended.result);
  EXPECT_EQ(ended.attempts, 2U);
  EXPECT_TRUE(ended.final_for_caller);
}

TEST_F(GovernedCallTest, AnExtraCallDepositsNothing) {
  after_ = 0;
  sender_.script = {{.result = 2}};
  const double before = budget_->balance(executor_.Now());
  Finish();
  EXPECT_EQ(budget_->balance(executor_.Now()), before);
}

TEST_F(GovernedCallTest, ReturnsToATriedTargetWhenThereIsNoOther) {
  UseTargets({"only"});
  sender_.script = {Refused(), {.result = 2}};
  EXPECT_EQ(Finish().result.value(), 2);
  EXPECT_EQ(sender_.sent.at(1).instance, "only");
}

TEST_F(GovernedCallTest, SaysWhichAttemptItIs) {
  sender_.script = {Refused()};
  Finish();
  EXPECT_EQ(sender_.sent.at(0).number, 1U);
  EXPECT_EQ(sender_.sent.at(1).number, 2U);
}

TEST_F(GovernedCallTest, GivesUpAfterItsAttempts) {
  sender_.script = {Refused(), Refused(), Refused()};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamConnect);
  EXPECT_EQ(sender_.sent.size(), 2U);
  EXPECT_TRUE(HasTold(EventKind::kRetryDenied, Reason::kAttemptsExhausted));
}

TEST_F(GovernedCallTest, CutsAnAttemptAtItsTimeAndTriesAgain) {
  idempotent_ = true;
  per_try_ = 100ms;
  sender_.script = {{.takes = 1h}, {.result = 2}};
  EXPECT_EQ(Finish().result.value(), 2);
  EXPECT_EQ(sender_.stopped, 1);
  const Duration between = sender_.sent.at(1).at - sender_.sent.at(0).at;
  EXPECT_GE(between, 100ms);
  EXPECT_LE(between, 125ms);  // and the back-off after one failure
}

TEST_F(GovernedCallTest, SaysThatTheInstanceDidNotAnswerInTime) {
  per_try_ = 100ms;
  sender_.script = {{.takes = 1h}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamTimeout);
  EXPECT_EQ(ended.result.error().executed, Executed::kMaybe);
  EXPECT_EQ(ended.at - start_, 100ms);
  EXPECT_EQ(TotalsOf(0).failed, 1U);
}

TEST_F(GovernedCallTest, GivesEachAttemptItsShareAndTheLastOneWhatIsLeft) {
  idempotent_ = true;
  deadline_ = 9s;
  retry_.backoff_base = retry_.backoff_max = 1ns;
  sender_.script = {{.takes = 1h}, {.takes = 1h}, {.takes = 1h}};
  const Ended& ended = Finish();
  EXPECT_EQ(sender_.sent.at(0).until - start_, 3s);
  EXPECT_EQ(sender_.sent.at(2).until - start_, 9s);
  EXPECT_EQ(ended.result.error().reason, Reason::kDeadline);
}

TEST_F(GovernedCallTest, EndsAtItsDeadline) {
  deadline_ = 2s;
  sender_.script = {{.takes = 1h}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kDeadline);
  EXPECT_EQ(ended.at - start_, 2s);
}

TEST_F(GovernedCallTest, RefusesWhenItsDeadlineHasPassed) {
  deadline_ = 0s;
  const double balance = budget_->balance(executor_.Now());
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kDeadline);
  EXPECT_EQ(ended.result.error().executed, Executed::kNo);
  EXPECT_TRUE(sender_.sent.empty());
  EXPECT_EQ(budget_->balance(executor_.Now()), balance);
  EXPECT_TRUE(HasTold(EventKind::kRefused, Reason::kDeadline));
}

TEST_F(GovernedCallTest, ReturnsTheLastErrorAtOnceWhenTheBudgetIsSpent) {
  budget_ =
      std::make_unique<policy::RetryBudget>(policy::RetryBudgetOptions{.ratio = 0, .reserve = 0});
  sender_.script = {Refused()};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamConnect);
  EXPECT_EQ(ended.at, start_);
  EXPECT_TRUE(ended.final_for_caller);
  EXPECT_TRUE(HasTold(EventKind::kRetryDenied, Reason::kBudgetExhausted));
}

TEST_F(GovernedCallTest, DepositsForEachRequestAndPaysForEachRetry) {
  const double before = budget_->balance(executor_.Now());
  sender_.script = {Refused()};
  Finish();
  EXPECT_NEAR(budget_->balance(executor_.Now()) - before, 0.1 - 1, 1e-6);
}

TEST_F(GovernedCallTest, DoesNotRepeatWhatMayHaveBeenExecuted) {
  sender_.script = {Reset()};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamReset);
  EXPECT_EQ(ended.attempts, 1U);
  EXPECT_TRUE(HasTold(EventKind::kRetryDenied, Reason::kNotReplayable));
}

TEST_F(GovernedCallTest, RepeatsWhatMayHaveBeenExecutedIfThatDoesNoHarm) {
  idempotent_ = true;
  sender_.script = {Reset(), {.result = 2}};
  EXPECT_EQ(Finish().result.value(), 2);
}

TEST_F(GovernedCallTest, DoesNotRepeatWhatItsSenderCannotSendAgain) {
  sender_.can_replay = false;
  sender_.script = {Refused()};
  EXPECT_EQ(Finish().attempts, 1U);
  EXPECT_TRUE(HasTold(EventKind::kRetryDenied, Reason::kNotReplayable));
}

TEST_F(GovernedCallTest, SaysOfTheWholeCallWhatAnyAttemptMayHaveDone) {
  idempotent_ = true;
  sender_.script = {Reset(), Refused(), Refused()};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamConnect);
  EXPECT_EQ(ended.result.error().executed, Executed::kMaybe);
}

TEST_F(GovernedCallTest, GivesUpNowWhenRetryAfterGoesBeyondTheDeadline) {
  Act act = Refused();
  act.result.error().retry_after = 30s;
  sender_.script = {act};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamConnect);
  EXPECT_EQ(ended.at, start_);
  EXPECT_TRUE(HasTold(EventKind::kRetryDenied, Reason::kDeadline));
}

TEST_F(GovernedCallTest, WaitsAsLongAsItWasAskedTo) {
  Act act = Refused();
  act.result.error().retry_after = 3s;
  sender_.script = {act};
  Finish();
  EXPECT_EQ(sender_.sent.at(1).at - start_, 3s);
}

TEST_F(GovernedCallTest, DoesNotTryAgainWhenTheBreakerOpensBetweenAttempts) {
  UseTargets({"only"}, {.consecutive_failures = 1});
  idempotent_ = true;
  sender_.script = {Reset()};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kCircuitOpen);
  EXPECT_EQ(ended.result.error().executed, Executed::kMaybe);  // by the first attempt
  EXPECT_EQ(ended.attempts, 1U);
  EXPECT_EQ(sender_.sent.size(), 1U);
  EXPECT_TRUE(HasTold(EventKind::kRefused, Reason::kCircuitOpen));
}

TEST_F(GovernedCallTest, LeavesRetryingToACallerThatRetries) {
  incoming_attempt_ = 2;
  sender_.script = {Refused()};
  EXPECT_EQ(Finish().attempts, 1U);
}

TEST_F(GovernedCallTest, RetriesForACallerThatRetriesWhenToldTo) {
  incoming_attempt_ = 2;
  retry_.retried_request = policy::RetriedRequest::kRetry;
  sender_.script = {Refused()};
  EXPECT_EQ(Finish().attempts, 2U);
}

TEST_F(GovernedCallTest, TellsItsCallerNotToRepeatWhatWasRepeatedHere) {
  sender_.script = {Refused(), Refused()};
  EXPECT_TRUE(Finish().final_for_caller);
}

TEST_F(GovernedCallTest, LeavesRetryingToItsCallerWhenItTriedOnce) {
  sender_.script = {Reset()};
  EXPECT_FALSE(Finish().final_for_caller);
}

TEST_F(GovernedCallTest, LeavesRetryingToItsCallerWhenAPickIsRefused) {
  UseTargets({"only"}, {.consecutive_failures = 1});
  sender_.script = {Refused()};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kCircuitOpen);
  EXPECT_FALSE(ended.final_for_caller);
}

TEST_F(GovernedCallTest, ACancelIsNeutralAndSaysSo) {
  sender_.script = {{.takes = 1s}};
  StopAt(300ms);
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended.result.error().executed, Executed::kMaybe);
  EXPECT_EQ(ended.at - start_, 300ms);
  EXPECT_EQ(TotalsOf(0).ignored, 1U);
  EXPECT_EQ(targets_->targets[0]->load().FailureShare(executor_.Now()), 0);
}

TEST_F(GovernedCallTest, ACancelDuringTheBackOffGivesTheTokenBack) {
  Act act = Refused();
  act.result.error().retry_after = 1s;
  sender_.script = {act};
  const double before = budget_->balance(executor_.Now());
  StopAt(300ms);
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended.at - start_, 300ms);
  EXPECT_NEAR(budget_->balance(executor_.Now()) - before, 0.1, 1e-6);
}

TEST_F(GovernedCallTest, SendsNothingForACallerThatHasGone) {
  stop_.request_stop();
  EXPECT_EQ(Finish().result.error().reason, Reason::kClientAbort);
  EXPECT_TRUE(sender_.sent.empty());
}

TEST_F(GovernedCallTest, WaitsForAPlaceAndThenGoesOn) {
  bulkhead_.Apply({.limit = 1});
  auto place = bulkhead_.TryEnter(executor_.Now());
  At(50ms, [&] { place->Release(); });
  EXPECT_TRUE(Finish().result);
  EXPECT_EQ(sender_.sent.at(0).at - start_, 50ms);
}

TEST_F(GovernedCallTest, IsRefusedWhenNoPlaceBecomesFreeInTime) {
  bulkhead_.Apply({.limit = 1});
  auto place = bulkhead_.TryEnter(executor_.Now());
  const Ended& ended = Finish();
  place->Release();
  EXPECT_EQ(ended.result.error().reason, Reason::kQueueTimeout);
  EXPECT_EQ(ended.at - start_, 200ms);
  EXPECT_TRUE(sender_.sent.empty());
  EXPECT_TRUE(HasTold(EventKind::kRefused, Reason::kQueueTimeout));
}

TEST_F(GovernedCallTest, AnAnswerHoldsItsPlace) { EXPECT_TRUE(Finish().holds_place); }

TEST_F(GovernedCallTest, ARefusedCallHoldsNoPlace) {
  for (auto& target : targets_->targets) {
    target->breaker().Force({.ttl = 1h, .why = "test"}, executor_.Now());
  }
  EXPECT_FALSE(Finish().holds_place);
}

TEST_F(GovernedCallTest, ACancelInTheQueueIsPrompt) {
  bulkhead_.Apply({.limit = 1});
  auto place = bulkhead_.TryEnter(executor_.Now());
  StopAt(20ms);
  const Ended& ended = Finish();
  place->Release();
  EXPECT_EQ(ended.result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended.at - start_, 20ms);
}

/// Both targets take one call and have one.
class FullHouseTest : public GovernedCallTest {
 protected:
  struct Held {
    policy::Bulkhead::Permit place;
    Lease lease;
  };
  FullHouseTest() {
    for (std::size_t i = 0; i < 2; ++i) {
      targets_->targets[i]->load().Apply(1);
      held_[i].place = std::move(*bulkhead_.TryEnter(executor_.Now()));
      held_[i].lease = std::move(*Lease::Take(targets_->targets[i], executor_.Now()));
    }
  }
  void Free(std::size_t target) { held_[target] = Held(); }
  void FreeAt(std::size_t target, Duration after) {
    At(after, [this, target] { Free(target); });
  }
  void TearDown() override {
    Free(0);
    Free(1);
    GovernedCallTest::TearDown();
  }

  std::array<Held, 2> held_;
};

TEST_F(FullHouseTest, WaitsForTheFirstInstanceThatHasRoom) {
  FreeAt(1, 50ms);
  const Ended& ended = Finish();
  EXPECT_EQ(ended.instance, "b");
  EXPECT_EQ(ended.at - start_, 50ms);
  EXPECT_EQ(ended.attempts, 1U);
}

TEST_F(FullHouseTest, WaitsNoLongerThanInTheQueueAndSaysSo) {
  FreeAt(0, 300ms);
  const Ended& ended = Finish();
  ASSERT_FALSE(ended.result);
  EXPECT_EQ(ended.result.error().reason, Reason::kQueueTimeout);
  EXPECT_EQ(ended.at - start_, 200ms);
  EXPECT_TRUE(sender_.sent.empty());
}

TEST_F(FullHouseTest, WaitsOnWhenTheRoomWasNotForIt) {
  auto other = bulkhead_.TryEnter(executor_.Now());  // at an instance that a closed circuit hides
  At(20ms, [&] { other->Release(); });
  FreeAt(0, 50ms);
  EXPECT_EQ(Finish().at - start_, 50ms);
}

TEST_F(FullHouseTest, HoldsNoPlaceWhileItWaits) {
  Start();
  EXPECT_EQ(bulkhead_.in_flight(), 2U);
  EXPECT_EQ(bulkhead_.waiting(), 1U);
  Free(0);
  EXPECT_TRUE(Finish().result);
}

TEST_F(FullHouseTest, ACancelThereIsPrompt) {
  StopAt(10ms);
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended.at - start_, 10ms);
}

TEST_F(FullHouseTest, AnInstanceThatClosesItsCircuitMeanwhileIsNotWaitedFor) {
  for (auto& target : targets_->targets) {
    At(10ms, [&] { target->breaker().Force({.ttl = 1h, .why = "test"}, executor_.Now()); });
  }
  FreeAt(0, 20ms);
  At(21ms, [this] { Free(1); });
  EXPECT_EQ(Finish().result.error().reason, Reason::kForced);
}

TEST_F(GovernedCallTest, AnExceptionSettlesAsAFailureAndPassesThrough) {
  sender_.script = {{.takes = 10ms, .throws = true}};
  Finish();
  EXPECT_EQ(thrown_, "scripted");
  EXPECT_EQ(TotalsOf(0).failed, 1U);
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(GovernedCallTest, AnExceptionOfALaterAttemptPassesThroughToo) {
  sender_.script = {Refused(), {.throws = true}};
  Finish();
  EXPECT_EQ(thrown_, "scripted");
  EXPECT_EQ(TotalsOf(1).failed, 1U);
}

TEST_F(GovernedCallTest, TellsABreakerHowLongAnAttemptMayTake) {
  deadline_ = 4s;
  idempotent_ = true;
  sender_.script = {Refused()};
  Finish();
  EXPECT_EQ(targets_->timeouts.at(0), Duration(4s) / 3);
}

/// At each of these instants of a call that queues, fails, waits and is sent again.
class StoppedCallTest : public ::testing::TestWithParam<int>, protected ScriptedCall {
  void TearDown() override { EXPECT_EQ(Remains(), ""); }
};

TEST_P(StoppedCallTest, LeavesNothingBehind) {
  idempotent_ = true;
  per_try_ = 40ms;
  bulkhead_.Apply({.limit = 1});
  auto place = bulkhead_.TryEnter(executor_.Now());
  Act waits = Refused();
  waits.result.error().retry_after = 30ms;
  sender_.script = {waits, {.takes = 1h}, {.result = 3, .takes = 20ms}};
  At(20ms, [&] { place->Release(); });
  const Duration when = GetParam() * 5ms;
  StopAt(when);
  const Ended& ended = Finish();
  place->Release();
  if (ended.result) return;  // it was quicker
  EXPECT_EQ(ended.result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended.at - start_, when);
}

// The call takes 110 ms and a back-off of at most 50 ms.
INSTANTIATE_TEST_SUITE_P(EachInstant, StoppedCallTest, ::testing::Range(0, 34));

}  // namespace
}  // namespace hale::guard
