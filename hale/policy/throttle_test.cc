#include "hale/policy/throttle.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace hale::policy {
namespace {

ThrottleOptions Enforced() { return {.mode = Mode::kEnforce}; }

/// Dice that always hold back, or never.
class Dice final : public Random {
 public:
  explicit Dice(std::uint64_t next) : next_(next) {}
  std::uint64_t Next() override { return next_; }

 private:
  std::uint64_t next_;
};

struct Trail final : EventSink {
  void On(const Event& event) noexcept override { kinds.push_back(event.kind); }
  std::vector<EventKind> kinds;
};

class ThrottleTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.push_back(event); }

  void Count(Reception reception, int times) {
    for (int i = 0; i < times; ++i) throttle_.Count(reception, now_);
  }
  void Take(int times) { Count(Reception::kTaken, times); }
  void TurnAway(int times) { Count(Reception::kTurnedAway, times); }
  /// Of so many calls at this instant, how many may be sent.
  int Admitted(int calls) {
    int admitted = 0;
    for (int i = 0; i < calls; ++i) admitted += throttle_.Admit(now_, random_) ? 1 : 0;
    return admitted;
  }
  /// A second of `calls` calls of which `receive` says what becomes of those that are sent; how
  /// many were.
  int Second(int calls, const std::function<Reception()>& receive) {
    int sent = 0;
    for (int i = 0; i < calls; ++i, now_ += Duration(1s) / calls) {
      if (!throttle_.Admit(now_, random_)) continue;
      ++sent;
      throttle_.Count(receive(), now_);
    }
    return sent;
  }
  static Reception Well() { return Reception::kTaken; }
  static Reception Busy() { return Reception::kTurnedAway; }
  void Outage(int calls, int seconds) {
    for (int i = 0; i < seconds; ++i) Second(calls, Busy);
  }
  /// Seconds of a service that is well until all calls of one are sent.
  int Recovery(int calls) {
    int seconds = 1;
    while (Second(calls, Well) < calls && seconds < 1000) ++seconds;
    return seconds;
  }

  TimePoint now_ = SimClock().Now();
  SeededRandom random_{5};
  Dice hold_{0};
  Dice pass_{~std::uint64_t{0}};
  std::vector<Event> told_;
  Throttle throttle_{Enforced(), {"s", *this}};
};

TEST_F(ThrottleTest, HoldsBackTheShareOfTheBook) {
  Take(100);
  TurnAway(300);
  EXPECT_DOUBLE_EQ(throttle_.share(now_), (400 - 2 * 100) / 401.0);
  EXPECT_EQ(throttle_.Status(now_).share, throttle_.share(now_));
}

TEST_F(ThrottleTest, LetsThroughKTimesWhatIsTaken) {
  throttle_.Apply({.mode = Mode::kEnforce, .k = 4});
  Take(100);
  TurnAway(700);
  EXPECT_DOUBLE_EQ(throttle_.share(now_), (800 - 4 * 100) / 801.0);
}

TEST_F(ThrottleTest, HoldsNothingBackWhileHalfIsTaken) {
  Take(100);
  TurnAway(100);
  EXPECT_EQ(throttle_.share(now_), 0);
  EXPECT_EQ(Admitted(100), 100);
}

TEST_F(ThrottleTest, CountsWhatItHoldsBackAsARequest) {
  Take(100);
  TurnAway(300);
  now_ += 3s;
  const int held = 100 - Admitted(100);
  EXPECT_GT(held, 0);
  EXPECT_EQ(throttle_.Status(now_).window.requests(), 400U + static_cast<unsigned>(held));
  EXPECT_DOUBLE_EQ(throttle_.share(now_), (200.0 + held) / (401.0 + held));
}

TEST_F(ThrottleTest, SaysWhyAndHowMuchItHoldsBack) {
  TurnAway(100);
  Admitted(1);  // the one of this second
  const auto refused = throttle_.Admit(now_, random_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kThrottled);
  EXPECT_DOUBLE_EQ(refused.error().observed, 0.95);
  EXPECT_EQ(refused.error().threshold, 0);
}

TEST_F(ThrottleTest, ARefusalSaysWhatShareOfRequestsIsTaken) {
  Take(10);
  TurnAway(90);
  EXPECT_TRUE(throttle_.Admit(now_, hold_));  // the one of this second
  EXPECT_DOUBLE_EQ(throttle_.Admit(now_, hold_).error().threshold, 10 / 100.0);
  EXPECT_DOUBLE_EQ(throttle_.Admit(now_, hold_).error().threshold, 10 / 101.0);
}

TEST_F(ThrottleTest, HoldsNothingBackBeforeItHasSeenEnough) {
  TurnAway(19);
  EXPECT_EQ(throttle_.share(now_), 0);
  TurnAway(1);
  EXPECT_GT(throttle_.share(now_), 0);
}

