#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/guard/caller_executor.h"
#include "hale/guard/single_flight.h"

namespace hale::guard {
namespace {

// Each call has an executor on its stack, which goes the moment that it is done; some wait so
// briefly that the landing and their leaving meet.
TEST(SingleFlightCallStressTest, EachCallerEndsOnceOnItsOwnThread) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 5'000;
  SingleFlight<int> flights;
  std::atomic<int> running{0};
  std::atomic<int> good{0};
  std::atomic<int> late{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        CallerExecutor executor(RealClock());
        // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): it outlives the call
        auto ask = [&]() -> Task<Result<int>> {
          EXPECT_EQ(running.fetch_add(1), 0);
          std::this_thread::yield();
          running.fetch_sub(1);
          co_return 7;
        };
        const TimePoint until = t % 2 == 0 ? kNever : executor.Now() + 2us;
        const auto result = executor.Wait(flights.Call(executor, "key", ask, until));
        EXPECT_EQ(result.value_or(7), 7);
        ++(result ? good : late);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good + late, kThreads * kCalls);
  EXPECT_EQ(flights.flights().flights(), 0U);
}

}  // namespace
}  // namespace hale::guard
