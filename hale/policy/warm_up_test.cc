#include "hale/policy/warm_up.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "hale/policy/rate_limiter.h"

namespace hale::policy {
namespace {

/// A limiter of 100/s that warms up over 10 s from a third of it.
class WarmUpTest : public testing::Test {
 protected:
  RateLimiter Make() { return RateLimiter(options_, {.clock = clock_}); }
  /// Takes as soon as it may for so long; how many a second.
  double Use(RateLimiter& limiter, Duration span) {
    const TimePoint until = clock_.Now() + span;
    double admitted = 0;
    while (clock_.Now() < until) {
      const auto taken = limiter.Take();
      admitted += taken ? 1 : 0;
      if (!taken) clock_.Advance(std::min(taken.error().retry_after, until - clock_.Now()));
    }
    return admitted / Seconds(span);
  }

  RateLimiterOptions options_{.rate = {100, 1s}, .burst = 1, .warm_up = 10s, .cold = 3};
  SimClock clock_;
};

TEST_F(WarmUpTest, BeginsAtTheRateDividedByCold) {
  RateLimiter limiter = Make();
  EXPECT_NEAR(Use(limiter, 500ms), 100 / 3.0, 3);
}

TEST_F(WarmUpTest, ReachesTheRateAfterTheWarmUpAndNotBefore) {
  RateLimiter limiter = Make();
  Use(limiter, 8s);
  EXPECT_LT(Use(limiter, 1s), 95);
  Use(limiter, 1s);
  EXPECT_NEAR(Use(limiter, 1s), 100, 1);
}

TEST_F(WarmUpTest, TheRampGrowsAllTheWay) {
  RateLimiter limiter = Make();
  double before = 0;
  for (int second = 0; second < 9; ++second) {
    const double now = Use(limiter, 1s);
    EXPECT_GE(now, before);
    before = now;
  }
  EXPECT_NEAR(before, 68, 3);  // the square of the price falls evenly
}

TEST_F(WarmUpTest, CallersThatComeALittleLateWarmItToo) {
  RateLimiter limiter = Make();
  for (int i = 0; i < 2000; ++i, clock_.Advance(15ms)) (void)limiter.Take();  // 66/s of 100
  EXPECT_LT(limiter.coldness(), 0.01);
}

TEST_F(WarmUpTest, CoolsWhileItRests) {
  RateLimiter limiter = Make();
  Use(limiter, 12s);
  EXPECT_LT(limiter.coldness(), 0.6);
  clock_.Advance(10s);
  EXPECT_NEAR(Use(limiter, 500ms), 100 / 3.0, 3);
}

TEST_F(WarmUpTest, AShortRestCoolsALittle) {
  RateLimiter limiter = Make();
  Use(limiter, 20s);
  clock_.Advance(6s);
  const double rate = Use(limiter, 500ms);
  EXPECT_GT(rate, 40);
  EXPECT_LT(rate, 95);
}

TEST_F(WarmUpTest, NeverAdmitsMoreThanWithoutIt) {
  options_.burst = 10;
  RateLimiter cold = Make();
  options_.warm_up = 0s;
  RateLimiter plain = Make();
  int ahead = 0;
  for (int i = 0; i < 100'000; ++i) {
    clock_.Advance(i % 1000 == 0 ? Duration(5s) : Duration(3ms));
    ahead += cold.Take() ? 1 : 0;
    ahead -= plain.Take() ? 1 : 0;
    ASSERT_LE(ahead, 0);
  }
}

TEST_F(WarmUpTest, ABurstOfOneStillPassesWhenCold) {
  options_.cold = 100;
  RateLimiter limiter = Make();
  EXPECT_TRUE(limiter.Take());
  EXPECT_FALSE(limiter.Take());
}

TEST_F(WarmUpTest, ARefusalSaysWhenToComeAgainAsTrueAsWhenWarm) {
  RateLimiter limiter = Make();
  EXPECT_TRUE(limiter.Take());
  const auto refused = limiter.Take();
  clock_.Advance(refused.error().retry_after - 1ns);
  EXPECT_FALSE(limiter.Take());
  clock_.Advance(1ns);
  EXPECT_TRUE(limiter.Take());
}

TEST_F(WarmUpTest, HammeringDoesNotWarmIt) {
  RateLimiter limiter = Make();
  EXPECT_TRUE(limiter.Take());
  const double before = limiter.coldness();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(limiter.Take());
  EXPECT_EQ(limiter.coldness(), before);
}

TEST_F(WarmUpTest, AWeightIsAsMuchDearer) {
  options_.burst = 10;
  RateLimiter limiter = Make();
  EXPECT_TRUE(limiter.Take(clock_.Now(), 10));
  EXPECT_NEAR(Seconds(limiter.reset(clock_.Now())), 10 * 3 / 100.0, 0.005);
}

TEST_F(WarmUpTest, AWeightWarmsAsMuch) {
  options_.burst = 10;
  RateLimiter limiter = Make();
  EXPECT_TRUE(limiter.Take(clock_.Now(), 10));
  EXPECT_NEAR(limiter.coldness(), 1 - 10 / 1000.0, 1e-9);
}

TEST_F(WarmUpTest, ApplyKeepsHowColdItIs) {
  RateLimiter limiter = Make();
  Use(limiter, 5s);
  const double before = limiter.coldness();
  options_.rate = {1000, 1s};
  limiter.Apply(options_);
  EXPECT_NEAR(limiter.coldness(), before, 1e-9);
}

TEST_F(WarmUpTest, TurnedOnWhileItRunsItIsWarm) {
  options_.warm_up = 0s;
  RateLimiter limiter = Make();
  Use(limiter, 1s);
  options_.warm_up = 10s;
  limiter.Apply(options_);
  EXPECT_NEAR(Use(limiter, 1s), 100, 1);
}

TEST_F(WarmUpTest, TurnedOnWhileItRunsItCoolsWhenItRests) {
  options_.warm_up = 0s;
  RateLimiter limiter = Make();
  Use(limiter, 1s);
  options_.warm_up = 10s;
  limiter.Apply(options_);
  clock_.Advance(11s);
  EXPECT_NEAR(Use(limiter, 500ms), 100 / 3.0, 3);
}

TEST(WarmUpPriceTest, ItBeginsCold) {
  const WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  EXPECT_EQ(warm_up.coldness(), 1);
}

TEST(WarmUpPriceTest, TheRampTakesAsLongAsItSays) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 5});
  double seconds = 0;
  for (int i = 0; i < 1000 && warm_up.Surcharge(1, 0s) > 0; ++i) {
    seconds += (1 + warm_up.Surcharge(1, 0s)) / 50;
    warm_up.Take(1, 0s);
  }
  EXPECT_NEAR(seconds, 4, 0.1);
}

