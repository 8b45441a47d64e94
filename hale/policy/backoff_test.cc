#include "hale/policy/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace hale::policy {
namespace {

constexpr Backoff kDefault{};

TEST(BackoffTest, DoublesFromItsBaseToItsCap) {
  EXPECT_EQ(kDefault.Ceiling(1), 25ms);
  EXPECT_EQ(kDefault.Ceiling(2), 50ms);
  EXPECT_EQ(kDefault.Ceiling(3), 100ms);
  EXPECT_EQ(kDefault.Ceiling(4), 200ms);
  EXPECT_EQ(kDefault.Ceiling(5), 250ms);
}

TEST(BackoffTest, StaysAtItsCapAfterTenThousandFailures) {
  constexpr Backoff kSlow{.base = 1h, .max = 5h};
  SeededRandom random(1);
  EXPECT_EQ(kSlow.Ceiling(10'000), 5h);
  const Duration delay = kSlow.Delay(10'000, random);
  EXPECT_GT(delay, 0ns);
  EXPECT_LE(delay, 5h);
}

TEST(BackoffTest, DoesNotOverflowAtTheEndOfTheRange) {
  constexpr Backoff kEndless{.base = 1h, .max = kForever};
  ASSERT_EQ(kEndless.Ceiling(100), kForever);
  EXPECT_EQ(kEndless.Ceiling(0xffffffff), kForever);
  SeededRandom random(1);
  EXPECT_GT(kEndless.Delay(0xffffffff, random), 0ns);
}

TEST(BackoffTest, KeepsItsJitterAtTheCap) {
  SeededRandom random(7);
  std::set<Duration> seen;
  Duration sum{0};
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = kDefault.Delay(100, random);
    EXPECT_LE(delay, 250ms);
    seen.insert(delay);
    sum += delay;
  }
  EXPECT_GT(seen.size(), 900U);
  // Uniform in (0, 250 ms]: the mean of 1,000 draws has a standard error of 2.3 ms.
  EXPECT_NEAR(Seconds(sum / 1000), 0.125, 0.012);
}

TEST(BackoffTest, SpreadsAlsoTheFirstWait) {
  constexpr Backoff kSecond{.base = 1s, .max = 1s};
  SeededRandom random(3);
  Duration low = kForever;
  Duration high{0};
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = kSecond.Delay(1, random);
    low = std::min(low, delay);
    high = std::max(high, delay);
  }
  EXPECT_LT(low, 50ms);
  EXPECT_GT(high, 950ms);
}

TEST(BackoffTest, DrawsTheFirstWaitBelowItsBase) {
  SeededRandom random(5);
  for (int i = 0; i < 100; ++i) EXPECT_LE(kDefault.Delay(1, random), 25ms);
}

TEST(BackoffTest, NeverWaitsBeyondItsCapWhateverItsBase) {
  constexpr Backoff kUpsideDown{.base = 1s, .max = 250ms};
  EXPECT_EQ(kUpsideDown.Ceiling(1), 250ms);
  EXPECT_EQ(kUpsideDown.Ceiling(9), 250ms);
}

TEST(BackoffTest, IsTheSameFromTheSameSeed) {
  SeededRandom one(42);
  SeededRandom other(42);
  for (std::uint32_t i = 1; i < 20; ++i) {
    EXPECT_EQ(kDefault.Delay(i, one), kDefault.Delay(i, other));
  }
}

}  // namespace
}  // namespace hale::policy
