#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

using policy::Mode;

GuardOptions Throttled() {
  return {.throttle = {.mode = Mode::kEnforce},
          .breaker = {.mode = Mode::kOff},
          .retry = {.mode = Mode::kOff}};
}

std::unexpected<Error> Busy() {
  Error error(Code::kResourceExhausted, "busy");
  error.executed = Executed::kNo;
  return std::unexpected(std::move(error));
}

class OverloadTest : public ::testing::Test, protected EventSink {
 protected:
  struct Told {
    EventKind kind;
    Reason reason;
    std::string policy;
  };
  void On(const Event& event) noexcept override {
    told_.push_back({event.kind, event.reason, std::string(event.policy)});
  }
  GuardContext Context() {
    return {.clock = clock_,
            .events = *this,
            .random = &random_,
            .idle = [this](std::unique_lock<std::mutex>&, std::condition_variable&,
                           TimePoint when) { clock_.Set(when); }};
  }
  /// So many calls to a service that says this; the last one's reason.
  Reason Call(Guard& guard, int times, const Result<int>& says) {
    Reason reason = Reason::kNone;
    for (int i = 0; i < times; ++i) {
      const auto result = guard.Call([&](const Attempt&) -> Result<int> {
        ++sent_;
        clock_.Advance(takes_);
        return says;
      });
      reason = result ? Reason::kNone : result.error().reason;
    }
    return reason;
  }

  SimClock clock_;
  SeededRandom random_{3};
  std::vector<Told> told_;
  Duration takes_{0};
  int sent_ = 0;
};

TEST_F(OverloadTest, ACallIsHeldBackFromWhoTurnsAllAway) {
  Guard guard(Throttled(), Context());
  Call(guard, 200, Busy());
  EXPECT_LT(sent_, 60);
  EXPECT_EQ(Call(guard, 1, 7), Reason::kThrottled);
  EXPECT_EQ(told_.back().kind, EventKind::kRefused);
  EXPECT_EQ(told_.back().reason, Reason::kThrottled);
  EXPECT_EQ(told_.back().policy, "throttle");
}

TEST_F(OverloadTest, AMereErrorHoldsNothingBack) {
  Guard guard(Throttled(), Context());
  Call(guard, 200, Fail(Code::kInternal, "a bug"));
  EXPECT_EQ(sent_, 200);
}

TEST_F(OverloadTest, EachAttemptOfACallCounts) {
  GuardOptions options = Throttled();
  options.throttle.minimum_calls = 1000;
  options.retry = {.attempts = 3, .budget = {.mode = Mode::kOff}};
  Guard guard(options, Context());
  Call(guard, 10, Busy());
  EXPECT_EQ(guard.throttle().Status(clock_.Now()).window.sent, 30U);
}

TEST_F(OverloadTest, AHeldBackCallIsFinalForItsCaller) {
  EXPECT_TRUE(IsFinalForCaller({.reason = Reason::kThrottled}, 0));
  EXPECT_FALSE(IsFinalForCaller({.reason = Reason::kConcurrency}, 1));
  EXPECT_TRUE(IsFinalForCaller({.reason = Reason::kCircuitOpen}, 2));
}

TEST_F(OverloadTest, AThrottleKeepsItsCountsWhenThePipelineChanges) {
  Guard guard(Throttled(), Context());
  Call(guard, 15, Busy());
  GuardOptions changed = Throttled();
  changed.throttle.k = 3;
  ASSERT_TRUE(guard.Apply(changed));
  EXPECT_EQ(guard.throttle().Status(clock_.Now()).window.sent, 15U);
}

TEST_F(OverloadTest, CallsThatTimeOutLowerTheLimit) {
  Guard guard({.concurrency = {.mode = Mode::kEnforce},
               .breaker = {.mode = Mode::kOff},
               .retry = {.mode = Mode::kOff}},
              Context());
  takes_ = 100ms;
  Call(guard, 100, Fail(Code::kDeadlineExceeded, "late"));
  EXPECT_LT(guard.concurrency().limit(), 20U);
}

TEST_F(OverloadTest, ALimitThatIsTurnedOffGivesTheBulkheadItsOwnBack) {
  GuardOptions options{.bulkhead = {.limit = 3, .queue = 0},
                       .concurrency = {.mode = Mode::kEnforce, .min = 1, .start = 1}};
  Guard guard(options, Context());
  const auto first = guard.bulkhead().TryEnter(clock_.Now());
  EXPECT_FALSE(guard.bulkhead().TryEnter(clock_.Now()));
  options.concurrency.mode = Mode::kOff;
  ASSERT_TRUE(guard.Apply(options));
  EXPECT_TRUE(guard.bulkhead().TryEnter(clock_.Now()));
}

