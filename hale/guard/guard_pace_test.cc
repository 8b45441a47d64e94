#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "hale/base/sim_executor.h"
#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

class GuardPaceTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.push_back(event.kind); }

  GuardContext Context() {
    return {.clock = executor_.clock(),
            .events = *this,
            .idle = [this](std::unique_lock<std::mutex>&, std::condition_variable&,
                           TimePoint when) { executor_.sim_clock().Set(when); }};
  }
  /// How long after the start a call runs, or nothing if it is refused.
  std::optional<Duration> Call(Guard& guard) {
    const auto at = guard.Call([this](const Attempt&) { return executor_.Now() - start_; });
    if (!at) {
    }
    return at ? std::optional(*at) : std::nullopt;
  }

  SimExecutor executor_;
  TimePoint start_ = executor_.Now();
  GuardOptions options_{.pace = {.rate = {10, 1s}, .slack = 0, .max_wait = 1s}};
  std::vector<EventKind> told_;
};

struct Count {
  int calls = 0;
  Task<Result<int>> operator()(const Attempt&) { co_return ++calls; }
};

TEST_F(GuardPaceTest, CallsRunAtEvenDistances) {
  Guard guard(options_, Context());
  for (const Duration at : {0ms, 100ms, 200ms}) EXPECT_EQ(Call(guard), at);
  EXPECT_EQ(told_, std::vector(2, EventKind::kDelayed));
}

TEST_F(GuardPaceTest, WhoWouldWaitTooLongIsRefused) {
  options_.pace.max_wait = 99ms;
  Guard guard(options_, Context());
  EXPECT_TRUE(Call(guard));
  const auto refused = guard.Call([](const Attempt&) { return 1; });
  EXPECT_EQ(refused.error().reason, Reason::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, 1ms);
}

TEST_F(GuardPaceTest, NobodyWaitsLongerThanHalfOfItsTime) {
  options_.deadline = 199ms;
  Guard guard(options_, Context());
  EXPECT_TRUE(Call(guard));
  EXPECT_FALSE(Call(guard));
}

TEST_F(GuardPaceTest, TheWaitIsPartOfTheDeadline) {
  options_.deadline = 200ms;
  Guard guard(options_, Context());
  EXPECT_TRUE(Call(guard));
  const auto left = guard.Call([](const Attempt& attempt) { return attempt.remaining(); });
  EXPECT_EQ(left.value(), 100ms);
}

TEST_F(GuardPaceTest, WhoStopsWaitingGivesItsTurnToTheNext) {
  Guard guard(options_, Context());
  EXPECT_TRUE(Call(guard));
  Count count;
  std::stop_source stop;
  std::optional<Result<int>> stopped;
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): it outlives the call
  auto call = [&]() -> Task<void> { stopped.emplace(co_await guard.CallAsync(executor_, count)); };
  Spawn(call(), stop.get_token());
  executor_.RunFor(50ms);
  stop.request_stop();
  executor_.RunFor(0ms);
  EXPECT_EQ(stopped->error().reason, Reason::kClientAbort);
  EXPECT_EQ(count.calls, 0);
  EXPECT_EQ(Call(guard), 100ms);
}

TEST_F(GuardPaceTest, WhatTheLimitTookIsGivenBackWhenNoTurnIsNear) {
  options_.limit = {.rate = {1, 1h}, .burst = 3};
  options_.pace.max_wait = 0ms;
  Guard guard(options_, Context());
  EXPECT_TRUE(Call(guard));
  EXPECT_FALSE(Call(guard));
  EXPECT_EQ(guard.limiter().remaining(executor_.Now()), 2U);
}

TEST_F(GuardPaceTest, WhatHasNoTimeLeftTakesNoPermitAndNoTurn) {
  options_.limit = {.rate = {1, 1h}, .burst = 3};
  Guard guard(options_, Context());
  const auto late = guard.Call([](const Attempt&) { return 1; }, {.within = 0ms});
  EXPECT_EQ(late.error().reason, Reason::kDeadline);
  EXPECT_EQ(guard.limiter().remaining(executor_.Now()), 3U);
  EXPECT_EQ(Call(guard), 0ms);
}

TEST_F(GuardPaceTest, ApplyKeepsTheTurns) {
  Guard guard(options_, Context());
  EXPECT_TRUE(Call(guard));
  options_.pace.rate = {5, 1s};
  ASSERT_TRUE(guard.Apply(options_));
  EXPECT_EQ(Call(guard), 200ms);
}

TEST_F(GuardPaceTest, OffByDefault) {
  Guard guard({}, Context());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Call(guard), 0ms);
}

}  // namespace
}  // namespace hale::guard
