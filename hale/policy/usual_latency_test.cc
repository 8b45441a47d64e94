#include "hale/policy/usual_latency.h"

#include <gtest/gtest.h>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class UsualLatencyTest : public testing::Test {
 protected:
  void Answer(Duration latency, int times = 1, Outcome outcome = Outcome::kSuccess) {
    for (int i = 0; i < times; ++i) usual_.Observe(outcome, latency, now_);
  }
  double Millis() const { return static_cast<double>(usual_.Read(now_).latency.count()) / 1e6; }

  UsualLatency usual_;
  TimePoint now_{1h};
};

TEST_F(UsualLatencyTest, IsNotKnownAtFirst) {
  EXPECT_EQ(usual_.Read(now_).latency, Duration::zero());
  EXPECT_EQ(usual_.Read(now_).calls, 0U);
}

TEST_F(UsualLatencyTest, IsTheFirstAnswersAtOnce) {
  Answer(7ms);
  EXPECT_NEAR(Millis(), 7, 0.01);
}

TEST_F(UsualLatencyTest, IsTheMiddleOfTheFirstTwoAnswers) {
  Answer(1ms);
  Answer(4ms);
  EXPECT_NEAR(Millis(), 2, 0.01) << "in logarithms";
}

TEST_F(UsualLatencyTest, ReadsBackWhatItWasTold) {
  SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) {
    const Duration latency = random.Between(1us, 1h);
    usual_.Forget();
    Answer(latency, 5);
    const auto read = static_cast<double>(usual_.Read(now_).latency.count());
    ASSERT_NEAR(read / static_cast<double>(latency.count()), 1, 1e-3) << latency.count();
  }
}

TEST_F(UsualLatencyTest, IsMovedLittleByOneSlowAnswer) {
  Answer(5ms, 100);
  Answer(5s);
  EXPECT_LT(Millis(), 7);
}

TEST_F(UsualLatencyTest, FollowsWhatLasts) {
  Answer(5ms, 1000);
  Answer(50ms, 100);
  EXPECT_GT(Millis(), 40);
}

TEST_F(UsualLatencyTest, TakesNoFastFailureForAGoodAnswer) {
  Answer(100us, 20, Outcome::kFailure);
  EXPECT_EQ(Millis(), 0);
  Answer(5ms);
  Answer(100us, 1000, Outcome::kFailure);
  EXPECT_NEAR(Millis(), 5, 0.01);
  EXPECT_EQ(usual_.Read(now_).calls, 1021U);
}

TEST_F(UsualLatencyTest, TakesASlowFailureForWhatItIs) {
  Answer(5ms, 100);
  Answer(1s, 100, Outcome::kFailure);
  EXPECT_GT(Millis(), 500);
}

TEST_F(UsualLatencyTest, LetsAnIgnoredCallSayNothing) {
  Answer(5ms, 1, Outcome::kIgnored);
  EXPECT_EQ(usual_.Read(now_).calls, 0U);
}

TEST_F(UsualLatencyTest, ForgetsAfterAHalfMinuteOfSilence) {
  Answer(5ms, 100);
  now_ += 29s;
  EXPECT_EQ(usual_.Read(now_).calls, 100U);
  now_ += 2s;
  EXPECT_EQ(usual_.Read(now_).calls, 0U);
  Answer(9ms);
  EXPECT_NEAR(Millis(), 9, 0.01);
  EXPECT_EQ(usual_.Read(now_).calls, 1U);
}

TEST_F(UsualLatencyTest, HasAnEndToItsCount) {
  Answer(5ms, 5000);
  EXPECT_EQ(usual_.Read(now_).calls, 2047U);
}

TEST_F(UsualLatencyTest, TakesNoTimeAsTheLeast) {
  Answer(Duration(0), 3);
  EXPECT_EQ(usual_.Read(now_).latency, 1ns);
}

}  // namespace
}  // namespace hale::policy
