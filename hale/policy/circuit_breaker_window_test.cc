#include "hale/policy/circuit_breaker_window.h"

#include <gtest/gtest.h>

#include "hale/policy/circuit_breaker_memory.h"
#include "hale/policy/outlier.h"

namespace hale::policy {
namespace {

class CircuitWindowTest : public testing::Test {
 protected:
  void Answer(Verdict verdict, int times = 1) {
    for (int i = 0; i < times; ++i) window_.Answer(window_.Send(now_), verdict);
  }
  CircuitEvidence evidence(Duration hung_after = kForever) {
    window_.Roll(now_);
    return window_.Evidence(now_, hung_after);
  }
  /// Calls that are out: by then each of them is hung.
  std::uint64_t Out() const { return window_.Evidence(now_ + 24h, 1s).hung; }

  CircuitBreakerOptions options_{.window = 10s, .buckets = 10};
  CircuitWindow window_{options_};
  TimePoint now_{1h};
};

TEST_F(CircuitWindowTest, ForgetsOneBucketAtATime) {
  for (int i = 0; i < 10; ++i, now_ += 1s) Answer(Verdict::kGood, i + 1);
  EXPECT_EQ(evidence().good, 54U);  // 55 less the first bucket's one
  now_ += 1s;
  EXPECT_EQ(evidence().good, 52U);
}

TEST_F(CircuitWindowTest, AnInstanceIsRememberedIn256Bytes) {
  const CircuitMemory memory{CircuitBreakerOptions{}};
  // The two averages of a Load, each with its time, are eight bytes.
  const std::size_t averages = 16;
  const std::size_t all =
      sizeof(memory) + memory.window().bytes() + sizeof(InstanceVerdict) + averages;
  EXPECT_LE(all, 256U);
}

TEST_F(CircuitWindowTest, SaysWhenABucketBegins) {
  EXPECT_TRUE(window_.Roll(now_));
  EXPECT_FALSE(window_.Roll(now_ + 999ms));
  EXPECT_TRUE(window_.Roll(now_ + 1s));
}

TEST_F(CircuitWindowTest, ALeapCostsNoMoreThanItsBuckets) {
  window_.Rebucket({.window = 1s, .buckets = 32});
  Answer(Verdict::kFailed, 3);
  for (const Duration leap : {Duration(24h * 30), Duration(24h * 365 * 290)}) {
    now_ += leap;  // of 3 * 10^11 buckets, the second: one by one it would not end
    EXPECT_TRUE(window_.Roll(now_));
  }
  EXPECT_EQ(evidence().failed, 0U);
}

TEST_F(CircuitWindowTest, TimeThatRunsBackUsesTheNewestBucket) {
  window_.Roll(now_);
  EXPECT_EQ(window_.Send(now_ - 1s), now_);
}

TEST_F(CircuitWindowTest, TimeThatRunsBackMoreThanAWindowStartsOver) {
  Answer(Verdict::kFailed, 3);
  const TimePoint sent = window_.Send(now_);
  now_ -= 30min;
  EXPECT_EQ(evidence().failed, 0U);
  window_.Answer(sent, Verdict::kFailed);
  EXPECT_EQ(evidence().failed, 0U);
  EXPECT_EQ(Out(), 0U);
}

TEST_F(CircuitWindowTest, CallsThatAreOutAreToldApartByAge) {
  window_.Send(now_);
  window_.Send(now_ + 1s);
  window_.Send(now_ + 2s);
  now_ += 4s;
  EXPECT_EQ(evidence(2s).hung, 2U);
  EXPECT_EQ(evidence(3s).hung, 1U);
  EXPECT_EQ(evidence(4s).hung, 0U);
  EXPECT_EQ(evidence(kForever).hung, 0U);
}

TEST_F(CircuitWindowTest, CallsThatAreOutAreToldApartBeyondTheWindow) {
  options_.hung_after = 25s;
  window_.Rebucket(options_);
  window_.Send(now_);
  now_ += 25s;
  EXPECT_EQ(evidence(25s).hung, 0U);
  now_ += 1s;
  EXPECT_EQ(evidence(25s).hung, 1U);
}

TEST_F(CircuitWindowTest, CallsThatAreOutAreKnownBeyondTheRing) {
  const TimePoint sent = window_.Send(now_);
  now_ += 10min;
  EXPECT_EQ(evidence(31s).hung, 1U);
  window_.Answer(sent, Verdict::kGood);
  EXPECT_EQ(evidence(31s).hung, 0U);
  EXPECT_EQ(Out(), 0U);
}

TEST_F(CircuitWindowTest, AnAnswerToACallBeyondTheRingIsCountedNowhere) {
  window_.Rebucket({.window = 32s, .buckets = 32});
  const TimePoint sent = window_.Send(now_);
  for (int i = 0; i < 40; ++i, now_ += 1s) Answer(Verdict::kGood);
  window_.Answer(sent, Verdict::kFailed);
  EXPECT_EQ(window_.Evidence(now_ - 1s, kForever).failed, 0U);
  EXPECT_EQ(Out(), 0U);
}

TEST_F(CircuitWindowTest, IsReadAtAnInstantWithoutBeginningABucket) {
  Answer(Verdict::kFailed, 3);
  EXPECT_EQ(window_.Evidence(now_ + 10s, kForever).failed, 0U);
  EXPECT_EQ(window_.Evidence(now_, kForever).failed, 3U);
}

TEST_F(CircuitWindowTest, FinerPartsKeepWhatIsRemembered) {
  options_ = {.slow_call = 1s, .window = 5s, .buckets = 20};
  Answer(Verdict::kFailed, 5);
  now_ += 2s;
  const TimePoint sent = window_.Send(now_);
  Answer(Verdict::kGood, 7);
  window_.Rebucket(options_);
  window_.Answer(sent, Verdict::kSlow);
  EXPECT_EQ(evidence().failed, 5U);
  EXPECT_EQ(evidence().good, 7U);
  EXPECT_EQ(evidence().slow, 1U);
  EXPECT_EQ(Out(), 0U);
}

TEST_F(CircuitWindowTest, CallsThatAreOutWhenThePartsChangeAreNoRow) {
  const TimePoint sent = window_.Send(now_);
  window_.Roll(now_ += 900ms);
  window_.Rebucket({.window = 5s, .buckets = 20});
  window_.Answer(sent, Verdict::kGood);
  EXPECT_EQ(window_.Evidence(now_ + 2s, 1s).hung_in_row, 0U);
  const TimePoint later = window_.Send(now_ += 1s);
  window_.Roll(now_ += 2s);
  window_.Answer(later, Verdict::kGood);
  EXPECT_EQ(evidence(1s).hung, 0U);
}

TEST_F(CircuitWindowTest, AShorterWindowForgetsWhatIsOlder) {
  Answer(Verdict::kFailed, 5);
  now_ += 6s;
  Answer(Verdict::kGood, 7);
  window_.Rebucket({.window = 5s, .buckets = 10});
  EXPECT_EQ(evidence().failed, 0U);
  EXPECT_EQ(evidence().good, 7U);
}

TEST_F(CircuitWindowTest, NothingIsForgottenBeforeItsTimeByRebucketing) {
  Answer(Verdict::kFailed, 5);
  now_ += 999ms;
  window_.Roll(now_);
  window_.Rebucket({.window = 1s, .buckets = 10});
  EXPECT_EQ(evidence().failed, 5U);
}

}  // namespace
}  // namespace hale::policy
