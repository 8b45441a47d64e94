#include "hale/policy/sliding_log.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class Journal final : public EventSink {
 public:
  void On(const Event& event) noexcept override { events.push_back(event); }
  std::vector<Event> events;
};

class SlidingLogTest : public testing::Test {
 protected:
  int TakeAll(SlidingLogCore& log, int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += log.Take(now_) ? 1 : 0;
    return admitted;
  }

  TimePoint now_{1h};
};

TEST_F(SlidingLogTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<SlidingLogOptions>())> == 2);
}

TEST_F(SlidingLogTest, TwiceTheLimitNeverPassesAroundAnEdge) {
  SlidingLogCore log(10, 1s);
  now_ += 900ms;
  EXPECT_EQ(TakeAll(log, 20), 10);
  now_ += 200ms;  // a counter of whole seconds would begin anew
  EXPECT_EQ(TakeAll(log, 20), 0);
}

TEST_F(SlidingLogTest, ACallLeavesExactlyAWindowAfterItCame) {
  SlidingLogCore log(1, 1s);
  EXPECT_TRUE(log.Take(now_));
  const auto refused = log.Take(now_ + 1s - 1ns);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, 1ns);
  EXPECT_EQ(log.count(now_ + 1s - 1ns), 1U);
  EXPECT_EQ(log.count(now_ + 1s), 0U);
  EXPECT_TRUE(log.Take(now_ + 1s));
}

TEST_F(SlidingLogTest, HoldsAtMostTheLimitInAnyWindow) {
  SeededRandom random(3);
  SlidingLogCore log(20, 1s);
  std::deque<TimePoint> window;
  for (int i = 0; i < 20'000; ++i, now_ += random.Between(0ns, 60ms)) {
    while (!window.empty() && now_ - window.front() >= 1s) window.pop_front();
    const bool expected = window.size() < 20;
    ASSERT_EQ(log.Take(now_).has_value(), expected);
    if (expected) window.push_back(now_);
    ASSERT_EQ(log.count(now_), window.size());
  }
}

TEST_F(SlidingLogTest, AWeightIsSoManyCallsOrNone) {
  SlidingLogCore log(10, 1s);
  EXPECT_TRUE(log.Take(now_, 7));
  const auto refused = log.Take(now_ + 300ms, 4);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, 700ms);
  EXPECT_DOUBLE_EQ(refused.error().observed, 11);
  EXPECT_DOUBLE_EQ(refused.error().threshold, 10);
  EXPECT_TRUE(log.Take(now_ + 300ms, 3));
}

TEST_F(SlidingLogTest, MoreThanTheLimitIsNever) {
  SlidingLogCore log(10, 1s);
  const auto refused = log.Take(now_, 11);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, kForever);
  EXPECT_TRUE(log.Take(now_, 10));
}

TEST_F(SlidingLogTest, WhatIsGivenBackWasNeverThere) {
  SlidingLogCore log(2, 1s);
  (void)log.Take(now_);
  (void)log.Take(now_ + 10ms);
  log.GiveBack(now_, 1);
  EXPECT_EQ(log.count(now_ + 10ms), 1U);
  EXPECT_TRUE(log.Take(now_ + 20ms));
  EXPECT_EQ(log.Take(now_ + 20ms).error().retry_after, 990ms);  // the one that stayed leaves
}

TEST_F(SlidingLogTest, WhatIsGivenBackLeavesTheOthersInOrder) {
  SlidingLogCore log(3, 1s);
  for (const Duration at : {0ms, 10ms, 20ms}) (void)log.Take(now_ + at);
  log.GiveBack(now_, 1);
  EXPECT_TRUE(log.Take(now_ + 30ms));
  EXPECT_EQ(log.Take(now_ + 30ms).error().retry_after, 980ms);  // of 10, 20 and 30 ms
}

TEST_F(SlidingLogTest, OfCallsAtOneInstantOnlyAsManyAreGivenBack) {
  SlidingLogCore log(5, 1s);
  TakeAll(log, 4);
  log.GiveBack(now_, 1);
  EXPECT_EQ(log.count(now_), 3U);
}

TEST_F(SlidingLogTest, WhatWasNeverLoggedIsGivenBackInVain) {
  SlidingLogCore log(3, 1s);
  (void)log.Take(now_);
  (void)log.Take(now_ + 20ms);
  log.GiveBack(now_ + 10ms, 1);
  EXPECT_EQ(log.count(now_ + 20ms), 2U);
}

TEST_F(SlidingLogTest, WhatHasLeftIsGivenBackInVain) {
  SlidingLogCore log(3, 1s);
  (void)log.Take(now_, 3);
  (void)log.Take(now_ + 2s, 3);
  log.GiveBack(now_, 3);
  EXPECT_EQ(log.count(now_ + 2s), 3U);
}

TEST_F(SlidingLogTest, MoreThanItCanRememberIsAsMuchInEqualParts) {
  SlidingLog log({.rate = {1'000'000, 1min}});
  for (int part = 0; part < 10; ++part, now_ += 6s) {
    EXPECT_TRUE(log.Take(now_, kMostLogged));
    EXPECT_FALSE(log.Take(now_ + 6s - 1ns));
  }
}

