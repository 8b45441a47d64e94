#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "hale/policy/bulkhead.h"

namespace hale::policy {
namespace {

class SpinWaiter final : public Bulkhead::Waiter {
 public:
  void Wake() noexcept override { woken_.store(true, std::memory_order_release); }
  std::expected<Bulkhead::Permit, Rejection> Wait(Bulkhead& bulkhead, int looks) {
    for (int i = 0; i < looks && !woken(); ++i) std::this_thread::yield();
    if (!woken() && bulkhead.Abandon(*this)) return Bulkhead::Permit();
    while (!woken()) std::this_thread::yield();
    return Take();
  }

 private:
  bool woken() const { return woken_.load(std::memory_order_acquire); }
  std::atomic<bool> woken_{false};
};

constexpr std::uint32_t kLimit = 8;

/// Of one kind of caller: how often each thing happened.
struct Tally {
  std::atomic<std::uint32_t> inside{0};
  std::atomic<std::uint32_t> most{0};
  std::atomic<int> waited{0};
  std::atomic<int> shed{0};

  void Stay(bool long_enough) {
    const std::uint32_t now = ++inside;
    std::uint32_t before = most;
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    if (long_enough) std::this_thread::yield();
    --inside;
  }
};

void Enter(Bulkhead& bulkhead, Tally& tally, const Admission& call, int round) {
  SpinWaiter waiter;
  auto permit = bulkhead.Enter(waiter, call, RealClock().Now());
  if (!permit) return;
  if (!*permit) {
    permit = waiter.Wait(bulkhead, round % 50);
    if (!permit) ++tally.shed;
    if (!permit || !*permit) return;
    ++tally.waited;
  }
  tally.Stay(round % 2 == 0);
}

// Case 62.
TEST(BulkheadPartitionStressTest, NeverExceedsTheLimitAndKeepsAShareFor64Threads) {
  constexpr int kThreads = 64;
  Bulkhead bulkhead(
      {.limit = kLimit,
       .queue = 16,
       .partitions = {.by = "route", .shares = {{"a", 0.25}, {"b", 0.5}}, .lend = 0}});
  Tally tally;
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 1; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        const Admission call{.priority = static_cast<Priority>(thread % 4),
                             .key = static_cast<std::uint64_t>(thread % 7),
                             .partition = thread % 3 == 0 ? "b" : "others"};
        for (int i = 0; i < 2'000; ++i) Enter(bulkhead, tally, call, i);
      });
    }
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        const auto mine = bulkhead.TryEnter(TimePoint(1h), "a");
        refused += mine ? 0 : 1;
        if (mine) tally.Stay(false);
        std::this_thread::yield();
      }
    });
  }
  EXPECT_LE(tally.most, kLimit);
  EXPECT_EQ(refused, 0);
  EXPECT_GT(tally.waited, 0);
  EXPECT_GT(tally.shed, 0);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  EXPECT_EQ(bulkhead.waiting(), 0U);
  for (const auto& status : bulkhead.partitions()) EXPECT_EQ(status.in_flight, 0U) << status.name;
}

// Who leaves is seen in all counts or in none: else others would have what is kept for its
// partition.
TEST(BulkheadPartitionStressTest, KeepsWhatIsNotLentForTwoPartitionsThatLendTheRest) {
  Bulkhead bulkhead(
      {.limit = kLimit,
       .queue = 0,
       .partitions = {.by = "route", .shares = {{"a", 0.5}, {"b", 0.5}}, .lend = 0.5}});
  Tally all;
  std::array<std::atomic<int>, 2> refused{};
  std::atomic<int> greedy_refused{0};
  {
    std::vector<std::jthread> threads;
    const auto run = [&](const char* partition, std::atomic<int>& count) {
      threads.emplace_back([&, partition] {
        for (int i = 0; i < 20'000; ++i) {
          const auto mine = bulkhead.TryEnter(TimePoint(1h), partition);
          if (!mine) ++count;
          if (mine) all.Stay(i % 8 == 0);
        }
      });
    };
    for (int i = 0; i < 2; ++i) run("a", refused[0]);  // two places of each are never lent
    for (int i = 0; i < 2; ++i) run("b", refused[1]);
    for (int i = 0; i < 6; ++i) run("others", greedy_refused);
  }
  EXPECT_EQ(refused[0], 0);
  EXPECT_EQ(refused[1], 0);
  EXPECT_GT(greedy_refused, 0);
  EXPECT_LE(all.most, kLimit);
  for (const auto& status : bulkhead.partitions()) EXPECT_EQ(status.in_flight, 0U) << status.name;
}

TEST(BulkheadPartitionStressTest, LosesNobodyWhileItsSharesComeAndGo) {
  BulkheadOptions options{.limit = 3, .queue = 4};
  Bulkhead bulkhead(options);
  Tally tally;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        static constexpr std::array<const char*, 4> kNames{"a", "b", "c", ""};
        const Admission call{.priority = static_cast<Priority>(thread),
                             .partition = kNames[static_cast<std::size_t>(thread)]};
        for (int i = 0; i < 20'000; ++i) Enter(bulkhead, tally, call, i);
      });
    }
    for (int i = 0; i < 2'000; ++i) {
      options.mode = i % 11 == 0 ? Mode::kShadow : Mode::kEnforce;
      options.order = i % 5 == 0 ? QueueOrder::kCodel : QueueOrder::kFifo;
      options.partitions = {};
      if (i % 3 > 0)
        options.partitions = {.by = "route", .shares = {{i % 2 == 0 ? "a" : "b", 0.4}}};
      bulkhead.Apply(options);
    }
  }
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  EXPECT_EQ(bulkhead.waiting(), 0U);
  for (const auto& status : bulkhead.partitions()) EXPECT_EQ(status.in_flight, 0U) << status.name;
}

}  // namespace
}  // namespace hale::policy
