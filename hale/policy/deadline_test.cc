#include "hale/policy/deadline.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

DeadlineOptions On(double most_refused = 1) {
  return {.mode = Mode::kEnforce, .most_refused = most_refused};
}

void Record(DeadlineGate& gate, int times, Duration latency) {
  for (int i = 0; i < times; ++i) gate.Record(latency);
}

int Refused(DeadlineGate& gate, int calls, Duration remaining, TimePoint now = kNow) {
  int refused = 0;
  for (int i = 0; i < calls; ++i) refused += gate.Check(remaining, now) ? 1 : 0;
  return refused;
}

TEST(DeadlineTest, RefusesWhatHardlyAnAnswerWouldBeInTimeFor) {
  DeadlineGate gate(On());
  Record(gate, 1000, 100ms);
  EXPECT_TRUE(gate.Check(99ms, kNow));
  EXPECT_FALSE(gate.Check(113ms, kNow));
}

TEST(DeadlineTest, LetsThroughWhatHasJustTheTimeThatItNeeds) {
  DeadlineGate gate(On());
  Record(gate, 1000, 100ms);
  EXPECT_FALSE(gate.Check(gate.Needed(kNow), kNow));
}

TEST(DeadlineTest, SaysWhatRemainsAndWhatIsNeeded) {
  DeadlineGate gate(On());
  Record(gate, 1000, 100ms);
  const auto late = gate.Check(40ms, kNow);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->reason, Reason::kDeadline);
  EXPECT_EQ(late->observed, 0.04);
  EXPECT_EQ(late->threshold, Seconds(gate.Needed(kNow)));
}

TEST(DeadlineTest, RefusesNothingWhenATwentiethOfTheAnswersIsInTime) {
  DeadlineGate gate(On());
  Record(gate, 940, 1s);
  Record(gate, 60, 10ms);  // some other kind of call
  EXPECT_FALSE(gate.Check(12ms, kNow));
}

TEST(DeadlineTest, RefusesNothingBeforeEnoughAnswersAreKnown) {
  DeadlineGate gate(On());
  Record(gate, 99, 1s);
  EXPECT_FALSE(gate.Check(1ms, kNow));
  Record(gate, 1, 1s);
  EXPECT_TRUE(gate.Check(1ms, kNow + 1s));
}

TEST(DeadlineTest, NeitherRefusesNorCountsWhatHasNoDeadline) {
  DeadlineGate gate(On(0.2));
  Record(gate, 1000, 1h);
  EXPECT_EQ(Refused(gate, 80, kForever), 0);
  EXPECT_EQ(Refused(gate, 20, 1ms), 4);
}

TEST(DeadlineTest, NeverRefusesMoreThanItsShareInTenSeconds) {
  DeadlineGate gate(On(0.2));
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 4, 1ms), 0);
  EXPECT_EQ(Refused(gate, 1, 1ms), 1);
  EXPECT_EQ(Refused(gate, 995, 1ms), 199);
}

TEST(DeadlineTest, CountsTheCallsThatAreInTimeToo) {
  DeadlineGate gate(On(0.2));
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 80, 2s), 0);
  EXPECT_EQ(Refused(gate, 20, 1ms), 20);
}

TEST(DeadlineTest, CountsACallOnceHoweverOftenItIsLookedAt) {
  DeadlineGate gate(On(0.2));
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 4, 2s), 0);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(gate.Check(1ms, kNow, DeadlineGate::Look::kAgain)) << i;
  }
}

TEST(DeadlineTest, CountsAnewEachTenSeconds) {
  DeadlineGate gate(On(0.2));
  Record(gate, 100'000, 1s);
  EXPECT_EQ(Refused(gate, 1000, 2s), 0);
  EXPECT_EQ(Refused(gate, 10, 1ms, kNow + 10s), 2);
}

TEST(DeadlineTest, CountsAnewAfterAWeekOfSilence) {
  constexpr TimePoint kLater = kNow + 168h;
  DeadlineGate gate(On(0.2));
  EXPECT_EQ(Refused(gate, 1000, 2s), 0);
  EXPECT_EQ(gate.Needed(kLater - 1s), Duration::zero());
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 10, 1ms, kLater), 2);
}