TEST_F(SlidingLogTest, PartsThatDoNotComeOutEvenHoldNoMoreThanTheWhole) {
  SlidingLogCore log(2 * kMostLogged + 1, 1min + 2ns);  // three parts
  EXPECT_EQ(log.limit(), (2 * kMostLogged + 1) / 3);
  EXPECT_TRUE(log.Take(now_, log.limit()));
  EXPECT_FALSE(log.Take(now_ + 20s + 1ns));
  EXPECT_TRUE(log.Take(now_ + 20s + 2ns));  // the longer, the fewer
}

TEST_F(SlidingLogTest, ALowerLimitCountsWhatIsThere) {
  SlidingLogCore log(10, 1s);
  TakeAll(log, 10);
  log.Resize(3, 1s);
  EXPECT_EQ(TakeAll(log, 5), 0);
  now_ += 1s;
  EXPECT_EQ(TakeAll(log, 5), 3);
}

TEST_F(SlidingLogTest, ALowerLimitRemembersTheLatestInOrder) {
  SlidingLogCore log(3, 1s);
  for (const Duration at : {0ms, 300ms, 600ms}) (void)log.Take(now_ + at);
  log.Resize(2, 1s);
  EXPECT_EQ(log.Take(now_ + 600ms).error().retry_after, 700ms);  // of 300 and 600 ms
}

TEST_F(SlidingLogTest, AHigherLimitGivesOnlyTheDifference) {
  SlidingLogCore log(3, 1s);
  TakeAll(log, 3);
  log.Resize(5, 1s);
  EXPECT_EQ(TakeAll(log, 10), 2);
}

TEST_F(SlidingLogTest, ALongerWindowRemembersWhatTheShorterOneHeld) {
  SlidingLogCore log(5, 1s);
  TakeAll(log, 5);
  log.Resize(5, 1min);
  now_ += 2s;
  EXPECT_EQ(TakeAll(log, 1), 0);
}

TEST_F(SlidingLogTest, AClockThatStepsBackAdmitsNoMore) {
  SlidingLogCore log(2, 1s);
  TakeAll(log, 1);
  now_ -= 5s;
  EXPECT_EQ(TakeAll(log, 5), 1);
  now_ += 5s;
  EXPECT_EQ(TakeAll(log, 5), 0);
  EXPECT_EQ(log.count(now_), 2U);
}

TEST_F(SlidingLogTest, ShadowTellsAndRefusesNothing) {
  SimClock clock;
  Journal journal;
  SlidingLog log({.mode = Mode::kShadow, .rate = {2, 1s}},
                 {.name = "orders", .events = journal, .clock = clock});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(log.Take());
  ASSERT_EQ(journal.events.size(), 3U);
  EXPECT_EQ(journal.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(journal.events[0].service, "orders");
  EXPECT_EQ(log.would_refuse(), 3U);
  EXPECT_EQ(log.refused(), 0U);
}

TEST_F(SlidingLogTest, ShadowTellsTheTrailOfTheCallAndNobodyElse) {
  Journal journal;
  Journal trail;
  SlidingLog log({.mode = Mode::kShadow, .rate = {2, 1s}}, {.name = "orders", .events = journal});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(log.Take(now_, 1, &trail));
  ASSERT_EQ(trail.events.size(), 1U);
  EXPECT_EQ(trail.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_TRUE(journal.events.empty());
}

TEST_F(SlidingLogTest, OffIsNotAsked) {
  SlidingLog log({.mode = Mode::kOff, .rate = {2, 1s}});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(log.Take(now_));
  EXPECT_EQ(log.count(now_), 0U);
}

TEST_F(SlidingLogTest, AReceiptGivesItsWholeWeightBack) {
  SlidingLog log({.rate = {5, 1s}});
  (void)log.Take(now_);
  const auto taken = log.Take(now_ + 10ms, 3);
  log.GiveBack(*taken);
  EXPECT_EQ(log.count(now_ + 10ms), 1U);
}

TEST_F(SlidingLogTest, AReceiptOfAClockThatIsBehindGivesBack) {
  SlidingLog log({.rate = {2, 1s}});
  (void)log.Take(now_);
  const auto taken = log.Take(now_ - 5ms);
  log.GiveBack(*taken);
  EXPECT_EQ(log.count(now_), 1U);
}

TEST_F(SlidingLogTest, ApplyForgetsNothing) {
  SimClock clock;
  SlidingLog log({.rate = {2, 1s}}, {.clock = clock});
  (void)log.Take(clock.Now(), 2);
  log.Apply({.rate = {3, 1s}});
  EXPECT_TRUE(log.Take());
  EXPECT_FALSE(log.Take());
}

TEST_F(SlidingLogTest, TurnedOffWhileItRunsItRefusesNothing) {
  SlidingLog log({.rate = {2, 1s}});
  (void)log.Take(now_, 2);
  log.Apply({.mode = Mode::kOff, .rate = {2, 1s}});
  EXPECT_TRUE(log.Take(now_));
}

}  // namespace
}  // namespace hale::policy
