#include "hale/guard/guard.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"

namespace hale::guard {
namespace {

class GuardTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.push_back(event.reason); }

  GuardContext Context() {
    return {.clock = clock_,
            .events = *this,
            .random = &random_,
            .idle = [this](std::unique_lock<std::mutex>&, std::condition_variable&,
                           TimePoint when) { clock_.Set(when + oversleeps_); }};
  }
  void TearDown() override { EXPECT_EQ(hale::internal::FramePool::live(), frames_); }
  void ExpectAtRest(Guard& guard) {
    const policy::CircuitTotals totals = guard.breaker().Status(clock_.Now()).totals;
    EXPECT_EQ(guard.bulkhead().in_flight(), 0U);
    EXPECT_EQ(totals.admitted,
              totals.succeeded + totals.failed + totals.slow + totals.ignored + totals.late);
  }

  std::ptrdiff_t frames_ = hale::internal::FramePool::live();
  SimClock clock_;
  TimePoint start_ = clock_.Now();
  SeededRandom random_{3};
  Duration oversleeps_{0};
  std::vector<Reason> told_;
};

std::unexpected<Error> Unavailable() {
  Error error(Code::kUnavailable, "down");
  error.executed = Executed::kNo;
  return std::unexpected(std::move(error));
}

TEST_F(GuardTest, GivesTheValueThatTheCallableReturns) {
  Guard guard({}, Context());
  EXPECT_EQ(guard.Call([](const Attempt&) { return 7; }).value(), 7);
}

TEST_F(GuardTest, GivesTheResultThatTheCallableReturns) {
  Guard guard({}, Context());
  const auto result = guard.Call([](const Attempt&) -> Result<std::string> { return "done"; });
  EXPECT_EQ(result.value(), "done");
}

TEST_F(GuardTest, GivesTheErrorThatTheCallableReturns) {
  Guard guard({}, Context());
  const auto result =
      guard.Call([](const Attempt&) -> Result<int> { return Fail(Code::kNotFound, "no such"); });
  EXPECT_EQ(result.error().code, Code::kNotFound);
  EXPECT_EQ(result.error().message, "no such");
  ExpectAtRest(guard);
}

TEST_F(GuardTest, TakesACallableThatReturnsNothing) {
  Guard guard({}, Context());
  int calls = 0;
  const Result<void> result = guard.Call([&](const Attempt&) { ++calls; });
  EXPECT_TRUE(result);
  EXPECT_EQ(calls, 1);
}

TEST_F(GuardTest, TakesWhatCanOnlyBeMoved) {
  Guard guard({}, Context());
  auto result = guard.Call([](const Attempt&) { return std::make_unique<int>(7); });
  EXPECT_EQ(**result, 7);
}

TEST_F(GuardTest, CopiesWhatIsReturnedByReference) {
  Guard guard({}, Context());
  const std::string text = "text";
  auto result = guard.Call([&](const Attempt&) -> const std::string& { return text; });
  EXPECT_EQ(result.value(), "text");
}

TEST_F(GuardTest, RetriesOnTheCallersThreadWithoutSleepingForReal) {
  Guard guard({.retry = {.attempts = 3, .backoff_base = 1s, .backoff_max = 2s}}, Context());
  int calls = 0;
  const auto result = guard.Call([&](const Attempt& attempt) -> Result<int> {
    EXPECT_EQ(attempt.number(), static_cast<std::uint32_t>(++calls));
    if (calls < 3) return Unavailable();
    return 7;
  });
  EXPECT_EQ(result.value(), 7);
  EXPECT_GT(clock_.Now(), start_);
  EXPECT_LE(clock_.Now() - start_, 3s);  // a back-off below 1 s and one below 2 s
}

