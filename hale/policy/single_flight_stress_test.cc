#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hale/base/random.h"
#include "hale/policy/single_flight.h"

namespace hale::policy {
namespace {

class Sleeper final : public SingleFlight::Follower {
 public:
  void OnLanded() noexcept override {
    done_.store(true, std::memory_order_release);
    done_.notify_one();
  }
  void Wait() { done_.wait(false, std::memory_order_acquire); }

 private:
  std::atomic<bool> done_{false};
};

// Followers live on the stack and go the moment that they are told or have left; each leader counts
// how many calls of its key run beside it.
TEST(SingleFlightStressTest, MakesOneCallOfAKeyAtATimeAndLosesNobody) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 20'000;
  SingleFlight flights({.mode = Mode::kEnforce});
  std::array<std::atomic<int>, 3> running{};
  std::atomic<int> led{0};
  std::atomic<int> shared{0};
  std::atomic<int> left{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(static_cast<std::uint64_t>(t) + 1);
      for (int i = 0; i < kCalls; ++i) {
        const auto key = static_cast<std::size_t>(random.Below(running.size()));
        Sleeper sleeper;
        auto joined = flights.Join(std::to_string(key), sleeper, TimePoint(1h));
        if (joined.part == SingleFlight::Part::kLeads) {
          EXPECT_EQ(running[key].fetch_add(1), 0);
          std::this_thread::yield();
          running[key].fetch_sub(1);
          joined.lead.Land(
              {SingleFlight::Landing::kShared, std::make_shared<const std::size_t>(key)});
          ++led;
        } else if (random.Below(4) == 0 && flights.Leave(sleeper)) {
          ++left;
        } else {
          sleeper.Wait();
          EXPECT_EQ(*static_cast<const std::size_t*>(sleeper.landed().what.get()), key);
          ++shared;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(led + shared + left, kThreads * kCalls);
  EXPECT_EQ(flights.flights(), 0U);
}

class Flag final : public SingleFlight::Observer {
 public:
  void OnDeserted() noexcept override { raised.store(true, std::memory_order_release); }
  std::atomic<bool> raised{false};
};

TEST(SingleFlightStressTest, ADesertedLeaderHearsOfItHoweverTheLastOnesLeave) {
  constexpr int kRounds = 5'000;
  SingleFlight flights({.mode = Mode::kEnforce});
  for (int round = 0; round < kRounds; ++round) {
    Sleeper unused;
    auto first = flights.Join("key", unused, TimePoint(1h));
    ASSERT_EQ(first.part, SingleFlight::Part::kLeads);
    std::array<Sleeper, 3> followers;
    for (Sleeper& follower : followers) (void)flights.Join("key", follower, TimePoint(1h));
    auto flag = std::make_shared<Flag>();
    std::vector<std::jthread> threads;
    for (Sleeper& follower : followers) {
      threads.emplace_back([&] { EXPECT_TRUE(flights.Leave(follower)); });
    }
    const bool stopped = first.lead.Abandon(flag);
    threads.clear();
    if (stopped) continue;
    EXPECT_TRUE(flag->raised);
    EXPECT_TRUE(first.lead.Abandon(flag));
  }
}

}  // namespace
}  // namespace hale::policy
