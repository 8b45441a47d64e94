#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "hale/policy/deadline.h"
#include "hale/policy/hedge.h"

namespace hale::policy {
namespace {

template <class F>
void OnThreads(int count, const F& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work);
}

TEST(RecentLatencyStressTest, NeverCountsBelowZeroWhileItFades) {
  RecentLatency recent;
  {
    const auto fade = [&](const std::stop_token& stop) {
      for (TimePoint now{1h}; !stop.stop_requested(); now += 10s) recent.Read({0.95, 1}, now);
    };
    const std::array<std::jthread, 2> fades{std::jthread(fade), std::jthread(fade)};
    OnThreads(2, [&] {
      for (int i = 0; i < 300'000; ++i) recent.Record(i % 7 * 1ms);
    });
  }
  EXPECT_LE(recent.count(), 600'000U);  // a count that ran below zero would be astronomic
  recent.Read({0.95, 1}, TimePoint{1'000'000h});
  EXPECT_EQ(recent.count(), 0U) << "the count and the buckets fade by the same";
}

TEST(RecentLatencyStressTest, GivesADelayThatSomebodyHasSeen) {
  Hedge hedge({.mode = Mode::kEnforce});
  for (int i = 0; i < 1000; ++i) hedge.Record(10ms);
  hedge.Delay(TimePoint{1h});  // while one thread reads the very first, the others know none yet
  OnThreads(4, [&] {
    TimePoint now{1h};
    for (int i = 0; i < 20'000; ++i) {
      hedge.Record(10ms);
      const Duration delay = hedge.Delay(now += 1ms);
      ASSERT_GE(delay, 10ms);
      ASSERT_LE(delay, 11250us);
    }
  });
}

TEST(DeadlineStressTest, RefusesNoMoreThanItsShareBetweenThreads) {
  constexpr TimePoint kNow{1h};
  DeadlineGate gate({.mode = Mode::kEnforce, .most_refused = 0.5});
  for (int i = 0; i < 1000; ++i) gate.Record(1s);
  for (int i = 0; i < 400'000; ++i) ASSERT_FALSE(gate.Check(2s, kNow));
  std::atomic<int> refused{0};
  OnThreads(4, [&] {  // no new calls: a refusal that is not counted is one too many
    for (int i = 0; i < 100'000; ++i) {
      refused += gate.Check(1ms, kNow, DeadlineGate::Look::kAgain) ? 1 : 0;
    }
  });
  EXPECT_EQ(refused, 200'000);
}

TEST(HedgeStressTest, MayBeChangedWhileItIsAsked) {
  Hedge hedge({.mode = Mode::kEnforce});
  std::jthread changes([&](const std::stop_token& stop) {
    for (double p = 0.5; !stop.stop_requested(); p = p == 0.5 ? 0.99 : 0.5) {
      hedge.Apply({.mode = Mode::kEnforce, .percentile = p});
    }
  });
  OnThreads(2, [&] {
    TimePoint now{1h};
    for (int i = 0; i < 20'000; ++i) {
      hedge.Record(10ms);
      const Duration delay = hedge.Delay(now += 1ms);
      ASSERT_TRUE(delay == kForever || delay >= 10ms);
    }
  });
}

}  // namespace
}  // namespace hale::policy
