#include "hale/guard/async_guard.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "hale/base/sim_executor.h"

namespace hale::guard {
namespace {

template <class G, class F>
concept Blocks = requires(G& guard, F& f) { guard.Call(f); };
using Number = int (*)(const Attempt&);
static_assert(Blocks<Guard, Number>);
static_assert(!Blocks<AsyncGuard, Number>, "a blocking call is not hedged");

class AsyncHedgeTest : public ::testing::Test {
 protected:
  AsyncHedgeTest() {
    for (int i = 0; i < 100; ++i) guard_.hedge().Record(100ms);
    for (int i = 0; i < 200; ++i) guard_.budget().OnRequest(executor_.Now());
  }
  /// The first attempt takes `first`, the second `second`; both ignore a stop if told to.
  Result<int> Call(Duration first, Duration second) {
    std::optional<Result<int>> result;
    Spawn(Drive(first, second, result));
    while (!result && !thrown_) executor_.RunUntil(executor_.Now() + 1ms);
    if (thrown_) std::rethrow_exception(thrown_);
    return *result;
  }
  Task<void> Drive(Duration first, Duration second, std::optional<Result<int>>& result) {
    auto attempt = [this, first, second](const Attempt& a) {
      return Try(a.number() == 1 ? first : second, static_cast<int>(a.number()));
    };
    try {
      result.emplace(co_await guard_.CallAsync(executor_, std::move(attempt)));
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }
  Task<Result<int>> Try(Duration takes, int number) {
    if (deaf_) {
      co_await WithStop(std::stop_token(), Rest(takes));
    } else {
      if (loser_throws_) co_await Rest(1ms);
      co_await Rest(takes);
    }
    ++ended_;
    if (loser_throws_ && number == 1) throw std::runtime_error("stopped");
    if (throws_) throw std::runtime_error("scripted");
    co_return number;
  }
  Task<void> Rest(Duration span) { co_await Sleep(executor_, span); }

  SimExecutor executor_;
  TimePoint start_ = executor_.Now();
  SeededRandom random_{3};
  bool deaf_ = false;
  bool throws_ = false;
  bool loser_throws_ = false;
  std::exception_ptr thrown_;
  int ended_ = 0;
  AsyncGuard guard_{{.retry = {.budget = {.reserve = 0}},
                     .hedge = {.mode = policy::Mode::kEnforce},
                     .idempotent = true},
                    {.clock = executor_.clock(), .random = &random_}};
};

TEST_F(AsyncHedgeTest, AFastCallIsMadeOnce) {
  EXPECT_EQ(Call(50ms, 1h).value(), 1);
  EXPECT_EQ(guard_.hedge().sent(), 0U);
}

TEST_F(AsyncHedgeTest, ASlowCallIsMadeASecondTimeAndTheFirstAnswerWins) {
  EXPECT_EQ(Call(1h, 20ms).value(), 2);
  EXPECT_LE(executor_.Now() - start_, 130ms);
  EXPECT_EQ(guard_.hedge().won(), 1U);
  executor_.Run();
  EXPECT_LE(executor_.Now() - start_, 130ms) << "the loser was stopped";
}

TEST_F(AsyncHedgeTest, ALoserThatIgnoresItsStopIsNotWaitedFor) {
  deaf_ = true;
  EXPECT_EQ(Call(10s, 20ms).value(), 2);
  EXPECT_LE(executor_.Now() - start_, 130ms);
  EXPECT_EQ(ended_, 1);
  executor_.Run();
  EXPECT_EQ(ended_, 2);
  EXPECT_EQ(guard_.bulkhead().in_flight(), 0U);
}

TEST_F(AsyncHedgeTest, WhatBothThrowPassesThroughAndLeavesNothingInFlight) {
  throws_ = true;
  EXPECT_THROW((void)Call(1s, 20ms), std::runtime_error);
  executor_.Run();
  EXPECT_EQ(guard_.bulkhead().in_flight(), 0U);
  const policy::CircuitTotals totals = guard_.breaker().Status(executor_.Now()).totals;
  EXPECT_EQ(totals.admitted, totals.failed);
}

TEST_F(AsyncHedgeTest, WhatALoserThrowsWhenItIsStoppedIsForgotten) {
  loser_throws_ = true;
  EXPECT_EQ(Call(1h, 20ms).value(), 2);
  EXPECT_EQ(guard_.hedge().won(), 1U);
  const policy::CircuitTotals totals = guard_.breaker().Status(executor_.Now()).totals;
  EXPECT_EQ(totals.succeeded, 1U);
  EXPECT_EQ(totals.ignored, 1U);
  EXPECT_EQ(totals.failed, 0U);
}

TEST_F(AsyncHedgeTest, IsNotHedgedWhileItsCircuitIsNotClosed) {
  for (int i = 0; i < 5; ++i) {
    guard_.breaker().Admit(executor_.Now())->Settle(Outcome::kFailure, executor_.Now());
  }
  guard_.breaker().EvidenceOfLife(executor_.Now());
  EXPECT_EQ(Call(200ms, 20ms).value(), 1) << "a probe";
  EXPECT_EQ(guard_.hedge().sent(), 0U);
}

TEST_F(AsyncHedgeTest, IsHedgedWhileItsCircuitIsOpenInShadow) {
  guard_.breaker().Apply({.mode = policy::Mode::kShadow}, executor_.Now());
  for (int i = 0; i < 5; ++i) {
    guard_.breaker().Admit(executor_.Now())->Settle(Outcome::kFailure, executor_.Now());
  }
  ASSERT_EQ(guard_.breaker().state(executor_.Now()), policy::CircuitState::kOpen);
  EXPECT_EQ(Call(200ms, 20ms).value(), 2);
  EXPECT_EQ(guard_.hedge().sent(), 1U);
}

TEST_F(AsyncHedgeTest, IsHedgedWhileAnOperatorHoldsItsCircuitClosed) {
  guard_.breaker().Force({.state = policy::CircuitState::kForcedClosed, .ttl = 1h, .why = "test"},
                         executor_.Now());
  EXPECT_EQ(Call(200ms, 20ms).value(), 2);
  EXPECT_EQ(guard_.hedge().sent(), 1U);
}

TEST_F(AsyncHedgeTest, AGuardWhoseCallsMayBlockCannotBeHedged) {
  const GuardOptions hedged{.hedge = {.mode = policy::Mode::kEnforce}};
  EXPECT_THROW(Guard{hedged}, std::invalid_argument);
  Guard guard;
  const auto applied = guard.Apply(hedged);
  ASSERT_FALSE(applied);
  EXPECT_EQ(Print(applied.error()),
            "hedge.mode: a call that blocks cannot be hedged: use an AsyncGuard\n");
}

TEST(GuardWithinTest, ACallHasNoMoreTimeThanItsCallerLeavesIt) {
  SimClock clock;
  Guard outer({.deadline = 500ms}, {.clock = clock});
  Guard inner({.deadline = 2s}, {.clock = clock});
  const auto left = outer.Call([&](const Attempt& attempt) {
    return inner.Call([](const Attempt& own) { return own.remaining(); },
                      {.within = attempt.ForChild({.reserve = 100ms})});
  });
  EXPECT_EQ(left.value(), 400ms);
}

TEST(GuardWithinTest, ACallThatHasNoTimeLeftIsRefused) {
  SimClock clock;
  Guard guard({}, {.clock = clock});
  const auto result = guard.Call([](const Attempt&) { return 1; }, {.within = 0ms});
  EXPECT_EQ(result.error().reason, Reason::kDeadline);
}

/// Counts the timers.
class CountingExecutor final : public Executor {
 public:
  void Post(Work work) override { executor_.Post(std::move(work)); }
  Timer At(TimePoint when, Work work) override {
    ++timers;
    return executor_.At(when, std::move(work));
  }
  void Cancel(Timer timer) override { executor_.Cancel(timer); }
  TimePoint Now() const override { return executor_.Now(); }
  const Clock& clock() const override { return executor_.clock(); }
  void Run() { executor_.Run(); }

  int timers = 0;

 private:
  SimExecutor executor_;
};

TEST(GuardWatchTest, NoAttemptIsWatchedForARaceThatCannotBe) {
  CountingExecutor executor;
  Guard guard({.idempotent = true}, {.clock = executor.clock()});
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): it outlives the call
  auto rest = [&](const Attempt&) -> Task<void> { co_await Sleep(executor, 1s); };
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): it outlives the call
  auto call = [&]() -> Task<void> { (void)co_await guard.CallAsync(executor, rest); };
  Spawn(call());
  executor.Run();
  EXPECT_EQ(executor.timers, 2) << "its time limit, and its own rest";
}

}  // namespace
}  // namespace hale::guard
