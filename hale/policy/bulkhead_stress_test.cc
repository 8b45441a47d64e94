#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "hale/policy/bulkhead.h"

namespace hale::policy {
namespace {

/// Waits by looking, so that grants and abandons meet as often as they can.
class SpinWaiter final : public Bulkhead::Waiter {
 public:
  void Wake() noexcept override { granted_.store(true, std::memory_order_release); }
  /// Looks a few times; false when it had to give up before a grant.
  bool Wait(Bulkhead& bulkhead, int looks) {
    for (int i = 0; i < looks; ++i) {
      if (granted_.load(std::memory_order_acquire)) return true;
      if (i % 16 == 15) std::this_thread::yield();
    }
    if (bulkhead.Abandon(*this)) return false;
    while (!granted_.load(std::memory_order_acquire)) std::this_thread::yield();
    return true;
  }

 private:
  std::atomic<bool> granted_{false};
};

struct Tally {
  std::atomic<std::uint32_t> inside{0};
  std::atomic<std::uint32_t> most{0};
  std::atomic<int> abandoned{0};
  std::atomic<int> granted{0};
};

void Enter(Bulkhead& bulkhead, Tally& tally, int round) {
  SpinWaiter waiter;
  const int looks = round % 50;
  auto permit = bulkhead.Enter(waiter, {.remaining = 10s}, RealClock().Now());
  if (!permit) return;
  if (!*permit) {
    if (!waiter.Wait(bulkhead, looks)) {
      ++tally.abandoned;
      return;
    }
    permit = waiter.Take();
    if (!permit) return;
    ++tally.granted;
  }
  const std::uint32_t inside = ++tally.inside;
  std::uint32_t most = tally.most;
  while (inside > most && !tally.most.compare_exchange_weak(most, inside)) {
  }
  if (round % 4 == 0) std::this_thread::yield();  // so that others come to wait
  --tally.inside;
}

class BulkheadStressTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(BulkheadStressTest, LosesNoPermitWhenAGrantMeetsAnAbandon) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 250'000;  // of each: a million in all
  Bulkhead bulkhead({.limit = GetParam(), .queue = 3});
  Tally tally;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kRounds; ++i) Enter(bulkhead, tally, i);
      });
    }
  }
  EXPECT_LE(tally.most, GetParam());
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  EXPECT_EQ(bulkhead.waiting(), 0U);
  EXPECT_GT(tally.abandoned, 0);
  EXPECT_GT(tally.granted, 0);
}

INSTANTIATE_TEST_SUITE_P(Limits, BulkheadStressTest, testing::Values(1U, 2U));

// Three have a place, one waits, and one who does not queue looks for a gap while the limit grows
// by one: the place is for the one that waits.
TEST(BulkheadApplyStressTest, LetsNobodyBetweenAHigherLimitAndWhoWaits) {
  Bulkhead bulkhead({.limit = 3, .queue = 1});
  std::atomic<std::uint32_t> most{0};
  const std::jthread prying([&](const std::stop_token& stop) {
    const TimePoint now = RealClock().Now();
    while (!stop.stop_requested()) {
      const auto permit = bulkhead.TryEnter(now);
      for (int look = 0; permit && look < 20; ++look) {
        most = std::max(most.load(), bulkhead.in_flight());
      }
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    std::vector<Bulkhead::Permit> held;
    while (held.size() < 3) {
      if (auto permit = bulkhead.TryEnter(RealClock().Now())) held.push_back(std::move(*permit));
    }
    SpinWaiter waiter;
    ASSERT_TRUE(bulkhead.Enter(waiter, {.remaining = 10s}, RealClock().Now()));
    bulkhead.Apply({.limit = 4, .queue = 1});
    ASSERT_TRUE(waiter.Wait(bulkhead, 1'000'000));
    const auto last = waiter.Take();
    bulkhead.Apply({.limit = 3, .queue = 1});
  }
  EXPECT_LE(most, 4U);
}

TEST(BulkheadApplyStressTest, KeepsCountWhileItsOptionsChange) {
  Bulkhead bulkhead({.limit = 2, .queue = 2});
  Tally tally;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 30'000; ++i) Enter(bulkhead, tally, i);
      });
    }
    for (std::uint32_t i = 0; i < 3'000; ++i) {
      bulkhead.Apply({.mode = i % 7 == 0 ? Mode::kOff : Mode::kEnforce, .limit = 1 + i % 3});
    }
    bulkhead.Apply({.limit = 2, .queue = 2});
  }
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  EXPECT_EQ(bulkhead.waiting(), 0U);
}

}  // namespace
}  // namespace hale::policy
