#include "hale/guard/enter.h"

#include <gtest/gtest.h>

#include <optional>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"

namespace hale::guard {
namespace {

using policy::Bulkhead;

class Occupant final : public Bulkhead::Waiter {
 public:
  void Wake() noexcept override {}
};

/// A bulkhead with one place, which is taken, and one call that wants it.
class EnterQueueTest : public ::testing::Test {
 protected:
  void Want(Duration remaining = 10s) {
    Spawn(Enter(SaturatingAdd(executor_.Now(), remaining)), stop_.get_token());
  }
  void At(Duration after, Executor::Work work) {
    executor_.At(executor_.Now() + after, std::move(work));
  }
  Reason Refused() const { return entered_ && !*entered_ ? entered_->error().reason : Reason(); }

  void TearDown() override {
    entered_.reset();
    taken_->Release();
    executor_.Run();
    EXPECT_EQ(executor_.pending(), 0U);
    EXPECT_EQ(hale::internal::FramePool::live(), frames_);
    EXPECT_EQ(bulkhead_.in_flight(), 0U);
    EXPECT_EQ(bulkhead_.waiting(), 0U);
  }

  std::ptrdiff_t frames_ = hale::internal::FramePool::live();
  SimExecutor executor_;
  TimePoint start_ = executor_.Now();
  Bulkhead bulkhead_{{.limit = 1, .queue = 2}, {"s", NullSink(), executor_.clock()}};
  std::expected<Bulkhead::Permit, Rejection> taken_ = bulkhead_.TryEnter(executor_.Now());
  std::stop_source stop_;
  std::optional<std::expected<Bulkhead::Permit, Rejection>> entered_;
  TimePoint ended_{};

 private:
  Task<void> Enter(TimePoint deadline) {
    const TimePoint now = executor_.Now();
    const policy::Admission call{.remaining = deadline == kNever ? kForever : deadline - now};
    auto entered = co_await EnterQueue(bulkhead_, executor_, call);
    entered_.emplace(std::move(entered));
    ended_ = executor_.Now();
  }
};

TEST_F(EnterQueueTest, HasThePlaceAsSoonAsItIsFree) {
  Want();
  At(50ms, [this] { taken_->Release(); });
  executor_.Run();
  ASSERT_TRUE(entered_ && *entered_);
  EXPECT_EQ(ended_ - start_, 50ms);
  EXPECT_EQ(bulkhead_.in_flight(), 1U);
}

TEST_F(EnterQueueTest, DoesNotWaitWhenAPlaceIsFree) {
  taken_->Release();
  Want();
  ASSERT_TRUE(entered_ && *entered_);
}

TEST_F(EnterQueueTest, WaitsNoLongerThanIsUseful) {
  Want(100ms);
  executor_.Run();
  EXPECT_EQ(Refused(), Reason::kQueueTimeout);
  EXPECT_EQ(ended_ - start_, 50ms);  // half of what was left
}

TEST_F(EnterQueueTest, WaitsItsLongestWithoutADeadline) {
  Want(kForever);
  executor_.Run();
  EXPECT_EQ(Refused(), Reason::kQueueTimeout);
  EXPECT_EQ(ended_ - start_, 200ms);
}

TEST_F(EnterQueueTest, APlaceThatBecomesFreeInTheInstantOfTheTimeoutIsNotLost) {
  Want(100ms);
  At(50ms, [this] { taken_->Release(); });
  executor_.Run();
  ASSERT_TRUE(entered_);
  EXPECT_EQ(bulkhead_.in_flight(), *entered_ ? 1U : 0U);
}

TEST_F(EnterQueueTest, APlaceThatIsGrantedInTheInstantOfTheStopIsNotLost) {
  Want();
  At(10ms, [this] {
    taken_->Release();
    stop_.request_stop();
  });
  executor_.Run();
  ASSERT_TRUE(entered_);
  EXPECT_EQ(bulkhead_.in_flight(), *entered_ ? 1U : 0U);
}

TEST_F(EnterQueueTest, AStopEndsItAtOnce) {
  Want();
  At(10ms, [this] { stop_.request_stop(); });
  executor_.Run();
  EXPECT_EQ(Refused(), Reason::kClientAbort);
  EXPECT_EQ(ended_ - start_, 10ms);
}

TEST_F(EnterQueueTest, IsRefusedWhenTheQueueIsFull) {
  bulkhead_.Apply({.limit = 1, .queue = 1});
  Occupant first;
  ASSERT_TRUE(bulkhead_.Enter(first, {}, executor_.Now()));
  Want();
  EXPECT_EQ(Refused(), Reason::kQueueFull);
  EXPECT_TRUE(bulkhead_.Abandon(first));
}

TEST_F(EnterQueueTest, IsRefusedWhereThereIsNoQueue) {
  bulkhead_.Apply({.limit = 1, .queue = 0});
  Want();
  EXPECT_EQ(Refused(), Reason::kConcurrency);
}

TEST_F(EnterQueueTest, HasNoUseForAPlaceAfterItsDeadline) {
  Want(0s);
  EXPECT_EQ(Refused(), Reason::kDeadline);
}

}  // namespace
}  // namespace hale::guard
