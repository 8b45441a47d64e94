#include "hale/policy/concurrency_limit_core.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

constexpr ConcurrencyLimitOptions kGradient = {.mode = Mode::kEnforce, .start = 100};
constexpr ConcurrencyLimitOptions kAimd = {
    .mode = Mode::kEnforce, .kind = LimitKind::kAimd, .start = 100};

class ConcurrencyLimitCoreTest : public ::testing::Test {
 protected:
  /// So many windows of calls that take `latency`, with `use` of the limit in flight.
  void Run(int windows, Duration latency, double use = 1, std::uint64_t answered = 1000) {
    for (int i = 0; i < windows; ++i) {
      core_.OnWindow({.answered = answered,
                      .latency = latency,
                      .in_flight = use * core_.limit(),
                      .in_force = in_force_});
    }
  }
  void Drop(int windows, std::uint64_t dropped, std::uint64_t answered = 0, double use = 1) {
    for (int i = 0; i < windows; ++i) {
      core_.OnWindow({.answered = answered,
                      .dropped = dropped,
                      .latency = 40ms,
                      .in_flight = use * core_.limit()});
    }
  }
  /// Windows of a service with `workers` and their time for a call, all of the limit in flight.
  void Serve(int windows, double workers, Duration service) {
    for (int i = 0; i < windows; ++i) {
      const double wait = std::max(1.0, core_.limit() / workers);
      Run(1, Scale(service, wait));
    }
  }
  void Use(const ConcurrencyLimitOptions& options, std::uint32_t most = 1024) {
    core_ = ConcurrencyLimitCore(options, most);
  }

  ConcurrencyLimitCore core_{kGradient, 1024};
  bool in_force_ = true;
};

TEST_F(ConcurrencyLimitCoreTest, FallsWithinWindowsWhenCallsTakeThreeTimesAsLong) {
  Run(10, 40ms, 0.6);
  const std::uint32_t before = core_.limit();
  Run(3, 120ms);
  EXPECT_LT(core_.limit(), before * 0.75);
}

TEST_F(ConcurrencyLimitCoreTest, RecoversWhenCallsAreFastAgain) {
  Run(10, 40ms);
  const std::uint32_t before = core_.limit();
  Run(5, 120ms);
  Run(40, 40ms);
  EXPECT_GE(core_.limit(), before * 0.9);
}

TEST_F(ConcurrencyLimitCoreTest, StaysWhileLessThanHalfIsInUse) {
  for (const auto& options : {kGradient, kAimd}) {
    Use(options);
    Run(10, 40ms, 0.49);
    Run(100, 400ms, 0.49);
    EXPECT_EQ(core_.limit(), 100U);
  }
}

TEST_F(ConcurrencyLimitCoreTest, GrowsWhenHalfIsInUse) {
  for (const auto& options : {kGradient, kAimd}) {
    Use(options);
    Run(10, 40ms, 0.5);
    EXPECT_GT(core_.limit(), 100U);
  }
}

TEST_F(ConcurrencyLimitCoreTest, FallsWhenAllCallsTimeOut) {
  for (const auto& options : {kGradient, kAimd}) {
    Use(options);
    Drop(10, 50);
    EXPECT_EQ(core_.limit(), 34U);  // 100 × 0.9^10
    Drop(100, 50);
    EXPECT_EQ(core_.limit(), 4U);
  }
}

TEST_F(ConcurrencyLimitCoreTest, FallsWhenMoreThanOneInAHundredIsDroppedHoweverFastTheRest) {
  Drop(1, 11, 989);
  EXPECT_EQ(core_.limit(), 90U);
}

TEST_F(ConcurrencyLimitCoreTest, FallsByDropsAlsoWhileLittleIsInUse) {
  Drop(1, 50, 0, 0.1);
  EXPECT_EQ(core_.limit(), 90U);
}

TEST_F(ConcurrencyLimitCoreTest, TakesOneInAHundredForAStray) {
  Drop(1, 10, 990);
  EXPECT_GT(core_.limit(), 100U);
}

TEST_F(ConcurrencyLimitCoreTest, LearnsNothingFromAWindowWithoutCalls) {
  core_.OnWindow({});
  EXPECT_EQ(core_.limit(), 100U);
  EXPECT_EQ(core_.no_load(), Duration::zero());
}

