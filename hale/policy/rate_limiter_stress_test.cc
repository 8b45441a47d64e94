#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/base/random.h"
#include "hale/policy/rate_limiter.h"

namespace hale::policy {
namespace {

template <class F>
void OnThreads(int threads, F f) {
  std::vector<std::jthread> pool;
  for (int i = 0; i < threads; ++i) pool.emplace_back([&f, i] { f(i); });
}

TEST(RateLimiterStressTest, ThreadsTogetherNeverGetMoreThanRateTimesTimePlusBurst) {
  SimClock clock;
  RateLimiter limiter({.rate = {1000, 1s}, .burst = 10}, {.clock = clock});
  const TimePoint start = clock.Now();
  std::atomic<std::uint64_t> permits = 0;
  OnThreads(6, [&](int thread) {
    SeededRandom random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < 20'000; ++i) {
      if (thread == 0) clock.Advance(random.Between(0ns, 1ms));
      const std::uint64_t weight = 1 + random.Below(3);
      if (limiter.Take(clock.Now(), weight)) permits += weight;
    }
  });
  const double most = Seconds(clock.Now() - start) * 1000 + 10;
  EXPECT_LE(static_cast<double>(permits.load()), most);
  EXPECT_GT(static_cast<double>(permits.load()), most * 0.5);
}

TEST(RateLimiterStressTest, ThreadsTogetherTakeEachPermitOnce) {
  SimClock clock;
  RateLimiter limiter({.rate = {1, 1h}, .burst = 1'500'000}, {.clock = clock});
  std::atomic<int> permits = 0;
  OnThreads(4, [&](int) {
    int mine = 0;
    for (int i = 0; i < 500'000; ++i) mine += limiter.Take().has_value() ? 1 : 0;
    permits += mine;
  });
  EXPECT_EQ(permits, 1'500'000);
}

TEST(RateLimiterStressTest, ApplyUnderLoadNeitherRefillsNorLosesDebt) {
  SimClock clock;
  RateLimiter limiter({.rate = {1, 1h}, .burst = 1000}, {.clock = clock});
  std::atomic<int> permits = 0;
  OnThreads(4, [&](int thread) {
    for (std::uint64_t i = 1; i <= 5000; ++i) {
      if (thread == 0) limiter.Apply({.rate = {1 + i % 5, 1h}, .burst = 1000});
      if (limiter.Take()) ++permits;
    }
  });
  EXPECT_EQ(permits, 1000);  // time stands still: the burst and no more
}

}  // namespace
}  // namespace hale::policy
