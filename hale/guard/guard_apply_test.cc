#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

/// A guard whose options change, in virtual time.
class GuardApplyTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override {
    told_.push_back(event.kind);
    details_.emplace_back(event.detail);
    if (when_told_) when_told_(event);
  }
  GuardContext Context() {
    return {
        .clock = clock_,
        .events = *this,
        .random = &random_,
        .idle = [this](std::unique_lock<std::mutex>&, std::condition_variable&, TimePoint when) {
          if (when_idle_) when_idle_();
          clock_.Set(when);
        }};
  }
  static std::unexpected<Error> Refuses() { return Fail(Reason::kUpstreamConnect, Executed::kNo); }
  static void FailOnce(Guard& guard) {
    (void)guard.Call([](const Attempt&) -> Result<int> { return Refuses(); });
  }

  SimClock clock_;
  SeededRandom random_{3};
  std::function<void()> when_idle_;
  std::function<void(const Event&)> when_told_;
  std::vector<EventKind> told_;
  std::vector<std::string> details_;
};

TEST_F(GuardApplyTest, AGuardIsNotMadeOfWhatCannotBe) {
  EXPECT_THROW(Guard({.deadline = 0s}, Context()), std::invalid_argument);
}

TEST_F(GuardApplyTest, SaysWhatItChanged) {
  Guard guard({}, Context());
  const auto changes = guard.Apply({.deadline = 2s});
  EXPECT_EQ(Print(changes.value()), "deadline: 15s -> 2s\n");
  EXPECT_EQ(guard.options().deadline, Duration(2s));
  EXPECT_EQ(told_, std::vector{EventKind::kConfigApplied});
  EXPECT_EQ(details_.back(), "deadline: 15s -> 2s\n");
}