TEST_F(GuardTest, DoesNotRepeatWhatMayHaveBeenExecuted) {
  Guard guard({}, Context());
  int calls = 0;
  const auto result = guard.Call([&](const Attempt&) -> Result<int> {
    ++calls;
    return Fail(Code::kUnavailable, "perhaps");
  });
  EXPECT_FALSE(result);
  EXPECT_EQ(calls, 1);
}

TEST_F(GuardTest, TellsTheCallableHowLongItMayTake) {
  Guard guard({.deadline = 2s}, Context());
  (void)guard.Call([&](const Attempt& attempt) {
    EXPECT_EQ(attempt.remaining(), 2s);
    clock_.Advance(500ms);
    EXPECT_EQ(attempt.remaining(), 1500ms);
    clock_.Advance(1h);
    EXPECT_EQ(attempt.remaining(), 0s);
  });
}

TEST_F(GuardTest, ReturnsALateSuccess) {
  Guard guard({.deadline = 2s}, Context());
  const auto result = guard.Call([&](const Attempt&) {
    clock_.Advance(5s);
    return 7;
  });
  EXPECT_EQ(result.value(), 7);
}

TEST_F(GuardTest, CountsALateSuccessAsSlow) {
  Guard guard({.breaker = {.slow_call = 1s}, .deadline = 2s}, Context());
  (void)guard.Call([&](const Attempt&) { clock_.Advance(5s); });
  EXPECT_EQ(guard.breaker().Status(clock_.Now()).totals.slow, 1U);
}

