#include "hale/policy/stall_threshold.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

class StallThresholdTest : public testing::Test {
 protected:
  void Record(int times, Duration latency) {
    for (int i = 0; i < times; ++i) replies_.Record(latency);
  }

  LatencyHistogram replies_;
};

TEST_F(StallThresholdTest, KnowsNoQuantileWithoutReplies) {
  EXPECT_EQ(replies_.Quantile(0.999), 0ns);
}

TEST_F(StallThresholdTest, ReadsAQuantileAtMostAnEighthTooHigh) {
  for (Duration latency = 100us; latency < 100s; latency = latency * 7 / 6) {
    LatencyHistogram replies;
    replies.Record(latency);
    EXPECT_GE(replies.Quantile(1), latency);
    EXPECT_LE(Seconds(replies.Quantile(1)), Seconds(latency) * 1.125 + 1e-9);
  }
}

TEST_F(StallThresholdTest, FindsTheLastInAThousand) {
  Record(999, 1ms);
  Record(1, 1s);
  EXPECT_LE(replies_.Quantile(0.999), 1125us);
  EXPECT_GE(replies_.Quantile(0.9995), 1s);
}

TEST_F(StallThresholdTest, TakesWhatIsTooShortOrTooLongIntoItsEnds) {
  Record(1, -1s);
  Record(1, 0ns);
  EXPECT_EQ(replies_.Quantile(1), Duration(1 << 16));
  Record(1, kForever);
  EXPECT_EQ(replies_.Quantile(1), Duration(std::int64_t{1} << 37));
}

TEST_F(StallThresholdTest, ForgetsByHalves) {
  Record((1 << 17) - 1, 10ms);
  EXPECT_EQ(replies_.count(), (1U << 17) - 1);
  Record(1, 10ms);
  EXPECT_EQ(replies_.count(), 1U << 16);
}

TEST_F(StallThresholdTest, ForgetsWhatItSawOnce) {
  Record(1, 1ms);
  Record(3, 1s);
  replies_.Fade();
  EXPECT_EQ(replies_.count(), 1U);
  EXPECT_GE(replies_.Quantile(0), 1s);
}

TEST_F(StallThresholdTest, FollowsAChangeThatLasts) {
  Record(100'000, 1s);
  Record(2'000'000, 1ms);
  EXPECT_LE(replies_.Quantile(0.999), 1125us);
}

TEST_F(StallThresholdTest, IsCautiousBeforeAThousandReplies) {
  Record(99, 1ms);
  EXPECT_EQ(StallThreshold(replies_), 1s);
  Record(1, 1ms);
  EXPECT_EQ(StallThreshold(replies_), 500ms);
  Record(899, 1ms);
  EXPECT_EQ(StallThreshold(replies_), 500ms);
  Record(1, 1ms);
  EXPECT_EQ(StallThreshold(replies_), 250ms);
}

TEST_F(StallThresholdTest, BelievesFewSlowRepliesUpToASecond) {
  Record(500, 250ms);
  EXPECT_GE(StallThreshold(replies_), 750ms);
  EXPECT_LT(StallThreshold(replies_), 1s);
  Record(400, 1s);
  EXPECT_EQ(StallThreshold(replies_), 1s);
}

TEST_F(StallThresholdTest, ACallHangsAtFourTimesTheLastInAThousand) {
  Record(99, 1s);
  EXPECT_EQ(HungThreshold(replies_, 10s), 10s);
  Record(901, 1s);
  EXPECT_GE(HungThreshold(replies_, 10s), 4s);
  EXPECT_LE(HungThreshold(replies_, 10s), 4500ms);
}

TEST_F(StallThresholdTest, NoCallHangsSoonerThanInTwoSecondsUnlessToldSo) {
  Record(1'000, 1ms);
  EXPECT_EQ(HungThreshold(replies_, 5s), 2s);
  EXPECT_EQ(HungThreshold(replies_, 200ms), 200ms);
  EXPECT_EQ(HungThreshold(replies_, 0s), 0s);
}

TEST_F(StallThresholdTest, IsThreeTimesTheLastInAThousand) {
  Record(9'980, 1ms);
  Record(20, 200ms);
  EXPECT_GE(StallThreshold(replies_), 600ms);
  EXPECT_LE(StallThreshold(replies_), 675ms);
}

}  // namespace
}  // namespace hale::policy
