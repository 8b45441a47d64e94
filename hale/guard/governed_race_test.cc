#include <gtest/gtest.h>

#include "hale/guard/governed_call.h"
#include "hale/guard/scripted_call.h"

namespace hale::guard {
namespace {

/// A first attempt on `a`, which stops answering after 100 ms, and a second one on `b`.
class Racing : public ScriptedCall {
 public:
  Racing() {
    idempotent_ = true;
    per_try_ = 5s;
    retry_.mode = policy::Mode::kOff;
    At(100ms, [this] {
      policy::Pulse& pulse = targets_->targets[0]->pulse();
      if (stalls_) pulse.MarkStalled(pulse.Read());
    });
  }

  bool stalls_ = true;
};

class GovernedRaceTest : public ::testing::Test, protected Racing {
  void TearDown() override { EXPECT_EQ(Remains(), ""); }
};

Act Fails(Executed executed, Duration takes) {
  return {.result = Fail(Reason::kUpstreamReset, executed), .takes = takes};
}

TEST_F(GovernedRaceTest, TheSecondWinsAndTheFirstIsStoppedAndNeutral) {
  sender_.script = {{.result = 1, .takes = 1h}, {.result = 2, .takes = 20ms}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 2);
  EXPECT_EQ(ended.instance, "b");
  EXPECT_EQ(ended.attempts, 2U);
  EXPECT_LE(ended.at - start_, 170ms);  // seen within 50 ms of the stall
  EXPECT_EQ(sender_.stopped, 1);
  EXPECT_EQ(TotalsOf(0).ignored, 1U);
  EXPECT_EQ(TotalsOf(1).succeeded, 1U);
  EXPECT_TRUE(HasTold(EventKind::kRaced, Reason::kStalled));
}

TEST_F(GovernedRaceTest, TheFirstAnswersAndTheSecondIsStoppedAndNeutral) {
  sender_.script = {{.result = 1, .takes = 300ms}, {.result = 2, .takes = 1h}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 1);
  EXPECT_EQ(ended.at - start_, 300ms);
  EXPECT_EQ(sender_.stopped, 1);
  EXPECT_EQ(TotalsOf(0).succeeded, 1U);
  EXPECT_EQ(TotalsOf(1).ignored, 1U);
}

TEST_F(GovernedRaceTest, ASecondThatFailsDoesNotMaskTheFirst) {
  sender_.script = {{.result = 1, .takes = 1s}, Fails(Executed::kNo, 20ms)};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 1);
  EXPECT_EQ(ended.at - start_, 1s);
  EXPECT_EQ(TotalsOf(1).failed, 1U);
}

TEST_F(GovernedRaceTest, AFirstThatFailsDoesNotMaskTheSecond) {
  sender_.script = {Fails(Executed::kMaybe, 200ms), {.result = 2, .takes = 1s}};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.value(), 2);
  EXPECT_EQ(TotalsOf(0).failed, 1U);
  EXPECT_EQ(TotalsOf(1).succeeded, 1U);
}

TEST_F(GovernedRaceTest, AFirstThatHasHadItsTimeDoesNotEndTheSecond) {
  per_try_ = 200ms;
  sender_.script = {{.takes = 1h}, {.result = 2, .takes = 150ms}};
  EXPECT_EQ(Finish().result.value(), 2);
  EXPECT_EQ(TotalsOf(0).failed, 1U);
}

TEST_F(GovernedRaceTest, WhenBothFailTheFirstOnesFailureCounts) {
  Act first = {.result = Fail(Reason::kUpstreamProtocol, Executed::kNo), .takes = 1s};
  sender_.script = {first, Fails(Executed::kMaybe, 20ms)};
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kUpstreamProtocol);
  EXPECT_EQ(ended.result.error().executed, Executed::kMaybe);  // by the second
  EXPECT_EQ(ended.instance, "a");
  EXPECT_EQ(TotalsOf(0).failed, 1U);
  EXPECT_EQ(TotalsOf(1).failed, 1U);
}

TEST_F(GovernedRaceTest, WhatARaceCostsIsPaidFromTheBudget) {
  const double before = budget_->balance(executor_.Now());
  sender_.script = {{.takes = 1s}, {.takes = 1s}};
  Finish();
  EXPECT_NEAR(budget_->balance(executor_.Now()) - before, 0.1 - 1, 1e-6);
}

