#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "hale/guard/caller_executor.h"
#include "hale/guard/enter.h"

namespace hale::guard {
namespace {

using policy::Bulkhead;

constexpr policy::Admission kCall{};

Task<bool> EnterAndLeave(Bulkhead& bulkhead, Executor& executor, std::atomic<int>& inside) {
  auto place = co_await EnterQueue(bulkhead, executor, kCall);
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

/// Two targets that take one call each.
class TwoSeats final : public Targets {
 public:
  std::expected<Lease, Rejection> Pick(const Wanted& wanted) override {
    auto lease = Lease::Take(seats_[0], wanted.now);
    if (!lease) lease = Lease::Take(seats_[1], wanted.now);
    return lease;
  }
  std::expected<Lease, Rejection> PickOther(const Wanted& wanted) override { return Pick(wanted); }

 private:
  static std::shared_ptr<Target> Make() {
    return std::make_shared<Target>(policy::CircuitBreakerOptions{},
                                    policy::CircuitBreakerContext{}, 1U);
  }
  std::array<std::shared_ptr<Target>, 2> seats_{Make(), Make()};
};

Task<bool> SitAndLeave(Bulkhead& bulkhead, Executor& executor, TwoSeats& seats,
                       std::atomic<int>& seated) {
  auto place = co_await EnterQueue(bulkhead, executor, kCall);
  if (!place) co_return false;
  Bulkhead::Permit mine = std::move(*place);
  const Tried tried;
  const Wanted wanted{tried, executor.Now(), Duration::zero(), ThreadRandom()};
  const auto patience = bulkhead.PatienceFrom(wanted.now, kForever, bulkhead.leaves());
  auto lease = seats.Pick(wanted);
  if (!lease) {
    const FullHouse house{bulkhead, executor, seats, mine, kCall};
    lease = co_await PickWhenFree(house, patience, wanted);
  }
  if (!lease) co_return false;
  EXPECT_LT(seated.fetch_add(1), 2);
  std::this_thread::yield();
  seated.fetch_sub(1);
  *lease = Lease();
  co_return true;
}

// More places than seats: all who have a place in vain wait for the next that leaves, and each
// leaver may be the last for a long time. One that is not woken waits its whole patience out.
TEST(EnterStressTest, NobodyMissesTheSeatThatBecomesFree) {
  constexpr int kThreads = 6;
  constexpr int kCalls = 3'000;
  Bulkhead bulkhead({.limit = 4, .queue = kThreads, .max_wait = 1min});
  TwoSeats seats;
  std::atomic<int> seated{0};
  std::atomic<int> served{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kCalls; ++n) {
        CallerExecutor executor(RealClock());
        if (executor.Wait(SitAndLeave(bulkhead, executor, seats, seated))) served.fetch_add(1);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(served, kThreads * kCalls);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  EXPECT_EQ(bulkhead.waiting(), 0U);
}

}  // namespace
}  // namespace hale::guard
