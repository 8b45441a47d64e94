#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/guard/caller_executor.h"
#include "hale/guard/enter.h"

namespace hale::guard {
namespace {

using policy::Bulkhead;

Task<bool> EnterAndLeave(Bulkhead& bulkhead, Executor& executor, std::atomic<int>& inside) {
  auto place = co_await EnterQueue(bulkhead, executor, kNever);
  if (!place) co_return false;
  EXPECT_EQ(inside.fetch_add(1), 0);
  std::this_thread::yield();  // so that others find it taken
  inside.fetch_sub(1);
  co_return true;
}

// Waits so short that granting and giving up meet all the time; each call has an executor on its
// stack, which goes the moment that it is woken.
TEST(EnterStressTest, APlaceIsUsedOrGivenBackWhenGrantAndTimeoutMeet) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 5'000;
  Bulkhead bulkhead({.limit = 1, .queue = kThreads, .max_wait = 5us});
  std::atomic<int> inside{0};
  std::atomic<int> entered{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kCalls; ++n) {
        CallerExecutor executor(RealClock());
        if (executor.Wait(EnterAndLeave(bulkhead, executor, inside))) entered.fetch_add(1);
      }
    });
  }
  threads.clear();
  EXPECT_GT(entered, 0);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  EXPECT_EQ(bulkhead.waiting(), 0U);
}

}  // namespace
}  // namespace hale::guard
