#include "hale/policy/recent_latency.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

class RecentLatencyTest : public testing::Test {
 protected:
  void Record(int times, Duration latency) {
    for (int i = 0; i < times; ++i) recent_.Record(latency);
  }
  Duration P95(std::uint32_t minimum = 1) { return recent_.Read({0.95, minimum}, now_); }

  RecentLatency recent_;
  TimePoint now_{1h};
};

TEST_F(RecentLatencyTest, KnowsNothingOfTooFewCalls) {
  Record(99, 10ms);
  EXPECT_EQ(P95(100), 0ns);
  Record(1, 10ms);
  now_ += 1s;
  EXPECT_GE(P95(100), 10ms);
}

TEST_F(RecentLatencyTest, ReadsTheWantedQuantile) {
  Record(95, 10ms);
  Record(5, 1s);
  EXPECT_GE(P95(), 10ms);
  EXPECT_LE(P95(), 11250us);
  EXPECT_GE(RecentLatencyTest::recent_.Read({0.96, 1}, now_ + 1s), 1s);
}

TEST_F(RecentLatencyTest, IsReadOffOnceASecond) {
  Record(100, 10ms);
  const Duration first = P95();
  Record(1000, 1s);
  now_ += 999ms;
  EXPECT_EQ(P95(), first);
  now_ += 1ms;
  EXPECT_GE(P95(), 1s);
}

TEST_F(RecentLatencyTest, LooksAnewWhenAnotherQuantileIsWanted) {
  Record(90, 10ms);
  Record(10, 1s);
  EXPECT_GE(P95(), 1s);
  recent_.Expire();
  EXPECT_LE(recent_.Read({0.5, 1}, now_), 11250us);
}

TEST_F(RecentLatencyTest, FollowsAChangeWithinAMinute) {
  Record(10'000, 1s);
  P95();
  for (int second = 0; second < 60; ++second) {
    Record(1000, 10ms);
    now_ += 1s;
    P95();
  }
  EXPECT_LE(P95(), 11250us);
}

TEST_F(RecentLatencyTest, HalvesWhatItHasSeenEachTenSeconds) {
  Record(4000, 10ms);
  P95();
  now_ += 10s;
  P95();
  EXPECT_EQ(recent_.count(), 2000U);
  now_ += 20s;
  P95();
  EXPECT_EQ(recent_.count(), 500U);
}

TEST_F(RecentLatencyTest, KnowsNothingOnceTooFewCallsAreLeft) {
  Record(100, 10ms);
  EXPECT_GE(P95(60), 10ms);
  now_ += 10s;
  EXPECT_EQ(P95(60), 0ns) << "fifty are left";
}

TEST_F(RecentLatencyTest, HasForgottenAllAfterALongSleep) {
  Record(100'000, 10ms);
  P95();
  now_ += 24h;
  EXPECT_EQ(P95(), 0ns);
  EXPECT_EQ(recent_.count(), 0U);
}

TEST_F(RecentLatencyTest, ForgetsNothingWhenAClockIsBehind) {
  Record(1000, 10ms);
  P95();
  for (const Duration step : {-15s, 15s}) {
    now_ += step;
    recent_.Expire();
    P95();
  }
  EXPECT_EQ(recent_.count(), 1000U);
}

}  // namespace
}  // namespace hale::policy
