#include "hale/net/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "hale/base/random.h"

namespace hale::net {
namespace {

constexpr std::uint64_t kAll = ~0ULL;

TimePoint At(int second) { return TimePoint(std::chrono::seconds(second)); }

TEST(TimerQueueTest, GivesThemInTheOrderTheyFallDue) {
  TimerQueue queue;
  std::vector<int> ran;
  for (const int second : {5, 1, 4, 1, 3}) {
    queue.Add(At(second), [&ran, second] { ran.push_back(second); });
  }
  while (auto work = queue.Take(At(4), kAll)) (*work)();
  EXPECT_EQ(ran, (std::vector<int>{1, 1, 3, 4}));
  EXPECT_EQ(queue.next(), At(5));
}

TEST(TimerQueueTest, KeepsTheOrderOfArmingAtOneInstant) {
  TimerQueue queue;
  std::vector<int> ran;
  for (int i = 0; i < 20; ++i) queue.Add(At(1), [&ran, i] { ran.push_back(i); });
  while (auto work = queue.Take(At(1), kAll)) (*work)();
  EXPECT_TRUE(std::ranges::is_sorted(ran));
  EXPECT_EQ(ran.size(), 20U);
}

TEST(TimerQueueTest, DestroysTheWorkOfACancelledTimer) {
  TimerQueue queue;
  const auto alive = std::make_shared<int>(0);
  const auto timer = queue.Add(At(1), [alive] {});
  queue.Cancel(timer);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(TimerQueueTest, ANameOfTheLastUserOfASlotCancelsNothing) {
  TimerQueue queue;
  const auto first = queue.Add(At(1), [] {});
  queue.Cancel(first);
  queue.Add(At(2), [] {});
  queue.Cancel(first);
  queue.Cancel(Executor::Timer::kNone);
  EXPECT_EQ(queue.size(), 1U);
}

TEST(TimerQueueTest, TakesNothingArmedAfterTheMark) {
  TimerQueue queue;
  queue.Add(At(1), [] {});
  const auto mark = queue.mark();
  queue.Add(At(0), [] {});
  EXPECT_FALSE(queue.Take(At(9), mark));
  EXPECT_TRUE(queue.Take(At(9), queue.mark()));
}

// Against the plainest model there is: a sorted map.
TEST(TimerQueueTest, AgreesWithASortedMapOverRandomUse) {
  SeededRandom random(7);
  TimerQueue queue;
  std::map<std::pair<TimePoint, Executor::Timer>, int> model;
  int ran = -1;
  for (int i = 0; i < 20'000; ++i) {
    const TimePoint when = At(static_cast<int>(random.Below(50))) + Duration(i);
    if (random.Below(3) > 0) {
      model.emplace(std::pair(when, queue.Add(when, [&ran, i] { ran = i; })), i);
    } else if (!model.empty() && random.Below(2) == 0) {
      const auto victim = std::next(model.begin(), static_cast<long>(random.Below(model.size())));
      queue.Cancel(victim->first.second);
      model.erase(victim);
    } else if (!model.empty()) {
      (*queue.Take(kNever, kAll))();
      ASSERT_EQ(ran, model.begin()->second);
      model.erase(model.begin());
    }
    ASSERT_EQ(queue.size(), model.size());
  }
}

}  // namespace
}  // namespace hale::net
