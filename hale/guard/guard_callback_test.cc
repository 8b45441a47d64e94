#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"
#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

/// A guard around operations with a callback, in virtual time.
class GuardCallbackTest : public ::testing::Test {
 protected:
  using Completed = Completion<int>;

  template <class Start>
  void Call(Guard& guard, Start start) {
    guard.CallWith<int>(
        executor_, std::move(start),
        [this](Result<int> result) {
          results_.push_back(std::move(result));
          ended_ = executor_.Now();
        },
        {}, stop_.get_token());
  }
  void After(Duration span, Executor::Work work) {
    executor_.At(executor_.Now() + span, std::move(work));
  }
  void TearDown() override {
    executor_.Run();
    EXPECT_EQ(results_.size(), 1U);
    EXPECT_EQ(hale::internal::FramePool::live(), frames_);
    const policy::CircuitTotals totals = guard_.breaker().Status(executor_.Now()).totals;
    EXPECT_EQ(guard_.bulkhead().in_flight(), 0U);
    EXPECT_EQ(totals.admitted,
              totals.succeeded + totals.failed + totals.slow + totals.ignored + totals.late);
  }

  std::ptrdiff_t frames_ = hale::internal::FramePool::live();
  SimExecutor executor_;
  SeededRandom random_{3};
  GuardContext context_{.clock = executor_.clock(), .random = &random_, .idle = {}};
  Guard guard_{{.deadline = 1s}, context_};
  TimePoint start_ = executor_.Now();
  std::stop_source stop_;
  std::vector<Result<int>> results_;
  TimePoint ended_{};
};

TEST_F(GuardCallbackTest, GivesWhatTheCallbackBrings) {
  Call(guard_,
       [&](const Attempt&, Completed complete) { After(100ms, [complete] { complete(7); }); });
  EXPECT_TRUE(results_.empty());
  executor_.Run();
  EXPECT_EQ(results_.at(0).value(), 7);
  EXPECT_EQ(ended_ - start_, 100ms);
}

TEST_F(GuardCallbackTest, TheCallbackMayComeBeforeTheStartReturns) {
  Call(guard_, [](const Attempt&, const Completed& complete) { complete(7); });
  executor_.Run();
  EXPECT_EQ(results_.at(0).value(), 7);
}

TEST_F(GuardCallbackTest, ASecondCallbackChangesNothing) {
  Call(guard_, [&](const Attempt&, Completed complete) {
    complete(7);
    complete(8);
    After(10ms, [complete] { complete(Fail(Code::kInternal, "late")); });
  });
  executor_.Run();
  EXPECT_EQ(results_.at(0).value(), 7);
  EXPECT_EQ(guard_.breaker().Status().totals.succeeded, 1U);
}

TEST_F(GuardCallbackTest, WhatIsStoppedAlreadyIsNotStarted) {
  stop_.request_stop();
  bool started = false;
  Call(guard_, [&](const Attempt&, const Completed&) { started = true; });
  executor_.Run();
  EXPECT_FALSE(started);
  EXPECT_EQ(results_.at(0).error().reason, Reason::kClientAbort);
  EXPECT_EQ(results_.at(0).error().executed, Executed::kNo);
  EXPECT_EQ(guard_.breaker().Status(executor_.Now()).totals.admitted, 0U);
}

TEST_F(GuardCallbackTest, ACallbackThatNeverComesEndsAtTheDeadline) {
  Call(guard_, [](const Attempt&, const Completed&) {});
  executor_.Run();
  EXPECT_EQ(results_.at(0).error().reason, Reason::kDeadline);
  EXPECT_EQ(ended_ - start_, 1s);
  EXPECT_EQ(guard_.breaker().Status(executor_.Now()).totals.failed, 1U);
}

TEST_F(GuardCallbackTest, ACallbackThatComesLateChangesNothing) {
  std::optional<Completed> late;
  Call(guard_, [&](const Attempt&, Completed complete) { late = std::move(complete); });
  executor_.Run();
  EXPECT_TRUE(late->abandoned());
  (*late)(7);
  executor_.Run();
  EXPECT_EQ(results_.at(0).error().reason, Reason::kDeadline);
}