TEST(DeadlineTest, IsNotMisledByAClockThatIsBehind) {
  DeadlineGate gate(On(0.2));
  Record(gate, 1000, 1s);
  int refused = 0;
  for (int i = 0; i < 100; ++i) refused += Refused(gate, 1, 1ms, i % 2 == 0 ? kNow : kNow - 1s);
  EXPECT_EQ(refused, 20);
}

TEST(DeadlineTest, CountsTheCallsOfAClockThatIsAMinuteBehind) {
  DeadlineGate gate(On(0.2));
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 1000, 2s), 0);
  EXPECT_EQ(Refused(gate, 100, 1ms, kNow - 1min), 100);
}

TEST(DeadlineTest, JudgesInShadowWithoutBeingEnforced) {
  DeadlineGate gate;
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 100, 1ms), 20);
  EXPECT_FALSE(gate.enforced());
}

TEST(DeadlineTest, KnowsNothingWhenItIsOff) {
  DeadlineGate gate({.mode = Mode::kOff});
  Record(gate, 1000, 1s);
  EXPECT_FALSE(gate.Check(1ms, kNow));
  EXPECT_EQ(gate.calls(), 0U);
}

TEST(DeadlineTest, StopsAtOnceWhenItIsTurnedOff) {
  DeadlineGate gate(On());
  Record(gate, 1000, 1s);
  EXPECT_TRUE(gate.Check(1ms, kNow));
  gate.Apply({.mode = Mode::kOff});
  EXPECT_FALSE(gate.Check(1ms, kNow));
  EXPECT_EQ(gate.Needed(kNow), Duration::zero());
}

TEST(DeadlineTest, KeepsWhatItHasSeenWhenItsOptionsChange) {
  DeadlineGate gate(On());
  Record(gate, 600, 1s);
  Record(gate, 400, 10ms);
  EXPECT_FALSE(gate.Check(20ms, kNow));
  gate.Apply({.mode = Mode::kEnforce, .quantile = 0.5, .most_refused = 1});
  EXPECT_TRUE(gate.Check(20ms, kNow));
}

TEST(DeadlineTest, RefusesAtMostTheShareThatItIsToldLast) {
  DeadlineGate gate(On(0));
  Record(gate, 1000, 1s);
  EXPECT_EQ(Refused(gate, 10, 1ms), 0);
  gate.Apply(On(1));
  EXPECT_EQ(Refused(gate, 10, 1ms), 10);
}

TEST(DeadlineTest, AsksForAsManyAnswersAsItIsToldLast) {
  DeadlineGate gate(On());
  Record(gate, 50, 1s);
  EXPECT_FALSE(gate.Check(1ms, kNow));
  gate.Apply({.mode = Mode::kEnforce, .minimum_calls = 50, .most_refused = 1});
  EXPECT_TRUE(gate.Check(1ms, kNow));
}

TEST(ChildTimeTest, IsWhatRemainsWithoutTheReserve) {
  EXPECT_EQ(ChildTime(500ms, {.reserve = 100ms}), 400ms);
  EXPECT_EQ(ChildTime(500ms, {.reserve = 100ms, .share = 0.5}), 200ms);
  EXPECT_EQ(ChildTime(500ms, {}), 500ms);
}

TEST(ChildTimeTest, IsNeverNegativeAndForeverWithoutADeadline) {
  EXPECT_EQ(ChildTime(50ms, {.reserve = 100ms}), 0ms);
  EXPECT_EQ(ChildTime(0ms, {.reserve = kForever}), 0ms);
  EXPECT_EQ(ChildTime(kForever, {.reserve = 100ms, .share = 0.1}), kForever);
}

}  // namespace
}  // namespace hale::policy
