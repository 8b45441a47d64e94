#include "hale/guard/caller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "hale/base/sim_executor.h"
#include "hale/guard/async_guard.h"

namespace hale::guard {
namespace {

using policy::Priority;

/// How a call is made.
enum class Made : std::uint8_t { kBlocking, kCoroutine, kHedgeable, kCallback };

/// Somebody else's call, that waits for a place and keeps it for so long. Loop-bound.
class Other final : public policy::Bulkhead::Waiter {
 public:
  Other(SimExecutor& executor, Duration keeps) : executor_(executor), keeps_(keeps) {}
  void Wake() noexcept override {
    if (auto taken = Take()) place_ = std::move(*taken);
    executor_.At(executor_.Now() + keeps_, [this] { place_.Release(); });
  }

 private:
  SimExecutor& executor_;
  Duration keeps_;
  policy::Bulkhead::Permit place_;
};

/// A call of each kind that meets others at the bulkhead of its guard, in virtual time.
class CallerTest : public ::testing::TestWithParam<Made> {
 protected:
  struct Ended {
    Result<int> result;
    Duration after;
  };

  policy::Bulkhead& bulkhead() {
    return GetParam() == Made::kHedgeable ? async_.bulkhead() : guard_.bulkhead();
  }
  /// With one place taken.
  void Occupy(const policy::BulkheadOptions& options) {
    EXPECT_TRUE(guard_.Apply({.bulkhead = options}));
    EXPECT_TRUE(async_.Apply({.bulkhead = options}));
    held_ = std::move(*bulkhead().TryEnter(executor_.Now()));
  }
  void LeaveAt(Duration after) {
    executor_.At(executor_.Now() + after, [this] { held_.Release(); });
  }
  void Queue(Other& other, const policy::Admission& call = {}) {
    const auto place = bulkhead().Enter(other, call, executor_.Now());
    EXPECT_TRUE(place && !*place);
  }

  int Seen(const Attempt& attempt) {
    seen_ = attempt.priority();
    return 7;
  }
  struct Awaited {
    CallerTest& test;
    Task<Result<int>> operator()(const Attempt& attempt) { co_return test.Seen(attempt); }
  };
  Ended Call(const Caller& caller) {
    const TimePoint start = executor_.Now();
    Result<int> result = Make(caller);
    return {std::move(result), ended_.value_or(executor_.Now()) - start};
  }
  Result<int> Make(const Caller& caller) {
    Awaited awaited{*this};
    switch (GetParam()) {
      case Made::kBlocking:
        return guard_.Call([this](const Attempt& attempt) { return Seen(attempt); }, caller);
      case Made::kCoroutine:
        return executor_.Wait(guard_.CallAsync(executor_, awaited, caller));
      case Made::kHedgeable:
        return executor_.Wait(async_.CallAsync(executor_, awaited, caller));
      case Made::kCallback:
        break;
    }
    std::optional<Result<int>> result;
    guard_.CallWith<int>(
        executor_,
        [this](const Attempt& attempt, const Completion<int>& complete) {
          complete(Seen(attempt));
        },
        [&](Result<int> given) {
          result.emplace(std::move(given));
          ended_ = executor_.Now();
        },
        caller);
    executor_.Run();
    return *result;
  }
  void TearDown() override {
    held_.Release();
    executor_.Run();
    EXPECT_EQ(bulkhead().in_flight(), 0U);
    EXPECT_EQ(bulkhead().waiting(), 0U);
  }

  SimExecutor executor_;
  // A call that blocks leaves the thread to the others, a millisecond at a time.
  GuardContext context_{
      .clock = executor_.clock(),
      .idle = [this](std::unique_lock<std::mutex>& lock, std::condition_variable&, TimePoint when) {
        lock.unlock();
        executor_.RunUntil(std::min(when, executor_.Now() + 1ms));
        lock.lock();
      }};
  Guard guard_{{}, context_};
  AsyncGuard async_{{}, context_};
  Other first_{executor_, 10ms};
  Other second_{executor_, 10ms};
  policy::Bulkhead::Permit held_;
  std::optional<Priority> seen_;
  std::optional<TimePoint> ended_;
};

TEST_P(CallerTest, ASheddableCallWaitsBehindACriticalOneThatCameLater) {
  Occupy({.limit = 1});
  executor_.At(executor_.Now() + 10ms, [&] { Queue(first_); });
  LeaveAt(20ms);
  const Ended ended = Call({.priority = Priority::kSheddable});
  EXPECT_EQ(ended.result.value(), 7);
  EXPECT_EQ(ended.after, 30ms);
}

TEST_P(CallerTest, ASheddableCallIsShedForACriticalOne) {
  Occupy({.limit = 1, .queue = 1});
  executor_.At(executor_.Now() + 10ms, [&] { Queue(first_); });
  const Ended ended = Call({.priority = Priority::kSheddable});
  EXPECT_EQ(ended.result.error().reason, Reason::kShed);
  EXPECT_EQ(ended.after, 10ms);
}

TEST_P(CallerTest, ACallUsesThePlacesThatAreKeptForItsPartition) {
  Occupy(
      {.limit = 2, .queue = 0, .partitions = {.by = "call", .shares = {{"gold", 0.5}}, .lend = 0}});
  EXPECT_EQ(Call({}).result.error().reason, Reason::kConcurrency);
  EXPECT_EQ(Call({.partition = "silver"}).result.error().reason, Reason::kConcurrency);
  EXPECT_EQ(Call({.partition = "gold"}).result.value(), 7);
}

TEST_P(CallerTest, ACallTakesTheTurnOfItsKey) {
  Occupy({.limit = 1});
  Queue(first_, {.key = 1});
  Queue(second_, {.key = 1});
  LeaveAt(10ms);
  EXPECT_EQ(Call({.fair_key = 2}).after, 20ms);
}

TEST_P(CallerTest, CallsOfOneKeyWaitForEachOther) {
  Occupy({.limit = 1});
  Queue(first_, {.key = 1});
  Queue(second_, {.key = 1});
  LeaveAt(10ms);
  EXPECT_EQ(Call({.fair_key = 1}).after, 30ms);
}

TEST_P(CallerTest, ACallWaitsNoLongerThanItsCallerDoes) {
  Occupy({.limit = 1});
  EXPECT_EQ(Call({.within = 100ms}).after, 50ms) << "half of it, since it must also be made";
}

TEST_P(CallerTest, AnAttemptKnowsWhatItsCallIsWorth) {
  EXPECT_TRUE(Call({.priority = Priority::kSheddablePlus}).result);
  EXPECT_EQ(seen_, Priority::kSheddablePlus);
}

TEST_P(CallerTest, WhatIsSaidByNobodyIsCritical) {
  EXPECT_TRUE(Call({}).result);
  EXPECT_EQ(seen_, Priority::kCritical);
}

INSTANTIATE_TEST_SUITE_P(EachKind, CallerTest,
                         ::testing::Values(Made::kBlocking, Made::kCoroutine, Made::kHedgeable,
                                           Made::kCallback));

TEST(NestedCallerTest, ACallTakesNothingFromTheOneThatItIsMadeWithinUnlessItIsSaid) {
  Guard outer;
  Guard inner;
  const auto worth = [](const Attempt& attempt) { return attempt.priority(); };
  (void)outer.Call(
      [&](const Attempt& attempt) {
        EXPECT_EQ(inner.Call(worth).value(), Priority::kCritical);
        EXPECT_EQ(inner.Call(worth, {.priority = attempt.priority()}).value(),
                  Priority::kSheddable);
      },
      {.priority = Priority::kSheddable});
}

}  // namespace
}  // namespace hale::guard