TEST_F(GovernedRaceTest, SendsOneSecondAttemptAndNoThird) {
  UseTargets({"a", "b", "c"});
  sender_.script = {{.takes = 1s}, {.takes = 2s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 2U);
}

TEST_F(GovernedRaceTest, DoesNotRaceWhatMayNotBeExecutedTwice) {
  idempotent_ = false;
  sender_.script = {{.takes = 1s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(GovernedRaceTest, DoesNotRaceWhatCannotBeSentMeanwhile) {
  sender_.can_race = false;
  sender_.script = {{.takes = 1s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(GovernedRaceTest, DoesNotRaceWithoutABudget) {
  budget_ =
      std::make_unique<policy::RetryBudget>(policy::RetryBudgetOptions{.ratio = 0, .reserve = 0});
  sender_.script = {{.takes = 1s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(GovernedRaceTest, DoesNotRaceWithoutAnotherTargetAndPaysNothing) {
  UseTargets({"a"});
  const double before = budget_->balance(executor_.Now());
  sender_.script = {{.takes = 1s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 1U);
  EXPECT_NEAR(budget_->balance(executor_.Now()) - before, 0.1, 1e-6);
}

TEST_F(GovernedRaceTest, DoesNotRaceWhatIsOnlySlow) {
  stalls_ = false;
  sender_.script = {{.takes = 1s}};
  Finish();
  EXPECT_EQ(sender_.sent.size(), 1U);
}

TEST_F(GovernedRaceTest, AnExceptionOfTheFirstStopsTheSecondAndPassesThrough) {
  sender_.script = {{.takes = 300ms, .throws = true}, {.takes = 1h}};
  Finish();
  EXPECT_EQ(thrown_, "scripted");
  EXPECT_EQ(executor_.Now() - start_, 300ms);
  EXPECT_EQ(TotalsOf(0).failed, 1U);
  EXPECT_EQ(TotalsOf(1).ignored, 1U);
}

TEST_F(GovernedRaceTest, AnExceptionOfTheSecondIsAFailureOfItsTargetOnly) {
  sender_.script = {{.result = 1, .takes = 1s}, {.takes = 10ms, .throws = true}};
  EXPECT_EQ(Finish().result.value(), 1);
  EXPECT_EQ(thrown_, "");
  EXPECT_EQ(TotalsOf(1).failed, 1U);
}

TEST_F(GovernedRaceTest, ACancelStopsBothAndIsNeutralForBoth) {
  sender_.script = {{.takes = 1h}, {.takes = 1h}};
  StopAt(400ms);
  const Ended& ended = Finish();
  EXPECT_EQ(ended.result.error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended.at - start_, 400ms);
  EXPECT_EQ(sender_.stopped, 2);
  EXPECT_EQ(TotalsOf(0).ignored, 1U);
  EXPECT_EQ(TotalsOf(1).ignored, 1U);
}

/// Stopped at each of these instants, for each way in which a race can end.
class StoppedRaceTest : public ::testing::TestWithParam<std::tuple<int, int>>, protected Racing {
  void TearDown() override { EXPECT_EQ(Remains(), ""); }
};

TEST_P(StoppedRaceTest, LeavesNothingBehind) {
  const auto [way, step] = GetParam();
  const Duration first = way % 2 == 0 ? 200ms : 300ms;
  const Duration second = way % 2 == 0 ? 150ms : 50ms;
  const bool first_fails = way / 2 % 2 == 1;
  const bool second_fails = way / 4 == 1;
  Act one = {.result = 1, .takes = first};
  if (first_fails) one = Fails(Executed::kMaybe, first);
  Act two = {.result = 2, .takes = second};
  if (second_fails) two = Fails(Executed::kMaybe, second);
  sender_.script = {one, two};
  StopAt(step * 10ms);
  const Ended& ended = Finish();
  EXPECT_TRUE(ended.result || ended.result.error().code != Code::kUnknown);
  EXPECT_LE(ended.at - start_, step * 10ms) << "neither attempt is waited for";
}

INSTANTIATE_TEST_SUITE_P(EachInstant, StoppedRaceTest,
                         ::testing::Combine(::testing::Range(0, 8), ::testing::Range(0, 33)));

}  // namespace
}  // namespace hale::guard