TEST_F(ConcurrencyLimitCoreTest, LearnsNoTimeWhereNothingWasAnswered) {
  core_.OnWindow({.dropped = 50, .in_flight = 100});
  EXPECT_EQ(core_.no_load(), Duration::zero());
}

TEST_F(ConcurrencyLimitCoreTest, GrowsWhenCallsTakeNoTimeAtAll) {
  Run(5, 0ns);
  EXPECT_GT(core_.limit(), 100U);
}

TEST_F(ConcurrencyLimitCoreTest, NeverLeavesItsBounds) {
  Use(kGradient, 110);
  Run(1000, 40ms);
  EXPECT_EQ(core_.limit(), 110U);
  Drop(1000, 50);
  EXPECT_EQ(core_.limit(), 4U);
}

TEST_F(ConcurrencyLimitCoreTest, LetsTheMostWinOverTheLeast) {
  Use({.min = 50, .start = 100}, 10);
  EXPECT_EQ(core_.limit(), 10U);
}

TEST_F(ConcurrencyLimitCoreTest, AddsNoQueueWhileCallsAreSlowerThanTolerated) {
  Run(1, 40ms);
  std::uint32_t before = core_.limit();
  for (int i = 0; i < 5; ++i, before = core_.limit()) {
    Run(1, 62ms);  // hardly more than 1.5 × 40 ms
    EXPECT_LE(core_.limit(), before);
  }
  EXPECT_LT(core_.limit(), 102U);
}

TEST_F(ConcurrencyLimitCoreTest, DoesNotTakeAQueueOfItsOwnForTheTimeWithoutLoad) {
  Serve(20, 100, 40ms);
  Serve(5000, 100, 40ms);
  EXPECT_EQ(core_.no_load(), 40ms);
  EXPECT_LT(core_.limit(), 160U);
  EXPECT_GE(core_.limit(), 100U);
}

TEST_F(ConcurrencyLimitCoreTest, LearnsFromLittleLoadThatCallsHaveBecomeLonger) {
  Run(10, 40ms);
  Run(60, 100ms, 0.2);
  EXPECT_NEAR(Seconds(core_.no_load()), 0.1, 0.005);
}

TEST_F(ConcurrencyLimitCoreTest, TakesTheTimeForTheServicesOwnWhenHalfTheLimitIsNotFaster) {
  Run(10, 40ms);
  Run(10, 120ms);
  EXPECT_EQ(core_.no_load(), 120ms);
  const std::uint32_t halved = core_.limit();
  Run(5, 120ms);
  EXPECT_GT(core_.limit(), halved);
}

TEST_F(ConcurrencyLimitCoreTest, DrawsNoConclusionWhileItIsNotInForce) {
  Run(10, 40ms);
  in_force_ = false;
  Run(100, 120ms);
  EXPECT_EQ(core_.no_load(), 40ms);
  EXPECT_EQ(core_.limit(), 4U);
}

TEST_F(ConcurrencyLimitCoreTest, IsNotBelowWhatWentWellWhileItIsNotInForce) {
  const auto windows = [&](std::uint64_t dropped, Duration latency) {
    for (int i = 0; i < 100; ++i) {
      core_.OnWindow({.answered = 1000 - dropped,
                      .dropped = dropped,
                      .latency = latency,
                      .in_flight = 80,
                      .in_force = in_force_});
    }
    return core_.limit();
  };
  Run(10, 40ms);
  in_force_ = false;
  EXPECT_EQ(windows(0, 120ms), 40U);    // 80 × 1.5 × 40 ÷ 120
  EXPECT_EQ(windows(500, 120ms), 20U);  // and half of them dropped
  EXPECT_EQ(windows(1000, 120ms), 4U);
  Use(kAimd);
  EXPECT_EQ(windows(500, 120ms), 40U);
  in_force_ = true;
  EXPECT_EQ(windows(500, 120ms), 4U);
}

TEST_F(ConcurrencyLimitCoreTest, GrowsAtOnceToWhatGoesWellWhileItIsNotInForce) {
  Run(10, 40ms);
  core_.OnWindow({.answered = 1000, .latency = 50ms, .in_flight = 300, .in_force = false});
  EXPECT_EQ(core_.limit(), 300U);
  core_.OnWindow({.answered = 1000, .latency = 50ms, .in_flight = 3000, .in_force = false});
  EXPECT_EQ(core_.limit(), 1024U);
}

