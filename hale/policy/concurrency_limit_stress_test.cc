#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/base/clock.h"
#include "hale/policy/concurrency_limit.h"

namespace hale::policy {
namespace {

TEST(ConcurrencyLimitStressTest, StaysInItsBoundsWhileAllObserveAndItsOptionsChange) {
  ConcurrencyLimit limit({.mode = Mode::kEnforce, .window = 10ms}, 200);
  SimClock clock;
  std::atomic<bool> done = false;
  std::atomic<bool> out = false;
  std::jthread changes([&] {
    for (int i = 0; !done; ++i) {
      const LimitKind kind = i % 2 == 0 ? LimitKind::kAimd : LimitKind::kGradient2;
      limit.Apply({.mode = Mode::kEnforce, .kind = kind, .window = 10ms}, 200);
      static_cast<void>(limit.Status());
    }
  });
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 12; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 5'000; ++i) {
        clock.Advance(50us);
        const Reception reception = i % 50 == thread ? Reception::kTurnedAway : Reception::kTaken;
        limit.Observe({reception, 1ms * (1 + i % 7), limit.limit()}, clock.Now());
        if (limit.limit() < 4 || limit.limit() > 200) out = true;
      }
    });
  }
  threads.clear();
  done = true;
  EXPECT_FALSE(out);
}

TEST(ConcurrencyLimitStressTest, SaysEachChangeToOneThread) {
  ConcurrencyLimit limit({.mode = Mode::kEnforce, .window = 10ms});
  SimClock clock;
  std::atomic<int> told = 0;
  std::atomic<int> seen = 0;
  for (int round = 0; round < 200; ++round) {
    const std::uint32_t before = limit.limit();
    clock.Advance(1s);
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          told += limit.Observe({Reception::kTaken, 5ms, 1000}, clock.Now()) ? 1 : 0;
        }
      });
    }
    threads.clear();
    seen += limit.limit() != before ? 1 : 0;
  }
  EXPECT_EQ(told, seen);
  EXPECT_GT(seen, 20);
}

}  // namespace
}  // namespace hale::policy
