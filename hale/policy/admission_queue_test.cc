#include "hale/policy/admission_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

namespace hale::policy {
namespace {

using Entry = AdmissionQueue::Entry;

class AdmissionQueueTest : public testing::Test {
 protected:
  void Make(const AdmissionQueueOptions& options) { queue_.Apply(options); }
  Entry& Push(const Admission& call = {}) {
    Entry& entry = entries_.emplace_back();
    queue_.Push(entry, call, now_, mean_);
    return entry;
  }
  Entry* Pop() { return queue_.Pop(now_, mean_, dropped_); }
  /// The queue has not been empty for long enough to stand.
  void Stand() {
    Push({.priority = Priority::kSheddable});
    now_ += 101ms;
  }

  std::deque<Entry> entries_;
  AdmissionQueue queue_;
  EntryChain dropped_;
  TimePoint now_{1h};
  Duration mean_ = 0ms;
};

TEST_F(AdmissionQueueTest, LetsTheFirstGoFirst) {
  Entry& first = Push();
  Entry& second = Push();
  EXPECT_EQ(Pop(), &first);
  EXPECT_EQ(Pop(), &second);
  EXPECT_EQ(Pop(), nullptr);
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(AdmissionQueueTest, ForgetsWhoGoesFromAnyPlace) {
  Entry& first = Push();
  Entry& second = Push();
  Entry& third = Push();
  queue_.Remove(second);
  EXPECT_EQ(Pop(), &first);
  queue_.Remove(third);
  EXPECT_EQ(Pop(), nullptr);
}

// Law 2: a wait below what the caller waits.
TEST_F(AdmissionQueueTest, WaitsNoLongerThanHalfOfWhatRemains) {
  EXPECT_EQ(Push({.remaining = 10s}).until(), now_ + 200ms);
  EXPECT_EQ(Push({.remaining = 100ms}).until(), now_ + 50ms);
  EXPECT_EQ(Push().until(), now_ + 200ms);
}

// Case 58.
TEST_F(AdmissionQueueTest, NeverAdmitsWhoHasWaitedTooLong) {
  Entry& late = Push({.remaining = 100ms});
  Entry& other = Push();
  now_ += 50ms;
  EXPECT_EQ(Pop(), &other);
  EXPECT_EQ(dropped_.first(), &late);
  EXPECT_EQ(late.Dropped().reason, Reason::kQueueTimeout);
  EXPECT_EQ(late.Dropped().observed, 0.05);
  EXPECT_EQ(late.Dropped().threshold, 0.05);
}

// Law 3: what cannot be done in time is not begun.
TEST_F(AdmissionQueueTest, DropsWhoHasLessLeftThanHalfAsMuchAgainAsACallTakes) {
  Entry& entry = Push({.remaining = 300ms});
  now_ += 100ms;
  mean_ = 134ms;
  EXPECT_EQ(Pop(), nullptr);
  EXPECT_EQ(entry.Dropped().reason, Reason::kDeadline);
  EXPECT_EQ(entry.Dropped().observed, 0.2);
  EXPECT_EQ(entry.Dropped().threshold, 0.201);
}

TEST_F(AdmissionQueueTest, AdmitsWhoHasJustEnoughLeft) {
  Entry& entry = Push({.remaining = 300ms});
  now_ += 99ms;
  mean_ = 134ms;
  EXPECT_EQ(Pop(), &entry);
}

TEST_F(AdmissionQueueTest, DropsNobodyForALongCallWithoutADeadline) {
  Entry& entry = Push();
  mean_ = 10min;
  EXPECT_EQ(Pop(), &entry);
}

TEST_F(AdmissionQueueTest, RefusesWhoCouldNotBeDoneInTimeIfItWaited) {
  EXPECT_TRUE(AdmissionQueue::Waitable({.remaining = 61ms}, 40ms));
  const auto refused = AdmissionQueue::Waitable({.remaining = 60ms}, 40ms);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kDeadline);
  EXPECT_EQ(refused.error().observed, 0.06);
  EXPECT_EQ(refused.error().threshold, 0.06);
  EXPECT_FALSE(AdmissionQueue::Waitable({.remaining = 0ms}, 0ms));
}

TEST_F(AdmissionQueueTest, WaitsOnlyWhileItCanStillBeDoneInTime) {
  mean_ = 40ms;
  Entry& entry = Push({.remaining = 100ms});
  EXPECT_EQ(entry.until(), now_ + 40ms);
  EXPECT_EQ(entry.Late(now_).reason, Reason::kDeadline);
  EXPECT_EQ(entry.Late(now_ + 40ms).observed, 0.06);
  EXPECT_EQ(entry.Late(now_ + 40ms).threshold, 0.06);
}

// Case 65.
TEST_F(AdmissionQueueTest, LetsTheHigherPriorityGoFirst) {
  Entry& low = Push({.priority = Priority::kSheddable});
  Entry& batch = Push({.priority = Priority::kSheddablePlus});
  Entry& user = Push({.priority = Priority::kCritical});
  Entry& money = Push({.priority = Priority::kCriticalPlus});
  EXPECT_EQ(queue_.highest(), Priority::kCriticalPlus);
  EXPECT_EQ(queue_.lowest(), Priority::kSheddable);
  for (Entry* next : {&money, &user, &batch, &low}) EXPECT_EQ(Pop(), next);
}

TEST_F(AdmissionQueueTest, ShedsTheLowestForOneThatCountsMore) {
  Make({.size = 3});
  Push({.priority = Priority::kSheddablePlus});
  Push({.priority = Priority::kSheddable});
  Entry& lowest = Push({.priority = Priority::kSheddable});
  now_ += 50ms;
  EXPECT_EQ(queue_.MakePlaceFor({.priority = Priority::kCritical}, now_), &lowest);
  EXPECT_EQ(lowest.Dropped().reason, Reason::kShed);
  EXPECT_EQ(lowest.Dropped().observed, 0.05);
  EXPECT_EQ(lowest.Dropped().threshold, 0.2);
  EXPECT_EQ(queue_.size(), 2U);
}

TEST_F(AdmissionQueueTest, ShedsNobodyForOneThatCountsNoMore) {
  Push({.priority = Priority::kCritical});
  EXPECT_EQ(queue_.MakePlaceFor({.priority = Priority::kCritical}, now_), nullptr);
  EXPECT_EQ(queue_.MakePlaceFor({.priority = Priority::kSheddable}, now_), nullptr);
  EXPECT_EQ(queue_.size(), 1U);
}

// Case 65: twice as many come as there is place for.
TEST_F(AdmissionQueueTest, ShedsLowLevelsFirstAndWithinALevelByTheClock) {
  constexpr std::uint32_t kSize = 100;
  std::array<int, kPriorities> shed{};
  for (std::uint32_t i = 0; i < 2 * kSize; ++i) {
    const Admission call{.priority = static_cast<Priority>(i * 7 / 3 % kPriorities)};
    Entry* victim = queue_.size() < kSize ? nullptr : queue_.MakePlaceFor(call, now_);
    if (queue_.size() < kSize) Push(call);
    const Priority whose = victim != nullptr ? victim->priority() : call.priority;
    if (victim != nullptr || i >= kSize) ++shed[static_cast<std::size_t>(whose)];
  }
  EXPECT_EQ(shed[0] + shed[1], 0);
  EXPECT_EQ(shed[2] + shed[3], 100);
  EXPECT_EQ(queue_.size(), kSize);
}

TEST_F(AdmissionQueueTest, LetsTheKeysTakeTurns) {
  Entry& flood1 = Push({.key = 1});
  Entry& flood2 = Push({.key = 1});
  Entry& flood3 = Push({.key = 1});
  Entry& other1 = Push({.key = 2});
  Entry& other2 = Push({.key = 2});
  for (Entry* next : {&flood1, &other1, &flood2, &other2, &flood3}) EXPECT_EQ(Pop(), next);
}

TEST_F(AdmissionQueueTest, CostsAKeyNoTurnWhenOneOfItsCallsIsDropped) {
  Push({.remaining = 10ms, .key = 1});
  Entry& live = Push({.key = 1});
  Entry& other = Push({.key = 2});
  now_ += 5ms;
  EXPECT_EQ(Pop(), &live);
  EXPECT_EQ(Pop(), &other);
}

TEST_F(AdmissionQueueTest, TakesThePlaceFromWhoeverHasMost) {
  Push({.key = 1});
  Push({.key = 1});
  Entry& last = Push({.key = 1});
  Push({.key = 2});
  EXPECT_EQ(queue_.MakePlaceFor({.key = 1}, now_), nullptr);
  EXPECT_EQ(queue_.MakePlaceFor({.key = 2}, now_), &last);
  EXPECT_EQ(queue_.MakePlaceFor({.key = 2}, now_), nullptr);  // it would have as many
  EXPECT_NE(queue_.MakePlaceFor({.key = 3}, now_), nullptr);
}

TEST_F(AdmissionQueueTest, PutsWhoIsAdmittedInVainBackWhereItsTurnWas) {
  Entry& first = Push({.key = 1});
  now_ += 1ms;
  Entry& later = Push({.key = 1});
  Push({.key = 2});
  EXPECT_EQ(Pop(), &first);
  const TimePoint until = first.until();
  queue_.PushBack(first, {.key = 1}, first.since(), until);
  EXPECT_EQ(first.until(), until);
  EXPECT_EQ(Pop(), &first);
  EXPECT_NE(Pop(), &later);  // the other key's turn
  EXPECT_EQ(Pop(), &later);
}

TEST_F(AdmissionQueueTest, StandsAlsoWhenTheOnlyOneIsAdmittedInVainAllTheTime) {
  Make({.order = QueueOrder::kCodel});
  Entry& entry = Push();
  const TimePoint since = now_;
  for (; now_ - since < 100ms; now_ += 10ms) {
    ASSERT_EQ(Pop(), &entry);
    queue_.PushBack(entry, {}, entry.since(), entry.until());
  }
  now_ += 1ns;
  EXPECT_TRUE(queue_.Stands(now_, mean_));
}

TEST_F(AdmissionQueueTest, SharesTurnsWhereKeysMeet) {
  Entry& one = Push({.key = 5});
  Entry& meets = Push({.key = 5 + AdmissionQueue::kSlots});
  Entry& other = Push({.key = 6});
  for (Entry* next : {&one, &other, &meets}) EXPECT_EQ(Pop(), next);
}

// Case 66.
TEST_F(AdmissionQueueTest, NeverDropsOfABurstThatIsServedInTime) {
  Make({.order = QueueOrder::kCodel});
  std::array<Entry*, 100> burst{};
  for (Entry*& entry : burst) entry = &Push();
  for (Entry* entry : burst) {
    now_ += 900us;  // 90 ms for all
    EXPECT_EQ(Pop(), entry);
  }
  EXPECT_EQ(dropped_.first(), nullptr);
}

TEST_F(AdmissionQueueTest, HasLittlePatienceOnceTheQueueHasStood) {
  Make({.order = QueueOrder::kCodel});
  EXPECT_EQ(Push().until(), now_ + 100ms);
  now_ += 100ms;
  EXPECT_EQ(Push().until(), now_ + 100ms);
  now_ += 1ns;
  Entry& entry = Push();
  EXPECT_EQ(entry.until(), now_ + 5ms);
  EXPECT_EQ(entry.Late(now_).reason, Reason::kShed);
}

TEST_F(AdmissionQueueTest, LetsTheLastGoFirstWhileTheQueueStands) {
  Make({.order = QueueOrder::kCodel});
  Stand();
  Entry& first = Push();
  Entry& second = Push();
  EXPECT_EQ(Pop(), &second);
  EXPECT_EQ(Pop(), &first);
}

TEST_F(AdmissionQueueTest, DropsWhoHasWaitedForMoreThanTheTargetInAStandingQueue) {
  Make({.order = QueueOrder::kCodel});
  Push();
  now_ += 96ms;
  Entry& old = Push();
  now_ += 5ms;
  Entry& within = Push();
  EXPECT_EQ(Pop(), &within);
  now_ += 1ms;
  EXPECT_EQ(Pop(), nullptr);
  EXPECT_EQ(old.Dropped().reason, Reason::kShed);
  EXPECT_EQ(old.Dropped().observed, 0.006);
  EXPECT_EQ(old.Dropped().threshold, 0.005);
}

TEST_F(AdmissionQueueTest, IsFirstInFirstOutAgainWhenItHasBeenEmpty) {
  Make({.order = QueueOrder::kCodel});
  Stand();
  EXPECT_EQ(Pop(), nullptr);
  Entry& first = Push();
  Entry& second = Push();
  EXPECT_EQ(first.until(), now_ + 100ms);
  EXPECT_EQ(Pop(), &first);
  EXPECT_EQ(Pop(), &second);
}

TEST_F(AdmissionQueueTest, GivesAStandingQueueTwiceWhatACallTakes) {
  Make({.order = QueueOrder::kCodel});
  mean_ = 40ms;
  Stand();
  EXPECT_EQ(Push().until(), now_ + 80ms);
}

TEST_F(AdmissionQueueTest, DoesNotTakeAQueueOfLongCallsForAStandingOne) {
  Make({.max_wait = 10s, .order = QueueOrder::kCodel});
  mean_ = 200ms;
  Push();
  now_ += 400ms;
  EXPECT_FALSE(queue_.Stands(now_, mean_));
  EXPECT_EQ(Push().until(), now_ + 400ms);
  now_ += 1ns;
  EXPECT_TRUE(queue_.Stands(now_, mean_));
}

TEST_F(AdmissionQueueTest, NeverStandsWhenItIsFirstInFirstOut) {
  Stand();
  EXPECT_FALSE(queue_.Stands(now_, mean_));
  EXPECT_EQ(Push().until(), now_ + 200ms);
}

// One place, a call done each 10 ms and two that come, for ten seconds: all that can be done is
// done, and for callers that have not waited long.
TEST_F(AdmissionQueueTest, StaysUsefulAtTwiceItsCapacity) {
  Make({.max_wait = 1s, .order = QueueOrder::kCodel});
  std::vector<Entry*> waiting;
  Duration longest{0};
  int served = 0;
  for (int tick = 0; tick < 1000; ++tick, now_ += 10ms) {
    for (int i = 0; i < 2; ++i) waiting.push_back(&Push({.remaining = 500ms}));
    Entry* next = Pop();
    if (next != nullptr) longest = std::max(longest, now_ - next->since());
    served += std::erase(waiting, next) > 0 ? 1 : 0;
    for (Entry* entry : waiting) {
      if (entry->until() <= now_) queue_.Remove(*entry);
    }
    std::erase_if(waiting, [this](Entry* entry) { return entry->until() <= now_; });
  }
  EXPECT_EQ(served, 1000);
  EXPECT_LE(longest, 100ms);
  EXPECT_LE(queue_.size(), 2U);
}

}  // namespace
}  // namespace hale::policy
