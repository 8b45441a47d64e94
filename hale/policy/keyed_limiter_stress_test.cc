#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "hale/base/random.h"
#include "hale/policy/keyed_limiter.h"

namespace hale::policy {
namespace {

template <class F>
void OnThreads(int threads, F f) {
  std::vector<std::jthread> pool;
  for (int i = 0; i < threads; ++i) pool.emplace_back([&f, i] { f(i); });
}

TEST(KeyedLimiterStressTest, AKeyThatManyInsertAtOnceHasOneBurst) {
  constexpr std::size_t kRounds = 5000;
  SimClock clock;
  KeyedLimiter limiter({.rate = {1, 1h}, .burst = 5}, {.clock = clock});
  std::barrier round_begins(4);
  std::vector<std::atomic<int>> admitted(kRounds);
  OnThreads(4, [&](int) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      const std::string key = std::to_string(round);
      round_begins.arrive_and_wait();
      for (int i = 0; i < 5; ++i) admitted[round] += limiter.Take(key).has_value() ? 1 : 0;
    }
  });
  for (const auto& count : admitted) EXPECT_EQ(count.load(), 5);
}

TEST(KeyedLimiterStressTest, KeysThatEvictEachOtherNeverGetMoreThanTheirRate) {
  constexpr std::size_t kKeys = 200;
  SimClock clock;
  KeyedLimiter limiter({.rate = {100, 1s}, .burst = 2, .max_keys = 64}, {.clock = clock});
  const TimePoint start = clock.Now();
  std::array<std::atomic<int>, kKeys> admitted{};
  OnThreads(4, [&](int thread) {
    SeededRandom random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < 50'000; ++i) {
      if (thread == 0) clock.Advance(random.Between(0ns, 500us));
      const std::size_t key = random.Below(kKeys);
      if (limiter.Take(std::to_string(key), clock.Now())) ++admitted[key];
    }
  });
  const double each = Seconds(clock.Now() - start) * 100 + 2;
  for (const auto& count : admitted) EXPECT_LE(count.load(), each);
}

TEST(KeyedLimiterStressTest, ApplyUnderLoadNeitherRefillsNorLosesDebt) {
  constexpr std::size_t kKeys = 50;
  SimClock clock;
  KeyedLimiter limiter({.rate = {1, 1h}, .burst = 20, .max_keys = 256}, {.clock = clock});
  std::array<std::atomic<int>, kKeys> admitted{};
  OnThreads(4, [&](int thread) {
    for (std::uint64_t i = 0; i < 4000; ++i) {
      if (thread == 0 && i % 20 == 0) limiter.Apply({.rate = {1 + i % 5, 1h}, .burst = 20});
      if (limiter.Take(std::to_string(i % kKeys))) ++admitted[i % kKeys];
    }
  });
  for (const auto& count : admitted) EXPECT_EQ(count.load(), 20);
}

}  // namespace
}  // namespace hale::policy
