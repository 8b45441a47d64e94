#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

#include "hale/base/random.h"
#include "hale/policy/pacer.h"

namespace hale::policy {
namespace {

template <class F>
void OnThreads(int threads, F f) {
  std::vector<std::jthread> pool;
  for (int i = 0; i < threads; ++i) pool.emplace_back([&f, i] { f(i); });
}

TEST(PacerStressTest, NoTwoThreadsGoCloserThanTheRateWhoeverCancels) {
  SimClock clock;
  Pacer pacer({.rate = {1000, 1s}, .slack = 0, .max_wait = 50ms}, {.clock = clock});
  std::mutex mutex;
  std::vector<TimePoint> went;
  OnThreads(4, [&](int thread) {
    SeededRandom random(static_cast<std::uint64_t>(thread) + 1);
    std::vector<TimePoint> mine;
    for (int i = 0; i < 10'000; ++i) {
      if (thread == 0) clock.Advance(random.Between(0ns, 2ms));
      const TimePoint now = clock.Now();
      const auto turn = pacer.Take(now);
      if (!turn) continue;
      if (random.Below(3) == 0) {
        pacer.Cancel(*turn, now);
      } else {
        mine.push_back(now + turn->wait);
      }
    }
    const std::lock_guard lock(mutex);
    went.insert(went.end(), mine.begin(), mine.end());
  });
  // Threads read the clock a moment apart, and may go late: what holds is the count in any span.
  std::sort(went.begin(), went.end());
  const double span = Seconds(went.back() - went.front());
  EXPECT_LE(static_cast<double>(went.size()), span * 1000 + 1);
  EXPECT_GT(static_cast<double>(went.size()), span * 500);
}

TEST(PacerStressTest, WhatAllCancelIsAllThereAgain) {
  SimClock clock;
  Pacer pacer({.rate = {1, 1s}, .slack = 3, .max_wait = 1min}, {.clock = clock});
  OnThreads(4, [&](int) {
    for (int i = 0; i < 20'000; ++i) {
      const auto turn = pacer.Take();
      if (turn) pacer.Cancel(*turn, clock.Now());
    }
  });
  // A turn amid others may be lost, never gained.
  EXPECT_LE(pacer.wait(clock.Now()), 1min);
  clock.Advance(2min);
  EXPECT_EQ(pacer.wait(clock.Now()), 0ns);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(pacer.Take()->wait, 0ns);
  EXPECT_EQ(pacer.Take()->wait, 1s);
}

TEST(PacerStressTest, ApplyUnderLoadKeepsTheTurns) {
  SimClock clock;
  Pacer pacer({.rate = {1, 1s}, .slack = 0, .max_wait = 1min}, {.clock = clock});
  std::atomic<int> turns = 0;
  OnThreads(4, [&](int thread) {
    for (int i = 0; i < 5000; ++i) {
      if (thread == 0) pacer.Apply({.rate = {1, 1s}, .slack = 0, .max_wait = 1min});
      if (pacer.Take()) ++turns;
    }
  });
  EXPECT_EQ(turns, 61);  // time stands still: the first, and a minute of turns
}

}  // namespace
}  // namespace hale::policy
