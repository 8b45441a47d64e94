#include "hale/policy/slow_start.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

constexpr TimePoint kJoined{1h};

double WeightAfter(Duration span) { return SlowStartWeight(4, kJoined, kJoined + span, 10s); }

TEST(SlowStartTest, BeginsWithATenth) {
  EXPECT_DOUBLE_EQ(WeightAfter(0s), 0.4);
  EXPECT_DOUBLE_EQ(WeightAfter(500ms), 0.4);
}

TEST(SlowStartTest, GrowsInProportionToTime) {
  EXPECT_DOUBLE_EQ(WeightAfter(2500ms), 1);
  EXPECT_DOUBLE_EQ(WeightAfter(5s), 2);
}

TEST(SlowStartTest, IsWholeFromTheEndOfTheWindowOn) {
  EXPECT_EQ(WeightAfter(10s), 4);
  EXPECT_EQ(WeightAfter(24h), 4);
}

TEST(SlowStartTest, NeverFallsWhileTimePasses) {
  double before = 0;
  for (Duration span{0}; span < 11s; span += 100ms) {
    EXPECT_GE(WeightAfter(span), before);
    before = WeightAfter(span);
  }
}

TEST(SlowStartTest, LeavesThoseAloneThatWereThereFromTheStart) {
  EXPECT_EQ(SlowStartWeight(4, TimePoint::min(), kJoined, 10s), 4);
}

TEST(SlowStartTest, IsOffWithoutAWindow) {
  EXPECT_EQ(SlowStartWeight(4, kJoined, kJoined, 0s), 4);
  EXPECT_EQ(SlowStartWeight(4, kJoined, kJoined - 1s, 0s), 4);
}

TEST(SlowStartTest, TakesAClockThatIsBehindAsTheBeginning) {
  EXPECT_DOUBLE_EQ(WeightAfter(-1s), 0.4);
}

TEST(SlowStartTest, GivesNothingToWhatHasNoWeight) {
  EXPECT_EQ(SlowStartWeight(0, kJoined, kJoined + 1s, 10s), 0);
}

}  // namespace
}  // namespace hale::policy
