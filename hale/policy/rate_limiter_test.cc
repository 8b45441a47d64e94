#include "hale/policy/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class Journal final : public EventSink {
 public:
  void On(const Event& event) noexcept override { events.push_back(event); }
  std::vector<Event> events;
};

class RateLimiterTest : public testing::Test {
 protected:
  RateLimiter Make() {
    return RateLimiter(options_, {.name = "orders", .events = journal_, .clock = clock_});
  }
  static int TakeAll(RateLimiter& limiter, int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += limiter.Take().has_value() ? 1 : 0;
    return admitted;
  }

  RateLimiterOptions options_{.rate = {10, 1s}, .burst = 5};
  SimClock clock_;
  Journal journal_;
};

TEST_F(RateLimiterTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<RateLimiterOptions>())> == 5);
}

TEST_F(RateLimiterTest, TheSchemaRefusesARateOfZero) {
  constexpr auto kRate = std::get<1>(CheckedFields<RateLimiterOptions>());
  EXPECT_LT(Rate({0, 1s}).PerSecond(), kRate.bounds.low.PerSecond());
}

TEST_F(RateLimiterTest, ARefusalSaysWhyAndForHowLong) {
  RateLimiter limiter = Make();
  EXPECT_EQ(TakeAll(limiter, 5), 5);
  const auto refused = limiter.Take();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, 100ms);
  EXPECT_DOUBLE_EQ(refused.error().observed, 6);
  EXPECT_DOUBLE_EQ(refused.error().threshold, 5);
  EXPECT_EQ(limiter.refused(), 1U);
}

TEST_F(RateLimiterTest, ARefusalLeavesNoDebt) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  const Duration before = limiter.reset(clock_.Now());
  TakeAll(limiter, 1000);
  EXPECT_EQ(limiter.reset(clock_.Now()), before);
}

TEST_F(RateLimiterTest, RemainingAndResetDescribeTheBurst) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 3);
  EXPECT_EQ(limiter.remaining(clock_.Now()), 2U);
  EXPECT_EQ(limiter.reset(clock_.Now()), 300ms);
}

TEST_F(RateLimiterTest, AWeightIsAsManyPermitsOrNone) {
  RateLimiter limiter = Make();
  EXPECT_TRUE(limiter.Take(clock_.Now(), 3));
  EXPECT_EQ(limiter.remaining(clock_.Now()), 2U);
  EXPECT_FALSE(limiter.Take(clock_.Now(), 3));
  EXPECT_EQ(limiter.remaining(clock_.Now()), 2U);
}

TEST_F(RateLimiterTest, ApplyDoesNotRefill) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  limiter.Apply(options_);
  EXPECT_FALSE(limiter.Take().has_value());
}

TEST_F(RateLimiterTest, ARaisedRateHoldsAtOnceAndGivesNoFreeBurst) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  options_.rate = {1000, 1s};
  limiter.Apply(options_);
  EXPECT_EQ(TakeAll(limiter, 10), 0);
  clock_.Advance(2ms);
  EXPECT_EQ(TakeAll(limiter, 10), 2);
}

TEST_F(RateLimiterTest, ARaisedBurstAddsOnlyTheDifference) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  options_.burst = 8;
  limiter.Apply(options_);
  EXPECT_EQ(TakeAll(limiter, 10), 3);
}

TEST_F(RateLimiterTest, ALoweredLimitConverges) {
  options_.burst = 50;
  RateLimiter limiter = Make();
  TakeAll(limiter, 50);
  options_ = {.rate = {1, 1s}, .burst = 1};
  limiter.Apply(options_);
  EXPECT_EQ(limiter.remaining(clock_.Now()), 0U);
  EXPECT_EQ(limiter.Take().error().retry_after, 50s);
  clock_.Advance(50s);
  EXPECT_EQ(TakeAll(limiter, 5), 1);
}

TEST_F(RateLimiterTest, ManyChangesInARowLoseNoDebt) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 4);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    options_.rate = {i % 7 * 100 + 1, 1s};
    limiter.Apply(options_);
    EXPECT_EQ(limiter.remaining(clock_.Now()), 1U);
  }
}

TEST_F(RateLimiterTest, TurnedOffWhileItRunsItRefusesNothing) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  options_.mode = Mode::kOff;
  limiter.Apply(options_);
  EXPECT_EQ(TakeAll(limiter, 5), 5);
}

TEST_F(RateLimiterTest, WhatIsGivenBackWasNeverTaken) {
  RateLimiter limiter = Make();
  TakeAll(limiter, 2);
  const auto taken = limiter.Take(clock_.Now(), 3);
  limiter.GiveBack(*taken, clock_.Now());
  EXPECT_EQ(limiter.remaining(clock_.Now()), 3U);
  EXPECT_EQ(limiter.reset(clock_.Now()), 200ms);
}

TEST_F(RateLimiterTest, WhatTimeHasPaidIsNotGivenBackAgain) {
  RateLimiter limiter = Make();
  const auto taken = limiter.Take(clock_.Now(), 5);
  clock_.Advance(400ms);
  EXPECT_EQ(TakeAll(limiter, 4), 4);
  limiter.GiveBack(*taken, clock_.Now());
  EXPECT_EQ(TakeAll(limiter, 10), 1);  // the fifth is all that was not paid
}

