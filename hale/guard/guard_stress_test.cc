#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

// All callers share one guard: places, permits and tokens must come out even.
TEST(GuardStressTest, ManyThreadsThroughOneGuardLeaveItAtRest) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 2'000;
  Guard guard({.bulkhead = {.limit = 2, .max_wait = 50us},
               .breaker = {.failure_rate = 1.0, .consecutive_failures = 0},
               .retry = {.attempts = 2, .backoff_base = 1ms, .backoff_max = 1ms}});
  std::atomic<int> inside{0};
  std::atomic<int> answered{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kCalls; ++n) {
        const auto result = guard.Call([&](const Attempt&) -> Result<int> {
          EXPECT_LE(inside.fetch_add(1) + 1, 2);
          inside.fetch_sub(1);
          if (n % 7 == 0) return Fail(Reason::kUpstreamConnect, Executed::kNo);
          return n;
        });
        if (result) answered.fetch_add(1);
      }
    });
  }
  threads.clear();
  const policy::CircuitTotals totals = guard.breaker().Status().totals;
  EXPECT_GT(answered, 0);
  EXPECT_EQ(guard.bulkhead().in_flight(), 0U);
  EXPECT_EQ(totals.admitted,
            totals.succeeded + totals.failed + totals.slow + totals.ignored + totals.late);
}

/// Calls of four threads while a fifth changes the pipeline all the time.
class GuardApplyStressTest : public ::testing::Test {
 protected:
  static constexpr int kThreads = 4;
  static constexpr int kCalls = 5'000;

  /// Gives how many calls came back with each reason; kNone: an answer.
  template <class Call, class Change>
  std::map<Reason, int> Run(const Call& call, const Change& change) {
    std::vector<std::map<Reason, int>> seen(kThreads);
    std::atomic<int> changes{0};
    std::jthread changer([&](const std::stop_token& stop) {
      for (int n = 0; !stop.stop_requested(); changes = ++n) EXPECT_TRUE(change(n));
    });
    while (changes < 10) std::this_thread::yield();
    {
      std::vector<std::jthread> threads;
      for (auto& mine : seen) {
        threads.emplace_back([&] {
          for (int n = 0; n < kCalls; ++n) ++mine[call(n)];
        });
      }
    }
    std::map<Reason, int> all;
    for (const auto& mine : seen) {
      for (const auto& [reason, count] : mine) all[reason] += count;
    }
    return all;
  }
};

TEST_F(GuardApplyStressTest, NoCallIsLostOrCountedTwice) {
  GuardOptions options{.breaker = {.failure_rate = 1.0, .consecutive_failures = 0},
                       .retry = {.attempts = 2, .backoff_base = 1ms, .backoff_max = 1ms}};
  Guard guard(options);
  std::atomic<std::uint64_t> sent{0};
  const auto seen = Run(
      [&](int n) {
        const auto result = guard.Call([&](const Attempt& attempt) -> Result<int> {
          sent.fetch_add(1);
          if (n % 50 == 0 && attempt.number() == 1) {
            return Fail(Reason::kUpstreamConnect, Executed::kNo);
          }
          return n;
        });
        return result ? Reason::kNone : result.error().reason;
      },
      [&](int n) {
        options.breaker.window = n % 2 == 0 ? 5s : 10s;
        options.bulkhead.limit = n % 2 == 0 ? 2 : 100;
        options.retry.attempts = n % 3 == 0 ? 1 : 3;
        return guard.Apply(options).has_value();
      });
  const policy::CircuitTotals totals = guard.breaker().Status().totals;
  int calls = 0;
  for (const auto& [reason, count] : seen) calls += count;
  EXPECT_EQ(calls, kThreads * kCalls);
  EXPECT_EQ(totals.succeeded, static_cast<std::uint64_t>(seen.at(Reason::kNone)));
  EXPECT_EQ(totals.admitted, sent);
  EXPECT_EQ(totals.admitted, totals.succeeded + totals.failed);
  EXPECT_EQ(guard.bulkhead().in_flight(), 0U);
}

TEST_F(GuardApplyStressTest, NoTokenIsFilledUpAgain) {
  constexpr int kBurst = 1'000;
  GuardOptions options{.limit = {.rate = {1, 24h}, .burst = kBurst}};
  Guard guard(options);
  const auto seen = Run(
      [&](int) {
        const auto result = guard.Call([](const Attempt&) {});
        return result ? Reason::kNone : result.error().reason;
      },
      [&](int n) {
        options.limit.rate = {n % 2 == 0 ? 2U : 1U, 24h};
        return guard.Apply(options).has_value();
      });
  EXPECT_EQ(seen.at(Reason::kNone), kBurst);
  EXPECT_EQ(seen.at(Reason::kRateLimited), kThreads * kCalls - kBurst);
}

TEST_F(GuardApplyStressTest, AnOpenCircuitStaysOpen) {
  GuardOptions options{.breaker = {.consecutive_failures = 1, .open_for = 1h, .open_max = 1h}};
  Guard guard(options);
  (void)guard.Call([](const Attempt&) -> Result<int> { return Fail(Code::kInternal, "down"); });
  const TimePoint until = guard.breaker().Status().until;
  const auto seen = Run(
      [&](int) {
        return guard.Call([](const Attempt&) { ADD_FAILURE() << "was called"; }).error().reason;
      },
      [&](int n) {
        options.breaker.open_for = n % 2 == 0 ? 10ms : Duration(1h);
        options.breaker.window = n % 2 == 0 ? 5s : 10s;
        return guard.Apply(options).has_value();
      });
  EXPECT_EQ(seen.at(Reason::kCircuitOpen), kThreads * kCalls);
  EXPECT_EQ(guard.breaker().Status().until, until);
}

Task<void> AwaitEnd(Trigger& ended) { co_await ended.Wait(); }

// Callbacks come from a thread of their own about when the attempt is given up.
TEST(CallbackStressTest, EachCallEndsOnceHoweverTheCallbackMeetsItsTime) {
  constexpr int kCalls = 1'500;
  Guard guard({.breaker = {.mode = policy::Mode::kOff}, .deadline = 1ms});
  CallerExecutor executor(RealClock());
  int answered = 0;
  int ended = 0;
  std::jthread caller;
  for (int n = 0; n < kCalls; ++n) {
    Trigger done(executor);
    guard.CallWith<int>(
        executor,
        [&](const Attempt& attempt, const Completion<int>& complete) {
          caller =
              std::jthread([complete, until = attempt.until() + Duration((n % 50 - 40) * 1us)] {
                while (RealClock().Now() < until) {
                }
                complete(7);
                complete(8);
              });
        },
        [&](const Result<int>& result) {
          ++ended;
          if (result) answered += *result == 7 ? 1 : kCalls;
          done.Fire();
        });
    executor.Wait(AwaitEnd(done));
  }
  EXPECT_EQ(ended, kCalls);
  EXPECT_GT(answered, 0);
  EXPECT_LE(answered, kCalls);
  EXPECT_EQ(guard.bulkhead().in_flight(), 0U);
}

}  // namespace
}  // namespace hale::guard
