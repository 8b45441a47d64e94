#include "hale/policy/deposit_lane.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

class DepositLaneTest : public ::testing::TestWithParam<Writers> {
 protected:
  std::uint64_t Bring(HalfWindow half) { return lane_.Bring(half); }

  DepositLane lane_{GetParam()};
  HalfWindow half_{TimePoint(1h)};
  HalfWindow next_{TimePoint(1h + 5s)};
};

INSTANTIATE_TEST_SUITE_P(Writers, DepositLaneTest,
                         ::testing::Values(Writers::kOne, Writers::kMany));

TEST_P(DepositLaneTest, SaysWhichDepositIsTheFirstOfItsHalfWindow) {
  EXPECT_TRUE(lane_.Add(half_, 100));
  EXPECT_FALSE(lane_.Add(half_, 100));
  EXPECT_TRUE(lane_.Add(next_, 100));
}

TEST_P(DepositLaneTest, HasEachDepositBroughtOnce) {
  lane_.Add(half_, 100);
  lane_.Add(half_, 50);
  EXPECT_EQ(lane_.Unbrought(half_), 150U);
  EXPECT_EQ(Bring(half_), 150U);
  EXPECT_EQ(Bring(half_), 0U);
  lane_.Add(half_, 7);
  EXPECT_EQ(lane_.Unbrought(half_), 7U);
  EXPECT_EQ(Bring(half_), 7U);
}

TEST_P(DepositLaneTest, KeepsTheHalfWindowBeforeTheNewest) {
  lane_.Add(half_, 100);
  lane_.Add(next_, 10);
  EXPECT_EQ(Bring(next_), 10U);
  EXPECT_EQ(Bring(half_), 100U);
}

TEST_P(DepositLaneTest, ForgetsWhatIsTwoHalfWindowsOld) {
  lane_.Add(half_, 100);
  Bring(half_);
  const HalfWindow second(TimePoint(1h + 10s));
  EXPECT_TRUE(lane_.Add(second, 30));
  EXPECT_EQ(Bring(half_), 0U);
  EXPECT_EQ(Bring(second), 30U);
}

TEST_P(DepositLaneTest, GivesWhatComesByAClockThatIsBehindToTheHalfWindowThatHasBegun) {
  lane_.Add(half_, 100);
  EXPECT_FALSE(lane_.Add(HalfWindow(TimePoint(1h - 10s)), 20));
  EXPECT_EQ(Bring(half_), 120U);
}

TEST_P(DepositLaneTest, HasNothingBroughtByAClockThatIsBehind) {
  const HalfWindow second(TimePoint(1h + 10s));
  lane_.Add(second, 30);
  Bring(second);
  EXPECT_EQ(Bring(half_), 0U);
  EXPECT_EQ(Bring(second), 0U);
}

TEST_P(DepositLaneTest, BeginsInAnyHalfWindow) {
  for (const int number : {0, 1, 0x7fff, 0x8000, 0xfff5, 0xffff}) {
    DepositLane lane(GetParam());
    const HalfWindow half(static_cast<std::uint16_t>(number));
    lane.Add(half, 100);
    lane.Add(half, 100);
    EXPECT_EQ(lane.Bring(half), 200U) << number;
    EXPECT_EQ(lane.Bring(half), 0U) << number;
  }
}

TEST(HalfWindowTest, IsNotAfterOneThatAClockALittleAheadHasBegun) {
  const HalfWindow half(TimePoint(1h));
  EXPECT_EQ(half.After(HalfWindow(TimePoint(1h - 5s))), 1);
  EXPECT_EQ(half.After(HalfWindow(TimePoint(1h + 59s))), 0);
  EXPECT_NE(half.After(HalfWindow(TimePoint(1h + 70s))), 0);
}

TEST(HalfWindowTest, ComesRound) {
  EXPECT_EQ(HalfWindow(0).After(HalfWindow(0xffff)), 1);
  EXPECT_EQ(HalfWindow(0).before(), HalfWindow(0xffff));
}

}  // namespace
}  // namespace hale::policy
