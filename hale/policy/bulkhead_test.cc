#include "hale/policy/bulkhead.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace hale::policy {
namespace {

class CountingSink final : public EventSink {
 public:
  void On(const Event& event) noexcept override {
    ++count;
    last = event;
  }
  int count = 0;
  Event last;
};

class TestWaiter final : public Bulkhead::Waiter {
 public:
  void Wake() noexcept override { ++granted; }
  int granted = 0;  ///< or told that there is nothing
};

class BulkheadTest : public testing::Test {
 protected:
  void Make(const BulkheadOptions& options) {
    bulkhead_ = std::make_unique<Bulkhead>(
        options, BulkheadContext{.service = "orders", .events = sink_, .clock = clock_});
  }
  Bulkhead::Permit Enter() {
    auto permit = bulkhead_->TryEnter(clock_.Now());
    EXPECT_TRUE(permit);
    return permit ? std::move(*permit) : Bulkhead::Permit();
  }
  std::expected<Bulkhead::Permit, Rejection> Queue(TestWaiter& waiter, Duration remaining = 10s) {
    return bulkhead_->Enter(waiter, {.remaining = remaining}, clock_.Now());
  }
  void ExpectCounts(std::uint32_t in_flight, std::uint32_t waiting) {
    EXPECT_EQ(bulkhead_->in_flight(), in_flight);
    EXPECT_EQ(bulkhead_->waiting(), waiting);
  }

  SimClock clock_;
  CountingSink sink_;
  std::unique_ptr<Bulkhead> bulkhead_;
  TestWaiter first_;
  TestWaiter second_;
  TestWaiter third_;
};

TEST_F(BulkheadTest, AdmitsUpToItsLimit) {
  Make({.limit = 2});
  const auto one = Enter();
  const auto two = Enter();
  const auto three = bulkhead_->TryEnter(clock_.Now());
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().reason, Reason::kConcurrency);
  EXPECT_EQ(three.error().observed, 2);
  EXPECT_EQ(three.error().threshold, 2);
}

class WaitAgainTest : public BulkheadTest {
 protected:
  /// Two are in flight of as many as may be; one of them finds no use for its place.
  WaitAgainTest() {
    Make({.limit = 2, .queue = 2});
    other_ = Enter();
    useless_ = Enter();
    patience_ = bulkhead_->PatienceFrom(clock_.Now(), 10s, bulkhead_->leaves());
  }
  std::expected<Bulkhead::Permit, Rejection> WaitAgain(TestWaiter& waiter) {
    return bulkhead_->WaitAgain(std::move(useless_), waiter, {}, patience_, clock_.Now());
  }

  Bulkhead::Permit other_;
  Bulkhead::Permit useless_;
  Bulkhead::Patience patience_;
};

TEST_F(WaitAgainTest, GivesItsPlaceBackAndHasTheNextOne) {
  const auto waits = WaitAgain(first_);
  ASSERT_TRUE(waits && !*waits);
  ExpectCounts(1, 1);
  other_.Release();
  EXPECT_EQ(first_.granted, 1);
  ExpectCounts(1, 0);
  EXPECT_TRUE(*first_.Take());
}

TEST_F(WaitAgainTest, IsLetTryAgainThoughNobodyLeft) {
  ASSERT_TRUE(WaitAgain(first_));
  bulkhead_->LetOneTry(clock_.Now());
  EXPECT_EQ(first_.granted, 1);
  ExpectCounts(2, 0);
}

TEST_F(WaitAgainTest, NobodyIsLetTryWithoutAFreePlace) {
  ASSERT_TRUE(Queue(second_));
  bulkhead_->LetOneTry(clock_.Now());
  EXPECT_EQ(second_.granted, 0);
  ASSERT_TRUE(bulkhead_->Abandon(second_));
}

TEST_F(WaitAgainTest, StandsBeforeThoseThatCameLater) {
  clock_.Advance(1ms);
  ASSERT_TRUE(Queue(second_));
  ASSERT_TRUE(WaitAgain(first_));
  other_.Release();
  EXPECT_EQ(first_.granted, 1);
}

TEST_F(WaitAgainTest, StandsBehindThoseThatCameEarlier) {
  ASSERT_TRUE(Queue(second_));
  patience_.since += 1ms;
  ASSERT_TRUE(WaitAgain(first_));
  bulkhead_->Apply({.limit = 1, .queue = 2});
  other_.Release();
  EXPECT_EQ(second_.granted, 1);
  EXPECT_EQ(first_.granted, 0);
}

