#include "hale/policy/throttle_lane.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

class ThrottleLaneTest : public ::testing::TestWithParam<Writers> {
 protected:
  ThrottleLane lane_{GetParam()};
};

TEST_P(ThrottleLaneTest, CountsEachSecondByItself) {
  lane_.Sent(7, true);
  lane_.Sent(7, false);
  lane_.Held(8);
  EXPECT_EQ(lane_.Read(7), (ThrottleCounts{.sent = 2, .taken = 1}));
  EXPECT_EQ(lane_.Read(8), (ThrottleCounts{.held = 1}));
  EXPECT_EQ(lane_.Read(9), ThrottleCounts{});
}

TEST_P(ThrottleLaneTest, BeginsAtZeroWhenItsPlaceComesRound) {
  lane_.Sent(7, true);
  lane_.Held(7);
  EXPECT_EQ(lane_.Read(7 + ThrottleLane::kSeconds), ThrottleCounts{});
  lane_.Sent(7 + ThrottleLane::kSeconds, false);
  lane_.Held(7 + ThrottleLane::kSeconds);
  EXPECT_EQ(lane_.Read(7 + ThrottleLane::kSeconds), (ThrottleCounts{.sent = 1, .held = 1}));
  EXPECT_EQ(lane_.Read(7).sent, 0U);
}

TEST_P(ThrottleLaneTest, KnowsNothingOfSecondZeroBeforeItHasCounted) {
  EXPECT_EQ(lane_.Read(0), ThrottleCounts{});
  lane_.Sent(-1, true);
  EXPECT_EQ(lane_.Read(-1).taken, 1U);
}

TEST_P(ThrottleLaneTest, StaysAtItsEndInsteadOfComingRound) {
  for (int i = 0; i < (1 << 22) + 10; ++i) lane_.Sent(7, true);
  EXPECT_EQ(lane_.Read(7), (ThrottleCounts{.sent = (1U << 22) - 1, .taken = (1U << 22) - 1}));
}

TEST(ThrottleSecondTest, BeginsWithItsFirstInstant) {
  EXPECT_EQ(ThrottleLane::Second(TimePoint(7s)), 7);
  EXPECT_EQ(ThrottleLane::Second(TimePoint(8s) - 1ns), 7);
  EXPECT_EQ(ThrottleLane::Second(TimePoint(-1ns)), -1);
}

INSTANTIATE_TEST_SUITE_P(Writers, ThrottleLaneTest,
                         ::testing::Values(Writers::kOne, Writers::kMany));

}  // namespace
}  // namespace hale::policy
