#include "hale/policy/pacer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class Journal final : public EventSink {
 public:
  void On(const Event& event) noexcept override { events.push_back(event); }
  std::vector<Event> events;
};

class PacerTest : public testing::Test {
 protected:
  /// Made at first use, with the options as they are then.
  Pacer& pacer() {
    if (!pacer_) {
      pacer_ = std::make_unique<Pacer>(
          options_, RateLimiterContext{.name = "orders", .events = journal_, .clock = clock_});
    }
    return *pacer_;
  }
  Pacer::Turn Take() { return pacer().Take().value(); }
  /// So many calls at once: how long each is told to wait; -1: refused.
  std::vector<int> Waits(int calls) {
    std::vector<int> waits;
    for (int i = 0; i < calls; ++i) {
      const auto turn = pacer().Take();
      waits.push_back(turn ? static_cast<int>(turn->wait / 1ms) : -1);
    }
    return waits;
  }
  using Ms = std::vector<int>;

  PacerOptions options_{.rate = {10, 1s}, .slack = 0, .max_wait = 10s};
  SimClock clock_;
  Journal journal_;
  std::unique_ptr<Pacer> pacer_;
};

TEST_F(PacerTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<PacerOptions>())> == 4);
}

TEST_F(PacerTest, CallsThatComeAtOnceGoAtEvenDistances) {
  EXPECT_EQ(Waits(5), (Ms{0, 100, 200, 300, 400}));
}

TEST_F(PacerTest, WithoutSlackARestIsNotMadeUpFor) {
  Take();
  clock_.Advance(1h);
  EXPECT_EQ(Waits(3), (Ms{0, 100, 200}));
}

TEST_F(PacerTest, SlackLetsARestBeMadeUpFor) {
  options_.slack = 2;
  Take();
  clock_.Advance(1h);
  EXPECT_EQ(Waits(5), (Ms{0, 0, 0, 100, 200}));
}

TEST_F(PacerTest, AShortRestIsMadeUpForOnlyByAsMuch) {
  options_.slack = 5;
  Waits(6);
  clock_.Advance(250ms);
  EXPECT_EQ(Waits(3), (Ms{0, 0, 50}));
}

TEST_F(PacerTest, ALateCallDoesNotShortenTheDistanceToTheNext) {
  Take();
  clock_.Advance(130ms);
  EXPECT_EQ(Waits(2), (Ms{0, 100}));
}

TEST_F(PacerTest, WhoWouldWaitTooLongIsRefusedAndLeavesNoDebt) {
  options_.max_wait = 250ms;
  EXPECT_EQ(Waits(100).at(99), -1);
  EXPECT_EQ(pacer().wait(clock_.Now()), 300ms);
  clock_.Advance(50ms);
  EXPECT_EQ(Waits(2), (Ms{250, -1}));
  EXPECT_EQ(pacer().refused(), 98U);
}

TEST_F(PacerTest, AWaitOfExactlyTheLongestIsAccepted) {
  options_.max_wait = 100ms;
  EXPECT_EQ(Waits(3), (Ms{0, 100, -1}));
}

TEST_F(PacerTest, ACallersOwnTimeShortensTheWait) {
  Take();
  EXPECT_FALSE(pacer().Take(clock_.Now(), 99ms).has_value());
  EXPECT_TRUE(pacer().Take(clock_.Now(), 100ms).has_value());
}

TEST_F(PacerTest, ARefusalSaysWhenAskingAgainMakesSense) {
  options_.max_wait = 200ms;
  Waits(3);
  const auto refused = pacer().Take();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, 100ms);
  EXPECT_DOUBLE_EQ(refused.error().observed, 4);
  EXPECT_NEAR(refused.error().threshold, 3, 1e-6);
  clock_.Advance(refused.error().retry_after);
  EXPECT_TRUE(pacer().Take().has_value());
}

TEST_F(PacerTest, TheLastTurnThatIsGivenBackIsUndone) {
  Waits(2);
  const Pacer::Turn last = Take();
  EXPECT_EQ(last.wait, 200ms);
  pacer().Cancel(last, clock_.Now());
  EXPECT_EQ(Take().wait, 200ms);
}

TEST_F(PacerTest, ATurnGivenBackAmidOthersGoesToTheNextWhoComes) {
  Waits(2);
  const Pacer::Turn turn = Take();
  Waits(2);
  pacer().Cancel(turn, clock_.Now());
  EXPECT_EQ(Waits(2), (Ms{200, 500}));
}

TEST_F(PacerTest, ATurnThatIsGivenBackTooLateIsLost) {
  Take();
  const Pacer::Turn turn = Take();
  Waits(2);
  pacer().Cancel(turn, clock_.Now());
  clock_.Advance(150ms);
  EXPECT_EQ(Waits(1), Ms{250});
}

TEST_F(PacerTest, ATurnIsGivenOutAgainOnlyOnce) {
  Take();
  const Pacer::Turn one = Take();
  const Pacer::Turn other = Take();
  Waits(1);
  pacer().Cancel(one, clock_.Now());
  pacer().Cancel(other, clock_.Now());
  EXPECT_EQ(Waits(4), (Ms{100, 200, 400, 500}));
}

TEST_F(PacerTest, ATurnGivenBackIsKeptForWhoCanWaitForIt) {
  Waits(3);
  const Pacer::Turn turn = Take();
  Waits(1);
  pacer().Cancel(turn, clock_.Now());
  EXPECT_FALSE(pacer().Take(clock_.Now(), 299ms).has_value());
  EXPECT_EQ(pacer().Take(clock_.Now(), 300ms).value().wait, 300ms);
}