TEST_F(GuardTest, DoesNotRetryAfterALateFailure) {
  Guard guard({.deadline = 2s, .idempotent = true}, Context());
  int calls = 0;
  const auto result = guard.Call([&](const Attempt&) -> Result<int> {
    ++calls;
    clock_.Advance(5s);
    return Unavailable();
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(result.error().code, Code::kUnavailable);
}

TEST_F(GuardTest, StartsNothingAfterItsDeadlineWhenItOverslept) {
  oversleeps_ = 5s;
  Guard guard({.deadline = 2s}, Context());
  int calls = 0;
  const auto result = guard.Call([&](const Attempt&) -> Result<int> {
    ++calls;
    return Unavailable();
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(result.error().reason, Reason::kDeadline);
}

TEST_F(GuardTest, IsRefusedOnTheThreadOfAnEventLoop) {
  Guard guard({}, Context());
  const MustNotBlock loop;
  const auto result = guard.Call([](const Attempt&) { ADD_FAILURE() << "was called"; });
  EXPECT_EQ(result.error().code, Code::kFailedPrecondition);
}

TEST_F(GuardTest, OpensItsBreakerAndThenCallsNoMore) {
  Guard guard({.breaker = {.consecutive_failures = 2}, .retry = {.attempts = 1}}, Context());
  int calls = 0;
  const auto fail = [&](const Attempt&) -> Result<int> {
    ++calls;
    return Unavailable();
  };
  (void)guard.Call(fail);
  (void)guard.Call(fail);
  EXPECT_EQ(guard.Call(fail).error().reason, Reason::kCircuitOpen);
  EXPECT_EQ(calls, 2);
}

TEST_F(GuardTest, ErrorsThatAreTheCallersFaultDoNotOpenTheBreaker) {
  Guard guard({.breaker = {.consecutive_failures = 1}}, Context());
  const auto ask = [](const Attempt&) -> Result<int> { return Fail(Code::kNotFound, "no"); };
  (void)guard.Call(ask);
  EXPECT_EQ(guard.Call(ask).error().code, Code::kNotFound);
}

TEST_F(GuardTest, LimitsTheRateBeforeAnythingElse) {
  Guard guard({.limit = {.rate = {1, 1s}, .burst = 1}}, Context());
  int calls = 0;
  const auto count = [&](const Attempt&) { ++calls; };
  EXPECT_TRUE(guard.Call(count));
  const auto result = guard.Call(count);
  EXPECT_EQ(result.error().reason, Reason::kRateLimited);
  EXPECT_EQ(result.error().retry_after, 1s);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(told_, std::vector{Reason::kRateLimited});
}

TEST_F(GuardTest, AnExceptionPassesThroughEveryLayerAndSettlesAsAFailure) {
  Guard guard({.limit = {.rate = {100, 1s}}}, Context());
  const auto throws = [](const Attempt&) -> int { throw std::runtime_error("broken"); };
  EXPECT_THROW((void)guard.Call(throws), std::runtime_error);
  EXPECT_EQ(guard.breaker().Status(clock_.Now()).totals.failed, 1U);
  ExpectAtRest(guard);
}

TEST_F(GuardTest, GuardsWithinGuardsDoNotBlameTheOuterTarget) {
  Guard inner({.limit = {.rate = {1, 1h}, .burst = 1}}, Context());
  Guard outer({.breaker = {.consecutive_failures = 1}}, Context());
  const auto both = [&](const Attempt&) { return inner.Call([](const Attempt&) { return 1; }); };
  EXPECT_TRUE(outer.Call(both));
  EXPECT_EQ(outer.Call(both).error().reason, Reason::kRateLimited);
  EXPECT_EQ(outer.Call(both).error().reason, Reason::kRateLimited);  // and not circuit_open
}

class AsyncGuardTest : public ::testing::Test {
 protected:
  std::ptrdiff_t frames_ = hale::internal::FramePool::live();
  SimExecutor executor_;
  SeededRandom random_{3};
  TimePoint start_ = executor_.Now();
  GuardContext context_{.clock = executor_.clock(), .random = &random_, .idle = {}};

  void TearDown() override {
    EXPECT_EQ(executor_.pending(), 0U);
    EXPECT_EQ(hale::internal::FramePool::live(), frames_);
  }
};

struct Fetch {
  Executor& executor;
  Duration takes;
  int failures = 0;
  int calls = 0;
  Task<Result<int>> operator()(const Attempt&) {
    ++calls;
    const bool slept = co_await Sleep(executor, takes);
    if (!slept) co_return Fail(Code::kCancelled, "stopped");
    if (calls <= failures) co_return Unavailable();
    co_return calls;
  }
};

TEST_F(AsyncGuardTest, AwaitsATask) {
  Guard guard({}, context_);
  Fetch fetch{executor_, 100ms};
  EXPECT_EQ(executor_.Wait(guard.CallAsync(executor_, fetch)).value(), 1);
  EXPECT_EQ(executor_.Now() - start_, 100ms);
}

TEST_F(AsyncGuardTest, RetriesATask) {
  Guard guard({}, context_);
  Fetch fetch{executor_, 100ms, 1};
  EXPECT_EQ(executor_.Wait(guard.CallAsync(executor_, fetch)).value(), 2);
}

TEST_F(AsyncGuardTest, StopsATaskThatIsPastItsTime) {
  Guard guard({.deadline = 1s}, context_);
  Fetch fetch{executor_, 1h};
  const auto result = executor_.Wait(guard.CallAsync(executor_, fetch));
  EXPECT_EQ(result.error().reason, Reason::kDeadline);
  EXPECT_EQ(executor_.Now() - start_, 1s);
}

TEST_F(AsyncGuardTest, TakesATaskThatReturnsNothing) {
  Guard guard({}, context_);
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): it outlives the call
  auto nap = [this](const Attempt&) -> Task<void> { co_await Sleep(executor_, 1s); };
  EXPECT_TRUE(executor_.Wait(guard.CallAsync(executor_, nap)));
}

TEST_F(AsyncGuardTest, MayBeUsedOnTheThreadOfAnEventLoop) {
  const MustNotBlock loop;
  Guard guard({}, context_);
  Fetch fetch{executor_, 100ms};
  EXPECT_TRUE(executor_.Wait(guard.CallAsync(executor_, fetch)));
}

}  // namespace
}  // namespace hale::guard