TEST_F(OverloadTest, TheLimitSurvivesAChangeOfTheBulkhead) {
  GuardOptions options{.bulkhead = {.limit = 30, .queue = 0},
                       .concurrency = {.mode = Mode::kEnforce, .min = 1, .start = 1}};
  Guard guard(options, Context());
  options.bulkhead.limit = 20;
  ASSERT_TRUE(guard.Apply(options));
  const auto first = guard.bulkhead().TryEnter(clock_.Now());
  EXPECT_FALSE(guard.bulkhead().TryEnter(clock_.Now()));
}

struct Trail final : EventSink {
  void On(const Event& event) noexcept override { policies.emplace_back(event.policy); }
  std::vector<std::string> policies;
};

/// What the two are told of one attempt.
class ObserveTest : public ::testing::Test {
 protected:
  void Tell(const Received& received, TimePoint now) {
    const CallPolicies policies{bulkhead_, retry_,     budget_,      ThreadRandom(),
                                0ms,       &throttle_, &concurrency_};
    const CallSpec spec{.service = "s", .trail = trail_};
    for (int i = 0; i < 20; ++i) Observe(policies, spec, received, now);
  }

  TimePoint now_ = SimClock().Now();
  policy::Bulkhead bulkhead_;
  policy::RetryOptions retry_;
  policy::RetryBudget budget_;
  policy::Throttle throttle_{{.mode = Mode::kEnforce}};
  policy::ConcurrencyLimit concurrency_{{.mode = Mode::kEnforce}};
  Trail trail_;
};

TEST_F(ObserveTest, ALimitLearnsHowLongAnAttemptTook) {
  for (int i = 0; i < 3; ++i) {
    now_ += 1s;
    Tell({policy::Reception::kTaken, now_ - 40ms}, now_);
  }
  EXPECT_EQ(concurrency_.Status().no_load, 40ms);
}

TEST_F(ObserveTest, WhatTwoAttemptsTookTogetherIsNoTimeOfTheServices) {
  for (int i = 0; i < 3; ++i) {
    now_ += 1s;
    Tell({policy::Reception::kTaken, now_ - 40ms, false}, now_);
  }
  EXPECT_EQ(concurrency_.Status().no_load, 0ms);
  EXPECT_EQ(throttle_.Status(now_).window.sent, 60U);
}

TEST_F(ObserveTest, WhatALimitInShadowWouldRefuseIsToldTheTrail) {
  concurrency_.Apply({.mode = Mode::kShadow, .min = 1}, 1);
  const auto one = bulkhead_.TryEnter(now_);
  const auto two = bulkhead_.TryEnter(now_);
  Tell({policy::Reception::kTaken, now_}, now_);
  EXPECT_EQ(trail_.policies, std::vector<std::string>(20, "concurrency_limit"));
}

TEST_F(ObserveTest, WhatAThrottleInShadowWouldHoldBackIsToldTheTrail) {
  throttle_.Apply({.mode = Mode::kShadow, .max_share = 0.999});
  for (int i = 0; i < 20; ++i) Tell({policy::Reception::kTurnedAway, now_}, now_);
  const CallPolicies policies{bulkhead_, retry_, budget_, ThreadRandom(), 0ms, &throttle_};
  const CallSpec spec{.service = "s", .trail = trail_};
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(AskThrottle(policies, spec, now_));
  EXPECT_EQ(trail_.policies.size(), throttle_.Status(now_).would_refuse);
  EXPECT_GT(trail_.policies.size(), 15U);
}

TEST_F(ObserveTest, WhatGoesOnWhereACallBrokeIsNotHeldBack) {
  throttle_.Apply({.mode = Mode::kEnforce, .max_share = 0.999});
  for (int i = 0; i < 20; ++i) Tell({policy::Reception::kTurnedAway, now_}, now_);
  const CallPolicies policies{bulkhead_, retry_, budget_, ThreadRandom(), 0ms, &throttle_};
  const Target broke({}, {});
  const CallSpec fresh{.service = "s", .trail = NullSink()};
  const CallSpec rest{.service = "s", .trail = NullSink(), .after = &broke};
  int held = 0;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(AskThrottle(policies, rest, now_));
    held += AskThrottle(policies, fresh, now_) ? 0 : 1;
  }
  EXPECT_GT(held, 15);
}

}  // namespace
}  // namespace hale::guard