TEST_F(WaitAgainTest, LooksOnceMoreWhenSomebodyLeftMeanwhile) {
  other_.Release();
  const auto again = WaitAgain(first_);
  ASSERT_TRUE(again && *again);
  ExpectCounts(1, 0);
}

// Otherwise as few would stay in flight as there were when the instances were full.
TEST_F(WaitAgainTest, ASecondOneIsTriedWhileThereAreFewerThanMayBe) {
  ASSERT_TRUE(Queue(second_));
  ASSERT_TRUE(WaitAgain(first_));
  other_.Release();
  EXPECT_EQ(first_.granted + second_.granted, 2);
  ExpectCounts(2, 0);
  EXPECT_TRUE(*first_.Take());
  EXPECT_TRUE(*second_.Take());
}

TEST_F(WaitAgainTest, DoesNotWaitBeyondItsPatience) {
  clock_.Advance(200ms);
  const auto late = WaitAgain(first_);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, Reason::kQueueTimeout);
  ExpectCounts(1, 0);
}

TEST_F(WaitAgainTest, IsRefusedByAFullQueueAndGivesItsPlaceToTheFirst) {
  ASSERT_TRUE(Queue(second_));
  ASSERT_TRUE(Queue(third_));
  EXPECT_EQ(WaitAgain(first_).error().reason, Reason::kQueueFull);
  EXPECT_EQ(sink_.last.kind, EventKind::kBound);
  EXPECT_EQ(sink_.count, 1);
  EXPECT_EQ(second_.granted, 1);
  const auto second = second_.Take();
  ASSERT_TRUE(bulkhead_->Abandon(third_));
}

TEST_F(WaitAgainTest, IsRefusedWhereNobodyWaits) {
  bulkhead_->Apply({.limit = 2, .queue = 0});
  EXPECT_EQ(WaitAgain(first_).error().reason, Reason::kConcurrency);
  ExpectCounts(1, 0);
}

TEST_F(WaitAgainTest, IsRefusedWhereNobodyMayWaitAnyTime) {
  bulkhead_->Apply({.limit = 2, .queue = 2, .max_wait = 0s});
  patience_ = bulkhead_->PatienceFrom(clock_.Now(), 10s, bulkhead_->leaves());
  EXPECT_EQ(WaitAgain(first_).error().reason, Reason::kConcurrency);
  ExpectCounts(1, 0);
}

TEST_F(BulkheadTest, GivesAPlaceBackOnceHoweverThePermitIsMoved) {
  Make({.limit = 2});
  {
    auto permit = Enter();
    auto moved = std::move(permit);
    Bulkhead::Permit again;
    again = std::move(moved);
    again.Release();
    again.Release();
    ExpectCounts(0, 0);
  }
  ExpectCounts(0, 0);
}

TEST_F(BulkheadTest, GivesAPlaceBackWhenTheWorkThrows) {
  Make({.limit = 1});
  const auto work = [this] {
    const auto permit = Enter();
    throw std::runtime_error("broken");
  };
  EXPECT_THROW(work(), std::runtime_error);
  ExpectCounts(0, 0);
}

TEST_F(BulkheadTest, LetsTheFirstThatWaitsGoFirst) {
  Make({.limit = 1});
  auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  EXPECT_FALSE(*Queue(second_));
  ExpectCounts(1, 2);
  permit.Release();
  EXPECT_EQ(first_.granted, 1);
  EXPECT_EQ(second_.granted, 0);
  ExpectCounts(1, 1);
  first_.Take()->Release();
  EXPECT_EQ(second_.granted, 1);
}

TEST_F(BulkheadTest, GivesAGrantedPermitOnce) {
  Make({.limit = 1});
  auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  EXPECT_FALSE(*first_.Take());
  permit.Release();
  EXPECT_TRUE(*first_.Take());
  EXPECT_FALSE(*first_.Take());
  ExpectCounts(0, 0);
}

TEST_F(BulkheadTest, RefusesWhenTheQueueIsFull) {
  Make({.limit = 1, .queue = 1});
  const auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  const auto refused = Queue(second_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kQueueFull);
  EXPECT_EQ(refused.error().observed, 1);
  EXPECT_EQ(refused.error().threshold, 1);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
}

TEST_F(BulkheadTest, RefusesForConcurrencyWithoutAQueue) {
  Make({.limit = 1, .queue = 0});
  const auto permit = Enter();
  EXPECT_EQ(Queue(first_).error().reason, Reason::kConcurrency);
}

