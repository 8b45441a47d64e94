#include "hale/policy/circuit_breaker_rules.h"

#include <gtest/gtest.h>

#include "hale/base/field.h"

namespace hale::policy {
namespace {

TEST(CircuitRulesTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<CircuitBreakerOptions>())> == 14);
}

TEST(CircuitRulesTest, AShareWrittenInTheDocumentIsMetExactly) {
  for (int percent = 1; percent <= 100; ++percent) {
    const CircuitBreakerOptions options{.failure_rate = percent / 100.0, .minimum_calls = 1};
    const auto bad = static_cast<std::uint64_t>(percent);
    EXPECT_TRUE(Decide({.good = 100 - bad, .failed = bad}, 1, options)) << percent;
    EXPECT_FALSE(Decide({.good = 101 - bad, .failed = bad - 1}, 1, options)) << percent;
  }
}

TEST(CircuitRulesTest, TheReasonIsWhatWentWrongMost) {
  const CircuitBreakerOptions options{.minimum_calls = 1};
  EXPECT_EQ(Decide({.failed = 3, .slow = 2, .hung = 2}, 1, options)->reason, Reason::kFailureRate);
  EXPECT_EQ(Decide({.failed = 2, .slow = 3, .hung = 2}, 1, options)->reason, Reason::kSlowRate);
  EXPECT_EQ(Decide({.failed = 2, .slow = 2, .hung = 3}, 1, options)->reason, Reason::kHungCalls);
}

TEST(CircuitRulesTest, ALowSlowRateOpensBelowTheFailureRate) {
  const CircuitBreakerOptions options{.minimum_calls = 10, .slow_rate = 0.2};
  EXPECT_FALSE(Decide({.good = 9, .slow = 1}, 1, options));
  EXPECT_EQ(Decide({.good = 8, .slow = 2}, 1, options)->reason, Reason::kSlowRate);
}

TEST(CircuitRulesTest, TheRampAsksForFewerCalls) {
  const CircuitBreakerOptions options{.minimum_calls = 100, .probes = 3};
  EXPECT_FALSE(Decide({.failed = 9}, 0.1, options));
  EXPECT_TRUE(Decide({.failed = 10}, 0.1, options));
  EXPECT_FALSE(Decide({.failed = 2}, 0.01, options));
  EXPECT_TRUE(Decide({.failed = 3}, 0.01, options));
}

TEST(CircuitRulesTest, TheRampNeverAsksForMoreThanTheMinimum) {
  EXPECT_TRUE(Decide({.failed = 2}, 0.5, {.minimum_calls = 2, .probes = 100}));
}

TEST(CircuitRulesTest, HungAfterIsTheShorterOfTheTwo) {
  EXPECT_EQ(HungAfter({.slow_call = 1s, .hung_after = 5s}), 1s);
  EXPECT_EQ(HungAfter({.slow_call = 0s, .hung_after = 5s}), 5s);
  EXPECT_EQ(HungAfter({.slow_call = 1s, .hung_after = 0s}), 1s);
  EXPECT_EQ(HungAfter({.slow_call = 0s, .hung_after = 0s}), kForever);
}

TEST(CircuitRulesTest, HungAfterIsOffBeyondTheAgesThatAreTold) {
  EXPECT_EQ(HungAfter({.hung_after = 31s, .window = 10s, .buckets = 10}), 31s);
  EXPECT_EQ(HungAfter({.hung_after = 32s, .window = 10s, .buckets = 10}), kForever);
}

TEST(CircuitRulesTest, TheRampGrowsFromATenthToAll) {
  const CircuitBreakerOptions options{.ramp = 10s};
  CircuitWord word;
  word.until = TimePoint(20s);
  EXPECT_DOUBLE_EQ(AdmitShare(word, TimePoint(10s), options), 0.1);
  EXPECT_DOUBLE_EQ(AdmitShare(word, TimePoint(15s), options), 0.55);
  EXPECT_DOUBLE_EQ(AdmitShare(word, TimePoint(20s), options), 1);
  EXPECT_DOUBLE_EQ(AdmitShare(word, TimePoint(5s), options), 0.1);  // a clock that stepped back
}

TEST(CircuitRulesTest, EachChangeOfStateIsANewGeneration) {
  SeededRandom random(1);
  const CircuitBreakerOptions options{.open_for = 1s, .jitter = 0, .probes = 1, .ramp = 0s};
  CircuitWord word = Opened({}, TimePoint(1s), options, random);
  EXPECT_EQ(word.generation, 2U);
  word = Enter(word, {TimePoint(2s), 0s}, options, random).word;
  EXPECT_EQ(word.generation, 3U);
  word = Settle(word, Verdict::kGood, TimePoint(2s), options, random);
  EXPECT_EQ(word.generation, 4U);
  EXPECT_EQ(word.state, CircuitState::kClosed);
}

TEST(CircuitRulesTest, AnEpisodeLastsTheLongerOfTheRestAndTheCall) {
  SeededRandom random(1);
  const CircuitBreakerOptions options{.open_for = 5s};
  CircuitWord word;
  word.state = CircuitState::kOpen;
  word.until = TimePoint(1s);
  EXPECT_EQ(Enter(word, {TimePoint(10s), 1s}, options, random).word.until, TimePoint(15s));
  EXPECT_EQ(Enter(word, {TimePoint(10s), 9s}, options, random).word.until, TimePoint(19s));
}

TEST(CircuitRulesTest, FewerProbesAfterApplyDoNotStickAnEpisode) {
  SeededRandom random(1);
  CircuitWord word;
  word.state = CircuitState::kHalfOpen;
  word.passed = 5;
  word.out = 1;
  word.until = TimePoint(1h);
  const CircuitBreakerOptions options{.probes = 2};
  EXPECT_EQ(Settle(word, Verdict::kGood, TimePoint(1s), options, random).state,
            CircuitState::kClosed);
  EXPECT_TRUE(Enter(word, {TimePoint(1h), 0s}, options, random).admitted);
}

TEST(CircuitRulesTest, JudgesAnAnswerByItsOutcomeAndItsTime) {
  EXPECT_EQ(Judge(Outcome::kSuccess, 1s - 1ns, 1s), Verdict::kGood);
  EXPECT_EQ(Judge(Outcome::kSuccess, 1s, 1s), Verdict::kSlow);
  EXPECT_EQ(Judge(Outcome::kFailure, 1s, 1s), Verdict::kFailed);
  EXPECT_EQ(Judge(Outcome::kIgnored, 1s, 1s), Verdict::kIgnored);
  EXPECT_EQ(Judge(Outcome::kSuccess, 1h, 0s), Verdict::kGood);
}

}  // namespace
}  // namespace hale::policy
