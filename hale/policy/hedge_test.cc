#include "hale/policy/hedge.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

HedgeOptions On() { return {.mode = Mode::kEnforce}; }

void Record(Hedge& hedge, int times, Duration latency) {
  for (int i = 0; i < times; ++i) hedge.Record(latency);
}

TEST(HedgeTest, WaitsForTheTimeInWhichMostCallsAreOver) {
  Hedge hedge(On());
  Record(hedge, 950, 20ms);
  Record(hedge, 50, 2s);
  EXPECT_GE(hedge.Delay(kNow), 20ms);
  EXPECT_LE(hedge.Delay(kNow), 22500us);
}

TEST(HedgeTest, IsOffUnlessAskedFor) {
  Hedge hedge;
  Record(hedge, 1000, 20ms);
  EXPECT_EQ(hedge.Delay(kNow), kForever);
  EXPECT_EQ(hedge.calls(), 0U);
}

TEST(HedgeTest, SendsNoneUntilEnoughCallsAreKnown) {
  Hedge hedge(On());
  Record(hedge, 49, 20ms);
  EXPECT_EQ(hedge.Delay(kNow), kForever);
  Record(hedge, 1, 20ms);
  EXPECT_NE(hedge.Delay(kNow + 1s), kForever);
}

TEST(HedgeTest, SendsNoneWhenCallsTakeLongerThanCanBeTold) {
  Hedge hedge(On());
  Record(hedge, 1000, 10min);
  EXPECT_EQ(hedge.Delay(kNow), kForever);
}

TEST(HedgeTest, NeverWaitsLessThanItsFloor) {
  Hedge hedge(On());
  Record(hedge, 1000, 100us);
  EXPECT_EQ(hedge.Delay(kNow), 1ms);
  hedge.Apply({.mode = Mode::kEnforce, .floor = 5ms});
  EXPECT_EQ(hedge.Delay(kNow), 5ms);
}

TEST(HedgeTest, DecidesInShadowAsWhenItIsEnforced) {
  Hedge hedge({.mode = Mode::kShadow});
  Record(hedge, 1000, 20ms);
  EXPECT_GE(hedge.Delay(kNow), 20ms);
  EXPECT_LE(hedge.Delay(kNow), 22500us);
}

TEST(HedgeTest, FollowsALatencyThatDoubles) {
  Hedge hedge(On());
  Record(hedge, 1000, 20ms);
  hedge.Delay(kNow);
  Record(hedge, 100, 40ms);
  EXPECT_GE(hedge.Delay(kNow + 1s), 40ms);
}

TEST(HedgeTest, KeepsWhatItHasSeenWhenItsOptionsChange) {
  Hedge hedge(On());
  Record(hedge, 900, 20ms);
  Record(hedge, 100, 2s);
  EXPECT_GE(hedge.Delay(kNow), 2s);
  hedge.Apply({.mode = Mode::kEnforce, .percentile = 0.5});
  EXPECT_LE(hedge.Delay(kNow), 22500us);
  EXPECT_EQ(hedge.calls(), 1000U);
}

TEST(HedgeTest, AsksForAsManyCallsAsItIsToldLast) {
  Hedge hedge(On());
  Record(hedge, 20, 20ms);
  EXPECT_EQ(hedge.Delay(kNow), kForever);
  hedge.Apply({.mode = Mode::kEnforce, .minimum_calls = 20});
  EXPECT_NE(hedge.Delay(kNow), kForever);
}

TEST(HedgeTest, SaysWhatFollowsAnEarlyFailureAsItIsToldLast) {
  Hedge hedge(On());
  EXPECT_EQ(hedge.early_failure(), EarlyFailure::kRetry);
  hedge.Apply({.mode = Mode::kEnforce, .early_failure = EarlyFailure::kAtOnce});
  EXPECT_EQ(hedge.early_failure(), EarlyFailure::kAtOnce);
}

TEST(HedgeTest, StopsAtOnceWhenItIsTurnedOff) {
  Hedge hedge(On());
  Record(hedge, 1000, 20ms);
  EXPECT_NE(hedge.Delay(kNow), kForever);
  hedge.Apply({});
  EXPECT_EQ(hedge.Delay(kNow), kForever);
}

}  // namespace
}  // namespace hale::policy