TEST_F(BulkheadTest, SaysOnceThatTheQueueIsFullUntilItHasDrained) {
  Make({.limit = 1, .queue = 1});
  const auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Queue(second_));
  EXPECT_EQ(sink_.count, 1);
  EXPECT_EQ(sink_.last.kind, EventKind::kBound);
  EXPECT_EQ(sink_.last.service, "orders");
  EXPECT_TRUE(bulkhead_->Abandon(first_));
  EXPECT_FALSE(*Queue(first_));
  EXPECT_FALSE(Queue(second_));
  EXPECT_EQ(sink_.count, 2);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
}

TEST_F(BulkheadTest, WaitsNoLongerThanHalfOfWhatRemains) {
  Make({.limit = 1});
  const auto permit = Enter();
  EXPECT_FALSE(*Queue(first_, 10s));
  EXPECT_EQ(first_.until(), clock_.Now() + 200ms);
  EXPECT_FALSE(*Queue(second_, 100ms));
  EXPECT_EQ(second_.until(), clock_.Now() + 50ms);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
  EXPECT_TRUE(bulkhead_->Abandon(second_));
}

TEST_F(BulkheadTest, QueuesNothingThatHasNoTimeLeft) {
  Make({.limit = 1});
  const auto permit = Enter();
  EXPECT_EQ(Queue(first_, 0ns).error().reason, Reason::kDeadline);
  EXPECT_EQ(Queue(first_, -1s).error().reason, Reason::kDeadline);
  ExpectCounts(1, 0);
}

TEST_F(BulkheadTest, PassesOverWhoHasWaitedTooLong) {
  Make({.limit = 1});
  auto permit = Enter();
  EXPECT_FALSE(*Queue(first_, 100ms));
  EXPECT_FALSE(*Queue(second_, 10s));
  clock_.Advance(50ms);
  permit.Release();
  EXPECT_FALSE(bulkhead_->Abandon(first_));
  EXPECT_EQ(first_.Take().error().reason, Reason::kQueueTimeout);
  second_.Take()->Release();
  ExpectCounts(0, 0);
}

TEST_F(BulkheadTest, GivesThePlaceBackWhenAllHaveWaitedTooLong) {
  Make({.limit = 1});
  auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  clock_.Advance(200ms);
  permit.Release();
  EXPECT_FALSE(bulkhead_->Abandon(first_));
  EXPECT_EQ(first_.Take().error().reason, Reason::kQueueTimeout);
  ExpectCounts(0, 0);
}

TEST_F(BulkheadTest, TellsWhoGivesUpTooLateThatItWasGranted) {
  Make({.limit = 1});
  auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  permit.Release();
  EXPECT_FALSE(bulkhead_->Abandon(first_));
  first_.Take()->Release();
  ExpectCounts(0, 0);
}

TEST_F(BulkheadTest, ForgetsWhoGivesUpInTheMiddle) {
  Make({.limit = 1});
  auto permit = Enter();
  for (auto* waiter : {&first_, &second_, &third_}) EXPECT_FALSE(*Queue(*waiter));
  EXPECT_TRUE(bulkhead_->Abandon(second_));
  ExpectCounts(1, 2);
  permit.Release();
  first_.Take()->Release();
  EXPECT_EQ(second_.granted, 0);
  EXPECT_EQ(third_.granted, 1);
}

TEST_F(BulkheadTest, SaysHowLongWasWaited) {
  Make({.limit = 1});
  const auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  clock_.Advance(250ms);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
  const Rejection rejection = first_.Late(clock_.Now());
  EXPECT_EQ(rejection.reason, Reason::kQueueTimeout);
  EXPECT_EQ(rejection.observed, 0.25);
  EXPECT_EQ(rejection.threshold, 0.2);
}

TEST_F(BulkheadTest, AdmitsAgainOnlyWhenFewerThanALoweredLimitAreIn) {
  Make({.limit = 3, .queue = 0});
  std::vector<Bulkhead::Permit> permits;
  for (int i = 0; i < 3; ++i) permits.push_back(Enter());
  bulkhead_->Apply({.limit = 2, .queue = 0});
  ExpectCounts(3, 0);
  EXPECT_FALSE(bulkhead_->TryEnter(clock_.Now()));
  permits.pop_back();
  EXPECT_FALSE(bulkhead_->TryEnter(clock_.Now()));
  permits.pop_back();
  EXPECT_TRUE(bulkhead_->TryEnter(clock_.Now()));
}

