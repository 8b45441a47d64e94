#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/policy/sliding_log.h"

namespace hale::policy {
namespace {

TEST(SlidingLogStressTest, ThreadsTogetherGetTheLimitAndGiveBackWhatTheyTook) {
  SimClock clock;
  SlidingLog log({.rate = {1000, 1s}}, {.clock = clock});
  std::atomic<int> kept = 0;
  std::vector<std::jthread> pool;
  for (int thread = 0; thread < 4; ++thread) {
    pool.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const auto taken = log.Take();
        if (!taken) continue;
        if (i % 2 == 0) {
          log.GiveBack(*taken);
        } else {
          ++kept;
        }
      }
    });
  }
  pool.clear();
  EXPECT_EQ(kept, 1000);
  EXPECT_EQ(log.count(clock.Now()), 1000U);
}

}  // namespace
}  // namespace hale::policy
