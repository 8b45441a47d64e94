#include "hale/policy/concurrency_limit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <vector>

#include "hale/base/sim_executor.h"

namespace hale::policy {
namespace {

struct Trail final : EventSink {
  void On(const Event& event) noexcept override { kinds.push_back(event.kind); }
  std::vector<EventKind> kinds;
};

class ConcurrencyLimitTest : public ::testing::Test, protected EventSink {
 protected:
  void On(const Event& event) noexcept override { told_.push_back(event); }

  /// A window with so many attempts at its end; true: the limit has changed.
  bool Window(int attempts, Reception reception = Reception::kTaken, Duration latency = 40ms,
              std::uint32_t in_flight = 20) {
    now_ += 500ms;
    bool changed = false;
    for (int i = 0; i < attempts; ++i) {
      changed = limit_.Observe({reception, latency, in_flight}, now_) || changed;
    }
    return changed;
  }
  /// The end of a window is noticed by the first attempt after it.
  void Windows(int count, Reception reception = Reception::kTaken, Duration latency = 40ms,
               std::uint32_t in_flight = 1000) {
    for (int i = 0; i < count; ++i) Window(50, reception, latency, in_flight);
  }

  TimePoint now_ = SimClock().Now();
  std::vector<Event> told_;
  ConcurrencyLimit limit_{{.mode = Mode::kEnforce}, 1024, {"s", *this}};
};

TEST_F(ConcurrencyLimitTest, ChangesOnceAWindow) {
  Windows(1);
  EXPECT_EQ(limit_.limit(), 20U);
  Window(1);
  const std::uint32_t then = limit_.limit();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(limit_.Observe({Reception::kTurnedAway, 0ms, 20}, now_ + 499ms));
  }
  EXPECT_EQ(limit_.limit(), then);
}

TEST_F(ConcurrencyLimitTest, SaysWhenItHasChanged) {
  Windows(1, Reception::kTurnedAway);
  EXPECT_TRUE(Window(1));
  EXPECT_EQ(limit_.limit(), 18U);
}

TEST_F(ConcurrencyLimitTest, GoesOnWithAWindowThatHoldsFew) {
  Window(1);
  for (int i = 0; i < 18; ++i) Window(1, Reception::kTurnedAway);
  EXPECT_EQ(limit_.limit(), 20U);
  Window(1, Reception::kTurnedAway);
  EXPECT_EQ(limit_.limit(), 18U);
}

TEST_F(ConcurrencyLimitTest, LearnsNothingFromWhatNeverGotThere) {
  Windows(100, Reception::kUnknown, 10s);
  EXPECT_EQ(limit_.limit(), 20U);
  EXPECT_EQ(limit_.Status().no_load, Duration::zero());
}

TEST_F(ConcurrencyLimitTest, TakesASlowAnswerForADropWhereToldTo) {
  limit_.Apply({.mode = Mode::kEnforce, .slow_call = 200ms}, 1024);
  Windows(1, Reception::kTaken, 199ms);
  Window(1);
  EXPECT_EQ(limit_.limit(), 20U);
  Windows(2, Reception::kTaken, 200ms);
  EXPECT_EQ(limit_.limit(), 18U);
}

TEST_F(ConcurrencyLimitTest, WaitsForCallsThatBeganAfterItsLastStep) {
  Windows(2, Reception::kTaken, 2s);  // now a window is four seconds
  const std::uint32_t then = limit_.limit();
  Windows(7, Reception::kTurnedAway);
  EXPECT_EQ(limit_.limit(), then);
  Windows(1, Reception::kTurnedAway);
  EXPECT_LT(limit_.limit(), then);
}

TEST_F(ConcurrencyLimitTest, WaitsForThemAlsoWhereItDoesNotGoByTheirLatency) {
  limit_.Apply({.mode = Mode::kEnforce, .kind = LimitKind::kAimd}, 1024);
  Windows(2, Reception::kTaken, 2s);
  Windows(7, Reception::kTurnedAway);
  EXPECT_EQ(limit_.limit(), 21U);
  Windows(1, Reception::kTurnedAway);
  EXPECT_EQ(limit_.limit(), 18U);
}

TEST_F(ConcurrencyLimitTest, BeginsAWindowWhenItsModeOrKindChanges) {
  Windows(2);
  for (const ConcurrencyLimitOptions& options :
       {ConcurrencyLimitOptions{.mode = Mode::kShadow},
        ConcurrencyLimitOptions{.mode = Mode::kShadow, .kind = LimitKind::kAimd}}) {
    const std::uint32_t then = limit_.found();
    limit_.Observe({Reception::kTurnedAway, 0ms, 20}, now_ + 1ms);
    limit_.Apply(options, 1024);
    Windows(1, Reception::kTaken, 40ms, 0);
    Window(1, Reception::kTaken, 40ms, 0);
    EXPECT_EQ(limit_.found(), then) << "by what was dropped before";
  }
}

TEST_F(ConcurrencyLimitTest, IsNotInForceInShadow) {
  limit_.Apply({.mode = Mode::kShadow, .min = 20}, 20);
  Windows(3, Reception::kTaken, 40ms, 20);
  Windows(20, Reception::kTaken, 400ms, 20);
  EXPECT_EQ(limit_.Status().no_load, 40ms);
}

TEST_F(ConcurrencyLimitTest, IsNotInForceWhileItsBulkheadIsNot) {
  Bulkhead bulkhead;
  const ConcurrencyLimitOptions options{.mode = Mode::kEnforce, .min = 20};
  ApplyLimited(bulkhead, {.mode = Mode::kShadow, .limit = 20}, limit_, options);
  Windows(3, Reception::kTaken, 40ms, 20);
  Windows(20, Reception::kTaken, 400ms, 20);
  EXPECT_EQ(limit_.Status().no_load, 40ms);
  ApplyLimited(bulkhead, {.limit = 20}, limit_, options);
  Windows(20, Reception::kTaken, 400ms, 20);
  EXPECT_GT(limit_.Status().no_load, 200ms);
}

TEST_F(ConcurrencyLimitTest, BindsNobodyInShadowAndSaysWhoWouldBeRefused) {
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  EXPECT_EQ(limit_.limit(), 1024U);
  limit_.Observe({Reception::kTaken, 40ms, 20}, now_);
  EXPECT_TRUE(told_.empty());
  limit_.Observe({Reception::kTaken, 40ms, 21}, now_);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(told_[0].reason, Reason::kConcurrency);
  EXPECT_EQ(told_[0].threshold, 20);
}

TEST_F(ConcurrencyLimitTest, InShadowTellsTheTrailOfTheCallAndNobodyElse) {
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  Trail trail;
  limit_.Observe({Reception::kTaken, 40ms, 20}, now_, &trail);
  EXPECT_TRUE(trail.kinds.empty());
  limit_.Observe({Reception::kTaken, 40ms, 21}, now_, &trail);
  EXPECT_EQ(trail.kinds, std::vector{EventKind::kWouldRefuse});
  EXPECT_TRUE(told_.empty());
}

TEST_F(ConcurrencyLimitTest, BindsNobodyWhenItIsOff) {
  limit_.Apply({}, 1024);
  EXPECT_EQ(limit_.limit(), 1024U);
  EXPECT_FALSE(Window(100));
  EXPECT_TRUE(told_.empty());
}

TEST_F(ConcurrencyLimitTest, KeepsWhatItFoundWhenItsOptionsChange) {
  Windows(2, Reception::kTurnedAway);
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  limit_.Apply({.mode = Mode::kEnforce, .start = 500}, 1024);
  EXPECT_EQ(limit_.limit(), 18U);
  limit_.Apply({.mode = Mode::kEnforce}, 10);
  EXPECT_EQ(limit_.limit(), 10U);
}

TEST_F(ConcurrencyLimitTest, DrivesABulkheadWithinItsOwnLimit) {
  Bulkhead bulkhead({.limit = 100, .queue = 0});
  Drive(bulkhead, limit_);
  std::vector<Bulkhead::Permit> in;
  for (int i = 0; i < 20; ++i) in.push_back(*bulkhead.TryEnter(now_));
  const auto refused = bulkhead.TryEnter(now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().threshold, 20);
  limit_.Apply({}, 100);
  Drive(bulkhead, limit_);
  EXPECT_TRUE(bulkhead.TryEnter(now_));
}

/// A service with workers, one queue and users that come as a clock ticks; those for whom
/// there is no place are gone.
class LimitedServiceTest : public ::testing::Test {
 protected:
  void Load(int per_second, Duration span) {
    const TimePoint end = executor_.Now() + span;
    served_ = 0;
    for (TimePoint at = executor_.Now(); at < end; at += Duration(1s) / per_second) {
      executor_.At(at, [this] { Arrive(); });
    }
    executor_.RunUntil(end);
  }
  void Arrive() {
    if (in_flight_ >= limit_.limit()) return;
    ++in_flight_;
    queue_.push_back(executor_.Now());
    if (busy_ < workers_) Begin();
  }
  void Begin() {
    const TimePoint came = queue_.front();
    queue_.pop_front();
    ++busy_;
    // Exponential service, the mean of which is `service_`.
    const Duration takes = Scale(service_, -std::log(1 - random_.Unit()));
    executor_.At(executor_.Now() + takes, [this, came] { End(came); });
  }
  void End(TimePoint came) {
    --busy_;
    ++served_;
    const TimePoint now = executor_.Now();
    limit_.Observe({Reception::kTaken, now - came, in_flight_}, now);
    --in_flight_;
    if (!queue_.empty()) Begin();
  }