TEST(WarmUpPriceTest, AWeightCostsWhatItsPermitsCostOneByOne) {
  WarmUp one({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  const double together = one.Surcharge(20, 0s);
  double apart = 0;
  for (int i = 0; i < 20; ++i) {
    apart += one.Surcharge(1, 0s);
    one.Take(1, 0s);
  }
  EXPECT_NEAR(together, apart, 1e-9);
}

TEST(WarmUpPriceTest, AWeightCostsNoMoreThanTheWholeRamp) {
  const WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  EXPECT_NEAR(warm_up.Surcharge(1000, 0s), 100, 1e-9);  // half of two permits a permit, over 100
}

TEST(WarmUpPriceTest, WarmItCostsNoLess) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  warm_up.Take(150, 0s);
  EXPECT_EQ(warm_up.Surcharge(10, 0s), 0);
}

TEST(WarmUpPriceTest, ItIsNeverWarmerThanWarm) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  warm_up.Take(1000, 0s);
  EXPECT_EQ(warm_up.coldness(), 0);
}

TEST(WarmUpPriceTest, ARestOfHalfTheWarmUpCostsNothingYet) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  warm_up.Take(1000, 0s);
  EXPECT_EQ(warm_up.Surcharge(1, 2s), 0);
  EXPECT_GT(warm_up.Surcharge(1, 2100ms), 0);
}

TEST(WarmUpPriceTest, ItCoolsEvenlyForAsLongAsItWarmsUp) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 5});
  warm_up.Take(1000, 0s);
  warm_up.Take(0, 2s + 20ms);  // 20 ms are no rest, that is a permit's time
  EXPECT_NEAR(warm_up.coldness(), 0.5, 1e-9);
  warm_up.Take(0, 2s + 20ms);
  EXPECT_NEAR(warm_up.coldness(), 1, 1e-9);
}

TEST(WarmUpPriceTest, ALongRestMakesItNoColderThanCold) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  EXPECT_NEAR(warm_up.Surcharge(1, 1h), 2, 0.02);
}

TEST(WarmUpPriceTest, AChangedPriceHoldsAtOnce) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  warm_up.Apply({.rate = {50, 1s}, .warm_up = 4s, .cold = 5});
  EXPECT_NEAR(warm_up.Surcharge(1, 0s), 4, 0.04);
}

TEST(WarmUpPriceTest, TurnedOffNothingCostsMore) {
  WarmUp warm_up({.rate = {50, 1s}, .warm_up = 4s, .cold = 3});
  warm_up.Apply({.rate = {50, 1s}});
  EXPECT_EQ(warm_up.Surcharge(10, 1h), 0);
  EXPECT_EQ(warm_up.coldness(), 0);
}

TEST(WarmUpPriceTest, WithoutAWarmUpNothingCostsMore) {
  for (const WarmUp::Options& options :
       {WarmUp::Options{.rate = {50, 1s}}, {.rate = {50, 1s}, .warm_up = 4s, .cold = 1}}) {
    EXPECT_EQ(WarmUp(options).Surcharge(10, 1h), 0);
    EXPECT_EQ(WarmUp(options).coldness(), 0);
  }
}

}  // namespace
}  // namespace hale::policy
