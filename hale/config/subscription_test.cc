#include "hale/config/subscription.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace hale::config {
namespace {

TEST(SubscriptionTest, TellsEachListener) {
  Listeners<int> listeners;
  int sum = 0;
  const auto one = listeners.Add([&](int n) { sum += n; });
  const auto two = listeners.Add([&](int n) { sum += 10 * n; });
  listeners.Tell(3);
  EXPECT_EQ(sum, 33);
}

TEST(SubscriptionTest, ADestroyedHandleEndsIt) {
  Listeners<> listeners;
  int calls = 0;
  {
    const auto handle = listeners.Add([&] { ++calls; });
  }
  listeners.Tell();
  EXPECT_EQ(calls, 0);
}

TEST(SubscriptionTest, AMovedHandleKeepsItAndAnAssignedOneEndsTheOld) {
  Listeners<> listeners;
  int first = 0;
  int second = 0;
  auto handle = listeners.Add([&] { ++first; });
  auto moved = std::move(handle);
  listeners.Tell();
  moved = listeners.Add([&] { ++second; });
  listeners.Tell();
  EXPECT_EQ(std::pair(first, second), std::pair(1, 1));
}

TEST(SubscriptionTest, MayOutliveTheList) {
  auto listeners = std::make_unique<Listeners<>>();
  auto handle = listeners->Add([] {});
  listeners.reset();
  handle.Cancel();
}

TEST(SubscriptionTest, MayEndItselfInItsOwnCall) {
  Listeners<> listeners;
  int calls = 0;
  Subscription handle;
  handle = listeners.Add([&] {
    ++calls;
    handle.Cancel();
  });
  listeners.Tell();
  listeners.Tell();
  EXPECT_EQ(calls, 1);
}

TEST(SubscriptionTest, OneThatAnotherEndsIsNotToldAnyMore) {
  Listeners<> listeners;
  int calls = 0;
  Subscription second;
  const auto first = listeners.Add([&] { second.Cancel(); });
  second = listeners.Add([&] { ++calls; });
  listeners.Tell();
  EXPECT_EQ(calls, 0);
}

TEST(SubscriptionTest, MayAddInACall) {
  Listeners<> listeners;
  int calls = 0;
  std::optional<Subscription> inner;
  const auto outer = listeners.Add([&] { inner = listeners.Add([&] { ++calls; }); });
  listeners.Tell();
  EXPECT_EQ(calls, 0);
  listeners.Tell();
  EXPECT_EQ(calls, 0);  // the first inner one was replaced, the second is told from now on
}

// With threads, for ThreadSanitizer: after the handle is gone, the callback does not run.
TEST(SubscriptionStressTest, NothingRunsAfterTheEnd) {
  Listeners<> listeners;
  std::atomic<bool> stop{false};
  std::thread teller([&] {
    while (!stop.load()) listeners.Tell();
  });
  for (int i = 0; i < 2000; ++i) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    auto handle = listeners.Add([&counter = *alive] { counter.fetch_add(1); });
    handle.Cancel();
    alive.reset();  // a late call would write to what is freed
  }
  stop.store(true);
  teller.join();
}

}  // namespace
}  // namespace hale::config
