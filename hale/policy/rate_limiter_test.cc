#include "hale/policy/rate_limiter.h"

#include <gtest/gtest.h>

#include <vector>

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
  static_assert(std::tuple_size_v<decltype(CheckedFields<RateLimiterOptions>())> == 3);
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

TEST_F(RateLimiterTest, ShadowTellsAndRefusesNothing) {
  options_.mode = Mode::kShadow;
  RateLimiter limiter = Make();
  EXPECT_EQ(TakeAll(limiter, 8), 8);
  ASSERT_EQ(journal_.events.size(), 3U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(journal_.events[0].reason, Reason::kRateLimited);
  EXPECT_EQ(limiter.refused(), 3U);
}

TEST_F(RateLimiterTest, OffIsNotAsked) {
  options_.mode = Mode::kOff;
  RateLimiter limiter = Make();
  EXPECT_EQ(TakeAll(limiter, 100), 100);
  EXPECT_EQ(limiter.remaining(clock_.Now()), 5U);
}

}  // namespace
}  // namespace hale::policy
