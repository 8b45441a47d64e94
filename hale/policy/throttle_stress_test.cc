#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "hale/base/thread_slot.h"
#include "hale/policy/throttle.h"

namespace hale::policy {
namespace {

template <class Work>
void InThreads(int threads, Work work) {
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([=] { work(i); });
}

TEST(ThrottleStressTest, LosesNoCountBetweenThreads) {
  Throttle throttle({.mode = Mode::kEnforce, .minimum_calls = 1'000'000});
  const TimePoint now = SimClock().Now();
  constexpr int kThreads = 12;  // more than there are lanes
  constexpr int kEach = 20'000;
  std::barrier all_are_here(kThreads);
  InThreads(kThreads, [&](int thread) {
    static_cast<void>(ThreadSlot());
    all_are_here.arrive_and_wait();
    for (int i = 0; i < kEach; ++i) {
      throttle.Count(thread % 2 == 0 ? Reception::kTaken : Reception::kTurnedAway, now);
    }
  });
  const ThrottleStatus status = throttle.Status(now);
  EXPECT_EQ(status.window.sent, std::uint64_t{kThreads} * kEach);
  EXPECT_EQ(status.window.taken, std::uint64_t{kThreads} * kEach / 2);
}

TEST(ThrottleStressTest, LosesNoCountOfALaneThatIsShared) {
  ThrottleLane lane(Writers::kMany);
  constexpr int kEach = 4'000'000;  // longer than a turn of the scheduler
  std::barrier both_are_here(2);
  InThreads(2, [&](int) {
    both_are_here.arrive_and_wait();
    for (int i = 0; i < kEach; ++i) lane.Sent(i % 4, true);
  });
  std::uint64_t taken = 0;
  for (int second = 0; second < 4; ++second) taken += lane.Read(second).taken;
  EXPECT_EQ(taken, 2U * kEach);
}

TEST(ThrottleStressTest, GivesTheProbeOfASecondToOneOfManyThreads) {
  Throttle throttle({.mode = Mode::kEnforce, .max_share = 0.999, .minimum_calls = 1});
  const TimePoint now = SimClock().Now();
  for (int i = 0; i < 1'000'000; ++i) throttle.Count(Reception::kTurnedAway, now);
  std::atomic<int> admitted = 0;
  InThreads(4, [&](int thread) {
    SeededRandom random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < 20; ++i) admitted += throttle.Admit(now, random) ? 1 : 0;
  });
  EXPECT_GE(admitted, 1);
  EXPECT_LE(admitted, 3);  // and one in a thousand by the dice
}

TEST(ThrottleStressTest, CountsEachCallWhileItsOptionsChange) {
  Throttle throttle({.mode = Mode::kEnforce});
  SimClock clock;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<bool> done = false;
  std::jthread changes([&] {
    for (int i = 0; !done; ++i) {
      throttle.Apply({.mode = Mode::kEnforce,
                      .k = 1.5 + i % 3,
                      .window = std::chrono::seconds(2 + i % 5),
                      .max_share = 0.5});
      clock.Advance(1ms);
      static_cast<void>(throttle.Status(clock.Now()));
    }
  });
  InThreads(3, [&](int thread) {
    SeededRandom random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < 20'000; ++i) {
      const TimePoint now = clock.Now();
      if (throttle.Admit(now, random)) {
        throttle.Count(i % 4 == 0 ? Reception::kTaken : Reception::kTurnedAway, now);
      } else {
        ++refused;
      }
    }
  });
  done = true;
  changes.join();
  EXPECT_EQ(throttle.Status(clock.Now()).refused, refused);
}

}  // namespace
}  // namespace hale::policy