TEST_F(ConcurrencyLimitCoreTest, WatchesAFallOnlyFromWhereItIsInForce) {
  Run(10, 40ms);
  Run(1, 120ms);
  in_force_ = false;
  Run(6, 120ms);
  in_force_ = true;
  Run(1, 120ms);  // half of what it fell from, but not in force
  EXPECT_EQ(core_.no_load(), 40ms);
}

TEST_F(ConcurrencyLimitCoreTest, DrawsNoConclusionWhileMoreAreOutThanItAllows) {
  Use({.mode = Mode::kEnforce, .start = 4});
  Run(3, 40ms, 0.5);
  Run(20, 120ms, 1.5);
  EXPECT_EQ(core_.no_load(), 40ms);
}

TEST_F(ConcurrencyLimitCoreTest, WatchesAFallAnewWhenItsKindHasChanged) {
  Run(10, 40ms);
  Run(1, 120ms);
  core_.Apply(kAimd, 1024);
  Drop(8, 50, 50);  // less than half of what it fell from
  core_.Apply(kGradient, 1024);
  Run(1, 120ms);
  EXPECT_EQ(core_.no_load(), 40ms);
}

TEST_F(ConcurrencyLimitCoreTest, LearnsWhatCallsTakeWithEachKind) {
  Use(kAimd);
  Run(1, 400ms);  // its first window was one of overload
  EXPECT_EQ(core_.no_load(), 400ms);
  Run(1, 40ms, 1, 1'000'000);
  EXPECT_NEAR(Seconds(core_.no_load()), 0.04, 0.001);
}

TEST_F(ConcurrencyLimitCoreTest, DoesNotTakeItForTheServicesOwnWhenHalfTheLimitIsFaster) {
  Run(5, 40ms);
  Serve(60, 10, 40ms);
  EXPECT_EQ(core_.no_load(), 40ms);
  EXPECT_LT(core_.limit(), 17U);
}

TEST_F(ConcurrencyLimitCoreTest, IsNotHeldAtItsLeastByAServiceThatHasBecomeSlow) {
  Use({.start = 4});
  Serve(3, 4, 40ms);
  Serve(100, 4, 120ms);
  EXPECT_GE(core_.no_load(), 80ms);
  EXPECT_LE(core_.limit(), 8U);
}

TEST_F(ConcurrencyLimitCoreTest, BelievesASlowServiceLittleByLittleAtItsLeast) {
  Use({.start = 4}, 4);
  Run(3, 40ms);
  Run(1, 120ms);
  EXPECT_EQ(core_.no_load(), 48ms);
}

TEST_F(ConcurrencyLimitCoreTest, WatchesEachFallFromItsOwnBeginning) {
  Run(10, 40ms);
  Run(1, 62ms);  // a fall that ended
  Run(60, 40ms);
  const std::uint32_t before = core_.limit();
  Run(9, 120ms);
  EXPECT_EQ(core_.no_load(), 120ms);
  EXPECT_GT(core_.limit(), before / 3);
}

TEST_F(ConcurrencyLimitCoreTest, BelievesFewFastCallsOnlyByHalf) {
  Run(10, 40ms);
  Run(1, 20ms, 1, 25);
  EXPECT_EQ(core_.no_load(), 28ms);
}

TEST_F(ConcurrencyLimitCoreTest, DoesNotGrowForeverWhenEachCallTakesTheSame) {
  Use(kAimd);
  Run(100, 40ms, 0.4);
  EXPECT_EQ(core_.limit(), 100U);
}

TEST_F(ConcurrencyLimitCoreTest, GrowsByOneAWindowAndFallsByATenthWhenAdditive) {
  Use(kAimd);
  Run(7, 40ms);
  EXPECT_EQ(core_.limit(), 107U);
  Drop(1, 50, 50);
  EXPECT_EQ(core_.limit(), 96U);
}

TEST_F(ConcurrencyLimitCoreTest, KeepsWhatItKnowsWhenItsOptionsChange) {
  Run(50, 40ms);
  const std::uint32_t before = core_.limit();
  core_.Apply({.kind = LimitKind::kAimd, .start = 7}, 1024);
  EXPECT_EQ(core_.limit(), before);
  EXPECT_EQ(core_.no_load(), 40ms);
  Run(1, 400ms);  // additive, it does not look at the time
  EXPECT_EQ(core_.limit(), before + 1);
  core_.Apply(kGradient, 50);
  EXPECT_EQ(core_.limit(), 50U);
}

}  // namespace
}  // namespace hale::policy