TEST_F(PacerTest, ATurnIsGivenBackAsOftenAsItIsGivenOut) {
  Take();
  const Pacer::Turn turn = Take();
  Take();
  pacer().Cancel(turn, clock_.Now());
  pacer().Cancel(Take(), clock_.Now());
  EXPECT_EQ(Waits(2), (Ms{100, 300}));
}

TEST_F(PacerTest, TurnsThatHavePassedMakeRoomForLaterOnes) {
  for (int round = 0; round < 20; ++round) {
    clock_.Advance(1s);
    Take();
    const Pacer::Turn turn = Take();
    Take();
    pacer().Cancel(turn, clock_.Now());
  }
  EXPECT_EQ(Waits(2), (Ms{100, 300}));
}

TEST_F(PacerTest, OfTheTurnsGivenBackAmidOthersEightAreKept) {
  Take();
  std::vector<Pacer::Turn> turns;
  for (int i = 0; i < 9; ++i) turns.push_back(Take());
  Take();
  for (const Pacer::Turn& turn : turns) pacer().Cancel(turn, clock_.Now());
  EXPECT_EQ(Waits(9), (Ms{100, 200, 300, 400, 500, 600, 700, 800, 1100}));
}

TEST_F(PacerTest, CancellingEverythingLeavesNothing) {
  std::vector<Pacer::Turn> turns;
  for (int i = 0; i < 30; ++i) turns.push_back(Take());
  while (!turns.empty()) {
    pacer().Cancel(turns.back(), clock_.Now());
    turns.pop_back();
  }
  EXPECT_EQ(Waits(2), (Ms{0, 100}));
}

TEST_F(PacerTest, WhateverIsCancelledTheGapsAreNeverShorterThanTheRate) {
  SeededRandom random(7);
  options_.max_wait = 2s;
  std::vector<std::pair<TimePoint, Pacer::Turn>> turns;  // and when they come
  for (int i = 0; i < 3000; ++i, clock_.Advance(random.Between(0ns, 150ms))) {
    if (const auto turn = pacer().Take()) turns.emplace_back(clock_.Now() + turn->wait, *turn);
    const std::size_t one = random.Below(turns.size());
    if (turns[one].first <= clock_.Now() || random.Below(2) == 0) continue;
    pacer().Cancel(turns[one].second, clock_.Now());
    turns.erase(turns.begin() + static_cast<std::ptrdiff_t>(one));
  }
  std::ranges::sort(turns, {}, &std::pair<TimePoint, Pacer::Turn>::first);
  for (std::size_t i = 1; i < turns.size(); ++i) {
    ASSERT_GE(turns[i].first - turns[i - 1].first, 100ms - 1ns);
  }
  EXPECT_GT(turns.size(), 1000U);
}

TEST_F(PacerTest, ApplyKeepsTheTurnsThatAreReserved) {
  Waits(5);
  options_.rate = {100, 1s};
  pacer().Apply(options_);
  EXPECT_EQ(Waits(2), (Ms{50, 60}));  // five turns, each now a tenth as long
}

TEST_F(PacerTest, ATurnGivenBackBeforeAChangeIsLost) {
  Waits(3);
  const Pacer::Turn turn = Take();
  Waits(1);
  pacer().Cancel(turn, clock_.Now());
  options_.slack = 2;
  pacer().Apply(options_);
  EXPECT_EQ(Waits(1), Ms{300});  // its 300 ms would be 100 ms now, when another one goes
}

TEST_F(PacerTest, ALongestWaitThatIsLoweredHoldsForTheNextCall) {
  Waits(3);
  options_.max_wait = 250ms;
  pacer().Apply(options_);
  EXPECT_EQ(Waits(1), Ms{-1});
}

TEST_F(PacerTest, TurnedOffWhileItRunsNobodyWaits) {
  Waits(3);
  options_.mode = Mode::kOff;
  pacer().Apply(options_);
  EXPECT_EQ(Waits(2), (Ms{0, 0}));
}

TEST_F(PacerTest, ShadowCountsAndTellsButNobodyWaits) {
  options_.mode = Mode::kShadow;
  options_.max_wait = 150ms;
  EXPECT_EQ(Waits(4), (Ms{0, 0, 0, 0}));
  ASSERT_EQ(journal_.events.size(), 2U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(journal_.events[0].service, "orders");
  EXPECT_EQ(pacer().would_refuse(), 2U);
  EXPECT_EQ(pacer().refused(), 0U);
  EXPECT_EQ(pacer().delayed(), 1U);
}

TEST_F(PacerTest, ShadowTellsTheTrailOfTheCallAndNobodyElse) {
  options_.mode = Mode::kShadow;
  options_.max_wait = 150ms;
  Waits(2);
  Journal trail;
  EXPECT_TRUE(pacer().Take(clock_.Now(), kForever, &trail));
  ASSERT_EQ(trail.events.size(), 1U);
  EXPECT_EQ(trail.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_TRUE(journal_.events.empty());
}

TEST_F(PacerTest, OffIsNotAsked) {
  options_.mode = Mode::kOff;
  EXPECT_EQ(Waits(3), (Ms{0, 0, 0}));
  EXPECT_EQ(pacer().wait(clock_.Now()), 0ns);
}

}  // namespace
}  // namespace hale::policy