TEST_F(GuardCallbackTest, ACallbackInTheInstantOfTheDeadlineCountsOnce) {
  // Armed before the attempt's own timer, so that it runs before it, its notice after.
  Call(guard_, [&](const Attempt&, Completed complete) { After(1s, [complete] { complete(7); }); });
  executor_.Run();
  const policy::CircuitTotals totals = guard_.breaker().Status(executor_.Now()).totals;
  EXPECT_EQ(totals.succeeded + totals.failed + totals.ignored, 1U);
}

TEST_F(GuardCallbackTest, AnAttemptPastItsTimeIsToldToStop) {
  std::optional<std::stop_token> stop;
  Call(guard_, [&](const Attempt& attempt, const Completed&) { stop = attempt.stop(); });
  EXPECT_FALSE(stop->stop_requested());
  executor_.Run();
  EXPECT_TRUE(stop->stop_requested());
}

TEST(LateCallbackTest, AnAnswerThatTheStopBringsIsNotLost) {
  SimClock clock;
  const Idle idle = [&](std::unique_lock<std::mutex>&, std::condition_variable&, TimePoint when) {
    clock.Set(when);
  };
  CallerExecutor executor(clock, &idle);  // runs timers before what is posted
  Guard guard({.deadline = 1s}, {.clock = clock});
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  Trigger done(executor);
  int answer = 0;
  guard.CallWith<int>(
      executor,
      [&](const Attempt& attempt, Completion<int> complete) {
        on_stop.emplace(attempt.stop(), [complete] { complete(7); });
      },
      [&](const Result<int>& result) {
        answer = result.value_or(0);
        done.Fire();
      });
  executor.Wait([](Trigger& trigger) -> Task<void> { co_await trigger.Wait(); }(done));
  EXPECT_EQ(answer, 7);
}

TEST_F(GuardCallbackTest, AFailureIsTriedAgain) {
  Call(guard_, [](const Attempt& attempt, const Completed& complete) {
    if (attempt.number() == 1) return complete(Fail(Reason::kUpstreamConnect, Executed::kNo));
    complete(7);
  });
  executor_.Run();
  EXPECT_EQ(results_.at(0).value(), 7);
  EXPECT_EQ(guard_.breaker().Status().totals.failed, 1U);
}

TEST_F(GuardCallbackTest, WhatTheStartThrowsIsAFailureAndAnError) {
  Call(guard_, [](const Attempt&, const Completed&) { throw std::runtime_error("broken"); });
  EXPECT_EQ(results_.at(0).error().code, Code::kInternal);
  EXPECT_EQ(results_.at(0).error().message, "broken");
  EXPECT_EQ(guard_.breaker().Status().totals.failed, 1U);
}

TEST_F(GuardCallbackTest, AStartMayThrowAfterItHasCalledBack) {
  Call(guard_, [](const Attempt&, const Completed& complete) {
    complete(7);
    throw std::runtime_error("broken");
  });
  executor_.Run();
  EXPECT_EQ(results_.at(0).error().message, "broken");
}

TEST_F(GuardCallbackTest, AStopEndsTheCallAndIsNeutral) {
  Call(guard_, [](const Attempt&, const Completed&) {});
  After(300ms, [this] { stop_.request_stop(); });
  executor_.Run();
  EXPECT_EQ(results_.at(0).error().reason, Reason::kClientAbort);
  EXPECT_EQ(ended_ - start_, 300ms);
  EXPECT_EQ(guard_.breaker().Status(executor_.Now()).totals.ignored, 1U);
}

TEST_F(GuardCallbackTest, ARefusalStartsNothing) {
  guard_.breaker().Force({.why = "test"}, executor_.Now());
  Call(guard_, [](const Attempt&, const Completed&) { ADD_FAILURE() << "was started"; });
  executor_.Run();
  EXPECT_EQ(results_.at(0).error().reason, Reason::kForced);
}

}  // namespace
}  // namespace hale::guard