TEST_F(RateLimiterTest, AnEstimateIsSettledToWhatItCameTo) {
  RateLimiter limiter = Make();
  const auto less = limiter.Take(clock_.Now(), 4);
  limiter.Settle(*less, 1, clock_.Now());
  EXPECT_EQ(limiter.remaining(clock_.Now()), 4U);
  const auto more = limiter.Take(clock_.Now(), 1);
  limiter.Settle(*more, 3, clock_.Now());
  EXPECT_EQ(limiter.remaining(clock_.Now()), 1U);
}

TEST_F(RateLimiterTest, AnOverRunIsPaidBackBeforeAnythingPasses) {
  RateLimiter limiter = Make();
  const auto taken = limiter.Take();
  limiter.Settle(*taken, 21, clock_.Now());
  EXPECT_EQ(limiter.Take().error().retry_after, 1700ms);  // 22 owed, a burst of 5
  clock_.Advance(1700ms);
  EXPECT_EQ(TakeAll(limiter, 5), 1);
}

TEST_F(RateLimiterTest, SettledCallsStayWithinTheRateTheBurstAndTheLastOverRun) {
  SeededRandom random(5);
  RateLimiter limiter = Make();
  const TimePoint start = clock_.Now();
  double came_to = 0;
  for (int i = 0; i < 20'000; ++i, clock_.Advance(random.Between(0ns, 200ms))) {
    const auto taken = limiter.Take(clock_.Now(), 2);
    if (!taken) continue;
    const double before = came_to;
    const std::uint64_t actual = random.Below(10);
    limiter.Settle(*taken, actual, clock_.Now());
    came_to += static_cast<double>(actual);
    const double bound = Seconds(clock_.Now() - start) * 10 + 5;
    ASSERT_LE(before + std::min<double>(2, static_cast<double>(actual)), bound + 1e-6);
  }
  EXPECT_GT(came_to, Seconds(clock_.Now() - start) * 5);
}

TEST_F(RateLimiterTest, AReceiptOutlivesAChange) {
  RateLimiter limiter = Make();
  const auto taken = limiter.Take(clock_.Now(), 5);
  options_.rate = {1, 1min};
  limiter.Apply(options_);
  limiter.GiveBack(*taken, clock_.Now());
  EXPECT_EQ(limiter.remaining(clock_.Now()), 5U);
}

TEST_F(RateLimiterTest, AReceiptOfTwoChangesAgoGivesNothingBackAndOwesWhatIsMissing) {
  RateLimiter limiter = Make();
  const auto taken = limiter.Take(clock_.Now(), 2);
  limiter.Apply(options_);
  limiter.Apply(options_);
  limiter.GiveBack(*taken, clock_.Now());
  EXPECT_EQ(limiter.remaining(clock_.Now()), 3U);
  limiter.Settle(*taken, 4, clock_.Now());
  EXPECT_EQ(limiter.remaining(clock_.Now()), 1U);
}

TEST_F(RateLimiterTest, WhatWasRefusedHasNothingToSettle) {
  options_.mode = Mode::kShadow;
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  const auto taken = limiter.Take();
  limiter.Settle(*taken, 1000, clock_.Now());
  EXPECT_EQ(limiter.reset(clock_.Now()), 500ms);
}

TEST_F(RateLimiterTest, ShadowTellsAndRefusesNothing) {
  options_.mode = Mode::kShadow;
  RateLimiter limiter = Make();
  EXPECT_EQ(TakeAll(limiter, 8), 8);
  ASSERT_EQ(journal_.events.size(), 3U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(journal_.events[0].reason, Reason::kRateLimited);
  EXPECT_EQ(journal_.events[0].service, "orders");
  EXPECT_EQ(limiter.would_refuse(), 3U);
  EXPECT_EQ(limiter.refused(), 0U);
}

TEST_F(RateLimiterTest, ShadowTellsTheTrailOfTheCallAndNobodyElse) {
  options_.mode = Mode::kShadow;
  RateLimiter limiter = Make();
  TakeAll(limiter, 5);
  Journal trail;
  EXPECT_TRUE(limiter.Take(clock_.Now(), 1, &trail));
  ASSERT_EQ(trail.events.size(), 1U);
  EXPECT_EQ(trail.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_TRUE(journal_.events.empty());
}

TEST_F(RateLimiterTest, AnEventSaysWhatTheRefusalWouldHaveSaid) {
  const Rejection rejection{Reason::kRateLimited, 100ms, 6, 5};
  const Event event = WouldRefuse(rejection, "orders", clock_.Now());
  EXPECT_EQ(event.at, clock_.Now());
  EXPECT_EQ(event.policy, "rate_limiter");
  EXPECT_EQ(event.service, "orders");
  EXPECT_EQ(event.observed, 6);
  EXPECT_EQ(event.threshold, 5);
  EXPECT_EQ(event.span, 100ms);
}

TEST_F(RateLimiterTest, AnEventSaysWhoWaitsAndForHowLong) {
  const Event event = Delayed(100ms, "orders", clock_.Now());
  EXPECT_EQ(event.kind, EventKind::kDelayed);
  EXPECT_EQ(event.reason, Reason::kNone);  // it was not refused
  EXPECT_EQ(event.service, "orders");
  EXPECT_EQ(event.span, 100ms);
}

TEST_F(RateLimiterTest, OffIsNotAsked) {
  options_.mode = Mode::kOff;
  RateLimiter limiter = Make();
  EXPECT_EQ(TakeAll(limiter, 100), 100);
  EXPECT_EQ(limiter.remaining(clock_.Now()), 5U);
}

}  // namespace
}  // namespace hale::policy
