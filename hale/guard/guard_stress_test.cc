#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

// All callers share one guard: places, permits and tokens must come out even.
TEST(GuardStressTest, ManyThreadsThroughOneGuardLeaveItAtRest) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 2'000;
  Guard guard({.bulkhead = {.limit = 2, .max_wait = 50us},
               .breaker = {.failure_rate = 1.0, .consecutive_failures = 0},
               .retry = {.attempts = 2, .backoff_base = 1us, .backoff_max = 1us}});
  std::atomic<int> inside{0};
  std::atomic<int> answered{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kCalls; ++n) {
        const auto result = guard.Call([&](const Attempt&) -> Result<int> {
          EXPECT_LE(inside.fetch_add(1) + 1, 2);
          inside.fetch_sub(1);
          if (n % 7 == 0) return Fail(Reason::kUpstreamConnect, Executed::kNo);
          return n;
        });
        if (result) answered.fetch_add(1);
      }
    });
  }
  threads.clear();
  const policy::CircuitTotals totals = guard.breaker().Status().totals;
  EXPECT_GT(answered, 0);
  EXPECT_EQ(guard.bulkhead().in_flight(), 0U);
  EXPECT_EQ(totals.admitted,
            totals.succeeded + totals.failed + totals.slow + totals.ignored + totals.late);
}

}  // namespace
}  // namespace hale::guard