TEST_F(ThrottleTest, WhatIsEnoughIsAnOption) {
  throttle_.Apply({.mode = Mode::kEnforce, .minimum_calls = 5});
  TurnAway(5);
  EXPECT_GT(throttle_.share(now_), 0);
}

TEST_F(ThrottleTest, IsCappedHoweverMuchIsTurnedAway) {
  TurnAway(10'000);
  EXPECT_EQ(throttle_.share(now_), 0.95);
  const int admitted = Admitted(10'000);
  EXPECT_GT(admitted, 400);
  EXPECT_LT(admitted, 600);
}

TEST_F(ThrottleTest, LetsAProbeASecondPassAtTotalOutage) {
  throttle_.Apply({.mode = Mode::kEnforce, .max_share = 0.999});
  Outage(100, 20);
  int seconds_without = 0;
  for (int i = 0; i < 60; ++i) seconds_without += Second(3, Busy) == 0 ? 1 : 0;
  EXPECT_EQ(seconds_without, 0);
}

TEST_F(ThrottleTest, LetsOnlyOneProbePassWhenAllElseIsHeldBack) {
  throttle_.Apply({.mode = Mode::kEnforce, .max_share = 0.999});
  TurnAway(10'000);
  EXPECT_LE(Admitted(100), 3);  // and once in a thousand by the dice
}

TEST_F(ThrottleTest, NeedsNoProbeInASecondInWhichACallPassed) {
  TurnAway(1000);
  EXPECT_TRUE(throttle_.Admit(now_, pass_));
  EXPECT_FALSE(throttle_.Admit(now_, hold_));
}

TEST_F(ThrottleTest, SeesWhatALoopThatIsAheadHasCounted) {
  now_ += 1s;
  TurnAway(100);
  now_ -= 1s;
  EXPECT_GT(throttle_.share(now_), 0.9);
}

TEST_F(ThrottleTest, RefusesNothingAfterARestLongerThanTheWindow) {
  TurnAway(1000);
  now_ += 9s;
  EXPECT_GT(throttle_.share(now_), 0);
  now_ += 1s + 1ms;
  EXPECT_EQ(throttle_.share(now_), 0);
  EXPECT_EQ(Admitted(1000), 1000);
}

TEST_F(ThrottleTest, ForgetsWhatIsOlderThanItsWindow) {
  Take(1000);
  now_ += 9s;
  TurnAway(100);
  EXPECT_EQ(throttle_.share(now_), 0);
  now_ += 1s;
  EXPECT_GT(throttle_.share(now_), 0.9);
}

TEST_F(ThrottleTest, LearnsNothingFromWhatNeverGotThere) {
  Count(Reception::kUnknown, 1000);
  EXPECT_EQ(throttle_.Status(now_).window, ThrottleCounts{});
}

TEST_F(ThrottleTest, LetsABusyServiceSeeTwiceWhatItTakes) {
  // It takes 100 in each second, and turns the rest away at once.
  const auto second = [&] {
    int took = 0;
    return Second(1000, [&] { return took++ < 100 ? Reception::kTaken : Reception::kTurnedAway; });
  };
  for (int i = 0; i < 60; ++i) second();
  int seen = 0;
  for (int i = 0; i < 60; ++i) seen += second();
  EXPECT_GT(seen, 60 * 100);
  EXPECT_LT(seen, 60 * 100 * 2 * 1.1);
}

TEST_F(ThrottleTest, IsOutOfTheWayWithinAWindowOfTheFirstSuccess) {
  Outage(1000, 60);
  EXPECT_LE(Recovery(1000), 10);
  EXPECT_EQ(Second(1000, Well), 1000);
}

TEST_F(ThrottleTest, GivesLoadBackByNoMoreThanItsFactorAtATime) {
  Outage(1000, 60);
  // The law is of a window of one to two seconds, so from one second to the next it can be more.
  int sent = Second(1000, Well);
  for (int i = 0; i < 3; ++i) {
    const int before = sent;
    sent = Second(1000, Well);
    EXPECT_LT(sent, 5 * before);
  }
  EXPECT_GT(sent, 500);
}

/// Law: what is left after an outage grows by a factor of k, so that the time to be back grows with
/// the logarithm of what was held back; here a factor a second rather than a window.
TEST_F(ThrottleTest, NeedsTimeForTheLogarithmOfWhatItHeldBack) {
  std::vector<int> seconds;
  for (const double share : {0.9, 0.99, 0.999}) {
    throttle_.Apply({.mode = Mode::kEnforce, .window = 1min, .max_share = share});
    Outage(5000, 120);
    seconds.push_back(Recovery(5000));
    now_ += 2min;
  }
  EXPECT_GT(seconds[1], seconds[0]);
  EXPECT_GT(seconds[2], seconds[1]);
  EXPECT_LE(seconds[2], 12);  // log2(1000), and two until the outage is out of sight
}

TEST_F(ThrottleTest, IsNotBackWhileMuchIsStillTurnedAway) {
  Outage(1000, 30);
  int nth = 0;
  const auto most = [&] { return ++nth % 4 == 0 ? Reception::kTurnedAway : Reception::kTaken; };
  for (int i = 0; i < 6; ++i) Second(1000, most);
  EXPECT_LT(Second(1000, most), 200);
}

TEST_F(ThrottleTest, KeepsWhatItRemembersWhenItsOptionsChange) {
  TurnAway(1000);
  throttle_.Apply({.mode = Mode::kEnforce, .window = 30s, .max_share = 0.5});
  EXPECT_EQ(throttle_.Status(now_).window.sent, 1000U);
  EXPECT_EQ(throttle_.share(now_), 0.5);
  now_ += 20s;
  EXPECT_EQ(throttle_.share(now_), 0.5);
}

TEST_F(ThrottleTest, RefusesNothingInShadowAndSaysWhatItWouldHave) {
  throttle_.Apply({.mode = Mode::kShadow});
  TurnAway(1000);
  EXPECT_EQ(Admitted(100), 100);
  EXPECT_GT(told_.size(), 80U);
  EXPECT_EQ(told_.front().kind, EventKind::kWouldRefuse);
  EXPECT_EQ(told_.front().reason, Reason::kThrottled);
  EXPECT_EQ(told_.front().policy, "throttle");
  EXPECT_EQ(told_.front().service, "s");
  EXPECT_EQ(told_.front().observed, 0.95);
  EXPECT_EQ(throttle_.Status(now_).window.held, 0U);
  EXPECT_EQ(throttle_.Status(now_).would_refuse, told_.size());
  EXPECT_EQ(throttle_.Status(now_).refused, 0U);
}

TEST_F(ThrottleTest, InShadowTellsTheTrailOfTheCallAndNobodyElse) {
  throttle_.Apply({.mode = Mode::kShadow});
  TurnAway(1000);
  Trail trail;
  (void)throttle_.Admit(now_, hold_, &trail);  // the one of this second that is let through
  EXPECT_TRUE(throttle_.Admit(now_, hold_, &trail));
  EXPECT_EQ(trail.kinds, std::vector{EventKind::kWouldRefuse});
  EXPECT_TRUE(told_.empty());
}

TEST_F(ThrottleTest, DoesNothingWhenItIsOff) {
  throttle_.Apply({});
  TurnAway(1000);
  EXPECT_EQ(Admitted(100), 100);
  EXPECT_EQ(throttle_.Status(now_).window, ThrottleCounts{});
}

TEST_F(ThrottleTest, StopsHoldingBackWhenItIsTurnedOff) {
  TurnAway(1000);
  throttle_.Apply({});
  EXPECT_EQ(throttle_.share(now_), 0);
  EXPECT_EQ(Admitted(100), 100);
  EXPECT_TRUE(told_.empty());
}

TEST_F(ThrottleTest, CountsWhatItRefused) {
  TurnAway(1000);
  const int admitted = Admitted(100);
  EXPECT_EQ(throttle_.Status(now_).refused, 100U - static_cast<unsigned>(admitted));
}

TEST_F(ThrottleTest, SurvivesAClockThatStepsBack) {
  TurnAway(1000);
  Admitted(10);
  now_ -= 30min;
  EXPECT_EQ(throttle_.share(now_), 0);
  TurnAway(1000);
  EXPECT_EQ(throttle_.share(now_), 0.95);
  EXPECT_TRUE(throttle_.Admit(now_, hold_));  // the probe of a second that begins anew
}

TEST(ShareHeldBackTest, NeverHoldsMoreBackForWhatWasRecently) {
  const ThrottleCounts window{.sent = 100, .taken = 60};
  const ThrottleCounts recent{.sent = 10, .taken = 10, .held = 90};
  EXPECT_EQ(ShareHeldBack({}, window, recent), 0);
}

TEST(ShareHeldBackTest, NineOfTenAreNearlyAll) {
  const ThrottleCounts window{.sent = 1000, .taken = 100};
  EXPECT_EQ(ShareHeldBack({}, window, {.sent = 10, .taken = 9}), 0);
  EXPECT_GT(ShareHeldBack({}, window, {.sent = 100, .taken = 89}), 0);
}

TEST(ShareHeldBackTest, IsNeverLessThanNothing) {
  EXPECT_EQ(ShareHeldBack({}, {.sent = 100, .taken = 90}, {}), 0);
}

}  // namespace
}  // namespace hale::policy
