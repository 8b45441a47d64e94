#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"
#include "hale/guard/guard.h"
#include "hale/guard/pipeline.h"

namespace hale::guard {
namespace {

using policy::Mode;

/// A guard of which only the named layer is on; `all`: every layer.
GuardOptions OnlyWith(const std::string& layer) {
  const auto mode = [&](const char* name) {
    return layer == "all" || layer == name ? Mode::kEnforce : Mode::kOff;
  };
  return {.limit = {.mode = mode("limit")},
          .pace = {.mode = mode("pace")},
          .throttle = {.mode = mode("throttle")},
          .bulkhead = {.mode = mode("bulkhead")},
          .concurrency = {.mode = mode("concurrency")},
          .breaker = {.mode = mode("breaker")},
          .retry = {.mode = mode("retry"), .attempts = 2},
          .in_time = {.mode = mode("in_time")}};
}

/// A clock that throws when it is told to, as a policy might that has no memory left.
class ThrowingClock final : public Clock {
 public:
  TimePoint Now() const override {
    if (throws) throw std::runtime_error("thrown");
    return TimePoint(1h);
  }
  WallTime WallNow() const override { return {}; }
  bool throws = false;
};

TEST(GuardApplyThrowTest, AChangeAfterOneThatThrewIsApplied) {
  ThrowingClock clock;
  Guard guard({}, {.clock = clock});
  clock.throws = true;
  EXPECT_THROW((void)guard.Apply({.deadline = 1s}), std::runtime_error);
  clock.throws = false;
  EXPECT_TRUE(guard.Apply({.in_time = {.mode = Mode::kEnforce}}));
  EXPECT_TRUE(guard.gate().enforced());
}

/// What throws in its last attempt, having failed before if it is tried again.
struct Throwing {
  bool retried;
  bool Fails(const Attempt& attempt) const { return retried && attempt.number() == 1; }
  static std::unexpected<Error> Refusal() { return Fail(Reason::kUpstreamConnect, Executed::kNo); }

  Result<int> operator()(const Attempt& attempt) const {
    if (Fails(attempt)) return Refusal();
    throw std::runtime_error("thrown");
  }
  void operator()(const Attempt& attempt, const Completion<int>& complete) const {
    complete((*this)(attempt));
  }
};
struct ThrowingTask {
  Executor& executor;
  Throwing throwing;
  Task<Result<int>> operator()(const Attempt& attempt) {
    co_await Sleep(executor, 10ms);
    co_return throwing(attempt);
  }
};

class ThrowTest : public ::testing::TestWithParam<const char*> {
 protected:
  void ExpectAtRest() {
    executor_.Run();
    const policy::CircuitTotals totals = guard_.breaker().Status(executor_.Now()).totals;
    EXPECT_EQ(guard_.bulkhead().in_flight(), 0U);
    EXPECT_EQ(guard_.bulkhead().waiting(), 0U);
    EXPECT_EQ(totals.admitted, totals.succeeded + totals.failed + totals.slow + totals.ignored);
    EXPECT_EQ(executor_.pending(), 0U);
    EXPECT_EQ(hale::internal::FramePool::live(), frames_);
  }
  Throwing Throws() const { return {guard_.options().retry.mode == Mode::kEnforce}; }

  std::ptrdiff_t frames_ = hale::internal::FramePool::live();
  SimExecutor executor_;
  SeededRandom random_{3};
  GuardContext context_{.clock = executor_.clock(),
                        .random = &random_,
                        .idle = [this](std::unique_lock<std::mutex>&, std::condition_variable&,
                                       TimePoint when) { executor_.sim_clock().Set(when); }};
  Guard guard_{OnlyWith(GetParam()), context_};
};

TEST_P(ThrowTest, ABlockingCallLeavesNothingInFlight) {
  EXPECT_THROW((void)guard_.Call(Throws()), std::runtime_error);
  ExpectAtRest();
}

TEST_P(ThrowTest, ACoroutineLeavesNothingInFlight) {
  ThrowingTask throws{executor_, Throws()};
  std::string thrown;
  const auto call = [](Guard& guard, ThrowingTask& f, std::string& what) -> Task<void> {
    try {
      (void)co_await guard.CallAsync(f.executor, f);
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
  };
  Spawn(call(guard_, throws, thrown));
  ExpectAtRest();
  EXPECT_EQ(thrown, "thrown");
}

TEST_P(ThrowTest, AnOperationWithACallbackLeavesNothingInFlight) {
  std::string message;
  guard_.CallWith<int>(executor_, Throws(),
                       [&](const Result<int>& result) { message = result.error().message; });
  ExpectAtRest();
  EXPECT_EQ(message, "thrown");
}

INSTANTIATE_TEST_SUITE_P(EachLayer, ThrowTest,
                         ::testing::Values("none", "limit", "pace", "throttle", "bulkhead",
                                           "concurrency", "breaker", "retry", "in_time", "all"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(ThrowingLayersTest, AreAllLayers) {
  for (const Layer& layer : Layers()) {
    if (layer.name == "deadline" || layer.name == "per_try") continue;  // hold nothing
    if (layer.name == "hedge") continue;                                // see AsyncHedgeTest
    EXPECT_EQ(layer.mode(OnlyWith(std::string(layer.name))), Mode::kEnforce) << layer.name;
    EXPECT_EQ(layer.mode(OnlyWith("none")), Mode::kOff) << layer.name;
  }
}

}  // namespace
}  // namespace hale::guard
