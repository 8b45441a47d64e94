#include "hale/policy/load.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

namespace hale::policy {
namespace {

class LoadTest : public testing::Test {
 protected:
  void Call(Outcome outcome, Duration latency) { load_.Start().Settle(outcome, latency, now_); }
  void Succeed(Duration latency) { Call(Outcome::kSuccess, latency); }
  void Fail(Duration latency = 100us) { Call(Outcome::kFailure, latency); }
  double Milliseconds() const { return Seconds(load_.Latency(now_)) * 1000; }

  Load load_;
  TimePoint now_{1h};
};

TEST_F(LoadTest, CountsCallsInFlight) {
  auto one = load_.Start();
  {
    const auto two = load_.Start();
    EXPECT_EQ(load_.in_flight(), 2U);
  }
  EXPECT_EQ(load_.in_flight(), 1U);
  one.Settle(Outcome::kSuccess, 1ms, now_);
  EXPECT_EQ(load_.in_flight(), 0U);
}

TEST_F(LoadTest, GivesATokenBackOnceHoweverItIsMoved) {
  {
    auto token = load_.Start();
    Load::Token moved = std::move(token);
    Load::Token again;
    again = std::move(moved);
    again.Settle(Outcome::kSuccess, 1ms, now_);
    again.Settle(Outcome::kSuccess, 1ms, now_);
  }
  EXPECT_EQ(load_.in_flight(), 0U);
}

TEST_F(LoadTest, GivesBackATokenThatAnotherReplaces) {
  {
    auto one = load_.Start();
    auto two = load_.Start();
    one = std::move(two);
  }
  EXPECT_EQ(load_.in_flight(), 0U);
}

TEST_F(LoadTest, CountsOutAlsoACallThatThrew) {
  const auto call = [this] {
    const auto token = load_.Start();
    throw std::runtime_error("broken");
  };
  EXPECT_THROW(call(), std::runtime_error);
  EXPECT_EQ(load_.in_flight(), 0U);
  EXPECT_EQ(load_.FailureShare(now_), 0);
}

TEST_F(LoadTest, KnowsNoLatencyAtFirst) { EXPECT_EQ(load_.Latency(now_), 0ns); }

TEST_F(LoadTest, FollowsARiseAtOnce) {
  Succeed(5ms);
  Succeed(80ms);
  EXPECT_NEAR(Milliseconds(), 80, 0.1);
}

TEST_F(LoadTest, FollowsAFallOverTenSeconds) {
  Succeed(100ms);
  for (int i = 0; i < 10; ++i) {
    now_ += 1s;
    Succeed(10ms);
  }
  EXPECT_NEAR(Milliseconds(), 10 + 90 * 0.368, 1);  // 1/e of the way is left
}

TEST_F(LoadTest, FadesWhileNoCallEnds) {
  Succeed(100ms);
  now_ += 10s;
  EXPECT_NEAR(Milliseconds(), 36.8, 0.5);
  now_ += 21s;
  EXPECT_EQ(load_.Latency(now_), 0ns);
}

TEST_F(LoadTest, BeginsAnewAfterALongRest) {
  Succeed(1s);
  now_ += 1min;
  Succeed(5ms);
  EXPECT_NEAR(Milliseconds(), 5, 0.01);
}

TEST_F(LoadTest, GoesOnWhenItsStampsComeRound) {
  now_ = TimePoint(Duration(std::int64_t{1} << 52)) - 5s;
  Succeed(100ms);
  now_ += 10s;
  EXPECT_NEAR(Milliseconds(), 36.8, 0.5);
}

TEST_F(LoadTest, KnowsAnAnswerThatTookNoTime) {
  Succeed(0ns);
  EXPECT_EQ(load_.Latency(now_), 1ns);
}

TEST_F(LoadTest, TakesNoFastFailureForGoodLatency) {
  Succeed(10ms);
  for (int i = 0; i < 31; ++i) {
    now_ += 1s;
    Fail(100us);
  }
  EXPECT_EQ(load_.Latency(now_), 0ns);  // forgotten, not 100 µs
}

TEST_F(LoadTest, TakesASlowFailureForWhatItIs) {
  Succeed(10ms);
  Fail(1s);
  EXPECT_NEAR(Milliseconds(), 1000, 1);
}

TEST_F(LoadTest, LearnsNoLatencyFromFailuresAlone) {
  Fail(100us);
  EXPECT_EQ(load_.Latency(now_), 0ns);
  now_ = TimePoint(1s);  // as close to the beginning of a clock
  Fail(100us);
  EXPECT_EQ(load_.Latency(now_), 0ns);
}

TEST_F(LoadTest, RemembersTheLastSixteenCallsFailures) {
  EXPECT_EQ(load_.FailureShare(now_), 0);
  for (int i = 0; i < 16; ++i) Fail();
  EXPECT_NEAR(load_.FailureShare(now_), 0.644, 0.001);  // 1 - (15/16)^16
  for (int i = 0; i < 16; ++i) Succeed(1ms);
  EXPECT_NEAR(load_.FailureShare(now_), 0.229, 0.001);
}

TEST_F(LoadTest, ForgetsAFailureAfterManyGoodCalls) {
  Fail();
  for (int i = 0; i < 100; ++i) Succeed(1ms);
  EXPECT_EQ(load_.FailureShare(now_), 0);
}

TEST_F(LoadTest, TakesUpNoOldFailures) {
  for (int i = 0; i < 200; ++i) Fail();
  now_ += 31s;
  Succeed(1ms);
  EXPECT_EQ(load_.FailureShare(now_), 0);
}

TEST_F(LoadTest, MakesFailuresDearAndRareOnesNot) {
  EXPECT_EQ(load_.Penalty(now_), 1);
  Fail();
  EXPECT_LT(load_.Penalty(now_), 1.15);
  for (int i = 0; i < 200; ++i) Fail();
  EXPECT_EQ(load_.Penalty(now_), 4096);
}

TEST_F(LoadTest, ForgivesFailuresWithTime) {
  for (int i = 0; i < 200; ++i) Fail();
  now_ += 10s;
  EXPECT_NEAR(load_.FailureShare(now_), 0.368, 0.01);
  now_ += 21s;
  EXPECT_EQ(load_.Penalty(now_), 1);
}

TEST_F(LoadTest, LetsAnIgnoredCallTouchNothingButTheCount) {
  Succeed(5ms);
  Call(Outcome::kIgnored, 10s);
  EXPECT_NEAR(Milliseconds(), 5, 0.01);
  EXPECT_EQ(load_.FailureShare(now_), 0);
  EXPECT_EQ(load_.in_flight(), 0U);
}

TEST_F(LoadTest, HasNoMoreCallsThanItMay) {
  load_.Apply(1);
  const Load::Token one = load_.Start();
  EXPECT_TRUE(one);
  EXPECT_TRUE(load_.full());
  EXPECT_FALSE(load_.Start());
  EXPECT_EQ(load_.in_flight(), 1U);
}

TEST_F(LoadTest, AdmitsNobodyUntilEnoughHaveLeft) {
  auto one = load_.Start();
  const auto two = load_.Start();
  load_.Apply(1);
  EXPECT_FALSE(load_.Start());
  one.Settle(Outcome::kSuccess, 1ms, now_);
  EXPECT_FALSE(load_.Start());
}

TEST_F(LoadTest, SaysHowFullItIs) {
  const Load::Token one = load_.Start();
  const Load::Token two = load_.Start();
  load_.Apply(1);
  const Rejection rejection = NoRoom(load_);
  EXPECT_EQ(rejection.reason, Reason::kConcurrency);
  EXPECT_EQ(rejection.observed, 2);
  EXPECT_EQ(rejection.threshold, 1);
}

TEST_F(LoadTest, AnObservedCallIsStillInFlight) {
  Load::Token call = load_.Start();
  call.Observe(Outcome::kSuccess, 5ms, now_);
  EXPECT_NEAR(Milliseconds(), 5, 0.01);
  EXPECT_EQ(load_.in_flight(), 1U);
}

TEST_F(LoadTest, TellsWhatAnAnswerUsuallyTakes) {
  Succeed(5ms);
  Fail();
  EXPECT_EQ(load_.usual().Read(now_).calls, 2U);
}

TEST_F(LoadTest, LosesNothingWhenAClockIsALittleBehind) {
  Succeed(100ms);
  now_ -= 50ms;
  EXPECT_NEAR(Milliseconds(), 100, 0.1);
  Succeed(10ms);
  EXPECT_NEAR(Milliseconds(), 100, 0.1);
}

}  // namespace
}  // namespace hale::policy