TEST_F(BulkheadTest, HandsNoPlaceOverWhileTooManyAreIn) {
  Make({.limit = 2});
  auto one = Enter();
  auto two = Enter();
  EXPECT_FALSE(*Queue(first_));
  bulkhead_->Apply({.limit = 1});
  one.Release();
  EXPECT_EQ(first_.granted, 0);
  ExpectCounts(1, 1);
  two.Release();
  EXPECT_EQ(first_.granted, 1);
  ExpectCounts(1, 0);
}

TEST_F(BulkheadTest, LetsInWhoWaitsWhenTheLimitIsRaised) {
  Make({.limit = 1});
  const auto permit = Enter();
  for (auto* waiter : {&first_, &second_, &third_}) EXPECT_FALSE(*Queue(*waiter));
  bulkhead_->Apply({.limit = 3});
  EXPECT_EQ(first_.granted, 1);
  EXPECT_EQ(second_.granted, 1);
  EXPECT_EQ(third_.granted, 0);
  ExpectCounts(3, 1);
  EXPECT_TRUE(bulkhead_->Abandon(third_));
}

TEST_F(BulkheadTest, RefusesNothingInShadowButSaysSo) {
  Make({.mode = Mode::kShadow, .limit = 1});
  const auto one = Enter();
  EXPECT_EQ(sink_.count, 0);
  const auto two = Enter();
  EXPECT_EQ(sink_.last.kind, EventKind::kWouldRefuse);
  EXPECT_EQ(sink_.last.reason, Reason::kConcurrency);
  ExpectCounts(2, 0);
}

TEST_F(BulkheadTest, InShadowTellsTheTrailOfTheCallAndNobodyElse) {
  Make({.mode = Mode::kShadow, .limit = 1});
  const auto one = Enter();
  CountingSink trail;
  const auto two = bulkhead_->TryEnter(clock_.Now(), {}, &trail);
  EXPECT_EQ(trail.last.kind, EventKind::kWouldRefuse);
  const auto three = bulkhead_->Enter(first_, {.trail = &trail}, clock_.Now());
  EXPECT_EQ(trail.count, 2);
  EXPECT_EQ(sink_.count, 0);
}

TEST_F(BulkheadTest, InShadowTellsTheTrailWhereItIsDividedToo) {
  Make({.mode = Mode::kShadow, .limit = 1, .partitions = {.by = "route"}});
  const auto one = Enter();
  CountingSink trail;
  const auto two = bulkhead_->TryEnter(clock_.Now(), "orders", &trail);
  EXPECT_EQ(trail.count, 1);
  EXPECT_EQ(sink_.count, 0);
}

TEST_F(BulkheadTest, CountsAlsoWhenOff) {
  Make({.mode = Mode::kOff, .limit = 1, .queue = 0});
  auto one = Enter();
  auto two = Enter();
  EXPECT_EQ(sink_.count, 0);
  bulkhead_->Apply({.mode = Mode::kEnforce, .limit = 1, .queue = 0});
  one.Release();
  EXPECT_FALSE(bulkhead_->TryEnter(clock_.Now()));
  two.Release();
  EXPECT_TRUE(bulkhead_->TryEnter(clock_.Now()));
}

TEST_F(BulkheadTest, LetsAllInWhenItIsSwitchedOff) {
  Make({.limit = 1});
  const auto permit = Enter();
  EXPECT_FALSE(*Queue(first_));
  EXPECT_FALSE(*Queue(second_));
  bulkhead_->Apply({.mode = Mode::kOff, .limit = 1});
  EXPECT_EQ(first_.granted + second_.granted, 2);
  ExpectCounts(3, 0);
}

TEST_F(BulkheadTest, MayBeCalledFromAGrant) {
  class Reenters final : public Bulkhead::Waiter {
   public:
    explicit Reenters(Bulkhead& bulkhead) : bulkhead_(bulkhead) {}
    void Wake() noexcept override { left = !bulkhead_.Abandon(*this) && *Take(); }
    bool left = false;

   private:
    Bulkhead& bulkhead_;
  };
  Make({.limit = 1});
  auto permit = Enter();
  Reenters waiter(*bulkhead_);
  EXPECT_FALSE(*bulkhead_->Enter(waiter, {.remaining = 10s}, clock_.Now()));
  permit.Release();
  EXPECT_TRUE(waiter.left);
  ExpectCounts(0, 0);
}

}  // namespace
}  // namespace hale::policy