  SimExecutor executor_;
  SeededRandom random_{11};
  Duration service_ = 40ms;
  std::size_t workers_ = 4;
  std::deque<TimePoint> queue_;
  std::size_t busy_ = 0;
  std::uint32_t in_flight_ = 0;
  int served_ = 0;
  ConcurrencyLimit limit_{{.mode = Mode::kEnforce}};
};

TEST_F(LimitedServiceTest, ConvergesNearItsCapacity) {
  Load(50, 30s);
  Load(200, 60s);
  Load(200, 60s);  // twice what it can
  EXPECT_GT(served_, 60 * 90);
  EXPECT_GE(limit_.limit(), 4U);
  EXPECT_LE(limit_.limit(), 10U);
}

TEST_F(LimitedServiceTest, FollowsASlowdownByThreeAndBack) {
  Load(50, 30s);
  Load(200, 60s);
  service_ = 120ms;
  Load(200, 60s);
  Load(200, 60s);
  EXPECT_GT(served_, 60 * 28);  // of 33
  EXPECT_LE(limit_.limit(), 12U);
  service_ = 40ms;
  Load(200, 60s);
  Load(200, 60s);
  EXPECT_GT(served_, 60 * 85);
  EXPECT_LE(limit_.limit(), 12U);
}

TEST_F(LimitedServiceTest, DoesNotDriftInLongOverload) {
  Load(50, 30s);
  Load(200, 600s);
  EXPECT_LE(limit_.limit(), 12U);
  EXPECT_GT(served_, 600 * 85);
}

TEST_F(LimitedServiceTest, InShadowDoesNotTakeOverloadForTheServicesOwnTime) {
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  Load(50, 30s);
  Load(130, 120s);
  EXPECT_LT(limit_.Status().no_load, 60ms);
  EXPECT_LE(limit_.found(), 10U);  // in force it settles at 7
}

TEST_F(LimitedServiceTest, InShadowDoesNotSinkByALatencyThatItDoesNotMake) {
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  workers_ = 40;
  Load(400, 60s);
  service_ = 80ms;  // twice as slow, and well within its capacity of 500/s
  Load(400, 60s);
  service_ = 40ms;
  Load(400, 2s);
  limit_.Apply({.mode = Mode::kEnforce}, 1024);
  Load(400, 10s);
  EXPECT_GE(served_, 400 * 10 * 0.99);
}

TEST_F(LimitedServiceTest, InShadowGrowsAtOnceWithWhatGoesWell) {
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  workers_ = 400;
  Load(100, 10s);
  Load(4000, 2s);
  EXPECT_GE(limit_.found(), 150U);  // 4000/s × 40 ms are 160 at once
}

TEST_F(LimitedServiceTest, LearnsNothingFromTheQueueThatShadowLeaves) {
  limit_.Apply({.mode = Mode::kShadow}, 1024);
  Load(50, 30s);
  Load(130, 120s);
  limit_.Apply({.mode = Mode::kEnforce}, 1024);
  Load(130, 20s);  // the queue is served for a good half of it
  EXPECT_LT(limit_.Status().no_load, 60ms);
  Load(130, 60s);
  EXPECT_GT(served_, 60 * 85);
}

TEST_F(LimitedServiceTest, DoesNotFallInALongPeace) {
  Load(60, 600s);
  EXPECT_GE(served_, 600 * 60 * 0.995);
}

}  // namespace
}  // namespace hale::policy