TEST_F(GuardApplyTest, WhatCannotBeChangesNothingAndStopsNothing) {
  Guard guard({.retry = {.attempts = 3}}, Context());
  const auto refused = guard.Apply({.limit = {.rate = {0, 1s}}, .retry = {.attempts = 11}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().size(), 2U);
  EXPECT_EQ(guard.options().retry.attempts, 3U);
  EXPECT_EQ(told_, std::vector{EventKind::kConfigRejected});
  EXPECT_TRUE(guard.Apply({.retry = {.attempts = 4}}));
  EXPECT_EQ(guard.options().retry.attempts, 4U);
}

TEST_F(GuardApplyTest, ItsNameStays) {
  Guard guard({.name = "a"}, Context());
  const auto refused = guard.Apply({.name = "b"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().at(0).path, "name");
}

TEST_F(GuardApplyTest, ACallKeepsTheRulesThatItBeganWith) {
  Guard guard({.retry = {.attempts = 3}, .deadline = 10s}, Context());
  when_idle_ = [&] { EXPECT_TRUE(guard.Apply({.retry = {.attempts = 1}, .deadline = 5s})); };
  int calls = 0;
  (void)guard.Call([&](const Attempt& attempt) -> Result<int> {
    ++calls;
    EXPECT_GT(attempt.remaining(), 5s);
    return Refuses();
  });
  EXPECT_EQ(calls, 3);
  FailOnce(guard);
  EXPECT_EQ(guard.breaker().Status().totals.admitted, 4U);  // the next call has the new rules
}

TEST_F(GuardApplyTest, ReturnsAtOnceWhileACallIsInItsBackOff) {
  Guard guard({}, Context());
  int applied = 0;
  when_idle_ = [&] { applied += guard.Apply({.deadline = 5s}).has_value() ? 1 : 0; };
  FailOnce(guard);
  EXPECT_EQ(applied, 1);
}

TEST_F(GuardApplyTest, AnOpenCircuitStaysOpenUntilItsTime) {
  GuardOptions options{.breaker = {.consecutive_failures = 1, .open_for = 60s}};
  Guard guard(options, Context());
  FailOnce(guard);
  const policy::CircuitStatus before = guard.breaker().Status();
  ASSERT_EQ(before.state, policy::CircuitState::kOpen);
  options.breaker.open_for = 1s;
  EXPECT_TRUE(guard.Apply(options));
  const policy::CircuitStatus after = guard.breaker().Status();
  EXPECT_EQ(after.state, policy::CircuitState::kOpen);
  EXPECT_EQ(after.until, before.until);
  EXPECT_EQ(after.totals.failed, before.totals.failed);
}

TEST_F(GuardApplyTest, ALimiterKeepsItsDebt) {
  GuardOptions options{.limit = {.rate = {1, 1s}, .burst = 5}};
  Guard guard(options, Context());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(guard.Call([](const Attempt&) {}));
  options.limit.rate = {10, 1s};
  EXPECT_TRUE(guard.Apply(options));
  EXPECT_EQ(guard.limiter().remaining(clock_.Now()), 0U);
}

TEST_F(GuardApplyTest, ACallInFlightSettlesOnTheSamePolicies) {
  GuardOptions options{.bulkhead = {.limit = 3}};
  Guard guard(options, Context());
  (void)guard.Call([&](const Attempt&) {
    options.bulkhead.limit = 1;
    options.bulkhead.queue = 0;
    EXPECT_TRUE(guard.Apply(options));
    EXPECT_EQ(guard.bulkhead().in_flight(), 1U);
    EXPECT_EQ(guard.Call([](const Attempt&) {}).error().reason, Reason::kConcurrency);
  });
  EXPECT_EQ(guard.bulkhead().in_flight(), 0U);
  EXPECT_EQ(guard.breaker().Status().totals.succeeded, 1U);
}

TEST_F(GuardApplyTest, MayBeCalledByWhoIsToldOfAChange) {
  Guard guard({}, Context());
  when_told_ = [&](const Event&) {
    when_told_ = nullptr;
    EXPECT_TRUE(guard.Apply({.deadline = 3s}));
  };
  EXPECT_TRUE(guard.Apply({.deadline = 2s}));
  EXPECT_EQ(guard.options().deadline, Duration(3s));
}

TEST_F(GuardApplyTest, TheLastOfSeveralChangesIsInForce) {
  GuardOptions options{.limit = {.rate = {1, 1s}, .burst = 1}};
  Guard guard(options, Context());
  for (std::uint64_t burst = 2; burst <= 5; ++burst) {
    options.limit.burst = burst;
    EXPECT_TRUE(guard.Apply(options));
  }
  EXPECT_EQ(guard.limiter().remaining(clock_.Now()), 5U);
}

TEST_F(GuardApplyTest, AnEngineFollowsEachChange) {
  GuardOptions options{
      .breaker = {.consecutive_failures = 5}, .retry = {.budget = {.reserve = 0}}, .deadline = 9s};
  Guard guard(options, Context());
  options.breaker.consecutive_failures = 1;
  options.retry.budget.reserve = 20;
  EXPECT_TRUE(guard.Apply(options));
  FailOnce(guard);
  EXPECT_EQ(guard.breaker().state(), policy::CircuitState::kOpen);
  clock_.Advance(10s);
  EXPECT_EQ(guard.budget().balance(clock_.Now()), 20);
}

/// A clock that does something the next time that it is read.
class HookedClock final : public Clock {
 public:
  TimePoint Now() const override {
    if (const auto hook = std::exchange(hook_, nullptr)) hook();
    return TimePoint{} + 1h;
  }
  WallTime WallNow() const override { return WallTime{}; }
  mutable std::function<void()> hook_;
};

TEST_F(GuardApplyTest, WhatComesWhileAChangeIsAppliedIsAppliedToo) {
  HookedClock clock;
  Guard guard({.limit = {.burst = 1}}, {.clock = clock});
  bool applied = false;
  clock.hook_ = [&] { applied = guard.Apply({.limit = {.burst = 3}}).has_value(); };
  EXPECT_TRUE(guard.Apply({.limit = {.burst = 2}}));
  EXPECT_TRUE(applied);
  EXPECT_EQ(guard.limiter().remaining(TimePoint{} + 2h), 3U);
}

TEST_F(GuardApplyTest, DescribesWhatIsInForce) {
  Guard guard({.name = "ledger"}, Context());
  EXPECT_TRUE(guard.Apply({.name = "ledger", .deadline = 3s}));
  EXPECT_NE(guard.Describe().find("3s for the whole call"), std::string::npos);
}

}  // namespace
}  // namespace hale::guard
