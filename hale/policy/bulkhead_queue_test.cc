#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hale/policy/bulkhead.h"

namespace hale::policy {
namespace {

class TestWaiter final : public Bulkhead::Waiter {
 public:
  void Wake() noexcept override { ++woken; }
  int woken = 0;
};

/// One place, which is taken.
class BulkheadQueueTest : public testing::Test {
 protected:
  void Make(BulkheadOptions options) {
    options.limit = 1;
    bulkhead_ =
        std::make_unique<Bulkhead>(options, BulkheadContext{.service = "s", .clock = clock_});
    held_ = std::move(*bulkhead_->TryEnter(clock_.Now()));
  }
  std::expected<Bulkhead::Permit, Rejection> Queue(TestWaiter& waiter, const Admission& call = {}) {
    return bulkhead_->Enter(waiter, call, clock_.Now());
  }
  /// The holder of the place leaves, who gets it stays.
  void Next() { held_.Release(); }
  static bool HasPlace(TestWaiter& waiter) {
    auto ended = waiter.Take();
    return ended && *ended;
  }
  static Reason WhyNot(TestWaiter& waiter) {
    auto ended = waiter.Take();
    return ended ? Reason::kNone : ended.error().reason;
  }

  SimClock clock_;
  std::unique_ptr<Bulkhead> bulkhead_;
  Bulkhead::Permit held_;
  TestWaiter first_;
  TestWaiter second_;
  TestWaiter third_;
};

TEST_F(BulkheadQueueTest, LetsWhoCountsMoreGoFirst) {
  Make({});
  EXPECT_TRUE(Queue(first_, {.priority = Priority::kSheddable}));
  EXPECT_TRUE(Queue(second_, {.priority = Priority::kCriticalPlus}));
  Next();
  EXPECT_EQ(first_.woken, 0);
  EXPECT_TRUE(HasPlace(second_));  // which goes at once
  EXPECT_TRUE(HasPlace(first_));
}

TEST_F(BulkheadQueueTest, TellsWhoHadToMakePlaceForOneThatCountsMore) {
  Make({.queue = 1});
  EXPECT_TRUE(Queue(first_, {.priority = Priority::kSheddable}));
  EXPECT_TRUE(Queue(second_, {.priority = Priority::kCritical}));
  EXPECT_EQ(first_.woken, 1);
  EXPECT_FALSE(bulkhead_->Abandon(first_));
  EXPECT_EQ(WhyNot(first_), Reason::kShed);
  EXPECT_EQ(bulkhead_->waiting(), 1U);
  EXPECT_TRUE(bulkhead_->Abandon(second_));
}

TEST_F(BulkheadQueueTest, RefusesWhoCountsNoMoreThanThoseOfAFullQueue) {
  Make({.queue = 1});
  EXPECT_TRUE(Queue(first_, {.priority = Priority::kCritical}));
  EXPECT_EQ(Queue(second_).error().reason, Reason::kQueueFull);
  EXPECT_EQ(Queue(second_, {.priority = Priority::kSheddable}).error().reason, Reason::kQueueFull);
  EXPECT_EQ(bulkhead_->waiting(), 1U);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
}

// A full queue is refused without the lock only by what is surely known of it.
TEST_F(BulkheadQueueTest, FindsTheOneThatCountsLessAlsoAfterRefusals) {
  Make({.queue = 2});
  EXPECT_TRUE(Queue(first_));
  EXPECT_TRUE(Queue(second_));
  EXPECT_FALSE(Queue(third_));
  EXPECT_TRUE(bulkhead_->Abandon(second_));
  EXPECT_TRUE(Queue(second_, {.priority = Priority::kSheddable}));
  EXPECT_TRUE(Queue(third_));
  EXPECT_EQ(WhyNot(second_), Reason::kShed);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
  EXPECT_TRUE(bulkhead_->Abandon(third_));
}

TEST_F(BulkheadQueueTest, TakesAPlaceInTheQueueFromTheKeyThatHasMost) {
  Make({.queue = 2});
  EXPECT_TRUE(Queue(first_, {.key = 1}));
  EXPECT_TRUE(Queue(second_, {.key = 1}));
  EXPECT_TRUE(Queue(third_, {.key = 2}));
  EXPECT_EQ(WhyNot(second_), Reason::kShed);
  EXPECT_TRUE(bulkhead_->Abandon(first_));
  EXPECT_TRUE(bulkhead_->Abandon(third_));
}

// Law 3, from the calls that it has served.
TEST_F(BulkheadQueueTest, QueuesNobodyThatCouldNotBeDoneInTime) {
  Make({});
  bulkhead_->Served(40ms);
  EXPECT_EQ(bulkhead_->mean_call(), 40ms);
  const auto refused = Queue(first_, {.remaining = 60ms});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kDeadline);
  EXPECT_EQ(refused.error().threshold, 0.06);
  EXPECT_TRUE(Queue(first_, {.remaining = 61ms}));
  EXPECT_TRUE(bulkhead_->Abandon(first_));
}

TEST_F(BulkheadQueueTest, AdmitsWhateverTheDeadlineWhileThereIsAPlace) {
  Make({});
  bulkhead_->Served(40ms);
  held_.Release();
  EXPECT_TRUE(Queue(first_, {.remaining = 1ms}));
}

TEST_F(BulkheadQueueTest, BeginsNothingThatCallsHaveBecomeTooSlowFor) {
  Make({});
  EXPECT_TRUE(Queue(first_, {.remaining = 300ms}));
  clock_.Advance(100ms);
  bulkhead_->Served(140ms);
  Next();
  EXPECT_EQ(WhyNot(first_), Reason::kDeadline);
  EXPECT_EQ(bulkhead_->in_flight(), 0U);
  EXPECT_EQ(bulkhead_->waiting(), 0U);
}

TEST_F(BulkheadQueueTest, HasTheLastGoFirstWhileItStands) {
  Make({.order = QueueOrder::kCodel});
  EXPECT_TRUE(Queue(first_));
  EXPECT_FALSE(bulkhead_->Stands(clock_.Now()));
  clock_.Advance(101ms);
  EXPECT_TRUE(bulkhead_->Stands(clock_.Now()));
  EXPECT_TRUE(Queue(second_));
  EXPECT_TRUE(Queue(third_));
  EXPECT_EQ(third_.until(), clock_.Now() + 5ms);
  Next();
  EXPECT_TRUE(HasPlace(third_));
  EXPECT_TRUE(HasPlace(second_));
  EXPECT_EQ(first_.woken, 1);
}

TEST_F(BulkheadQueueTest, KeepsWhoWaitsWhenItsOrderChanges) {
  Make({});
  EXPECT_TRUE(Queue(first_));
  EXPECT_TRUE(Queue(second_));
  clock_.Advance(150ms);
  bulkhead_->Apply({.limit = 1, .order = QueueOrder::kCodel, .target = 1s});
  EXPECT_EQ(bulkhead_->waiting(), 2U);
  Next();
  EXPECT_TRUE(HasPlace(first_));
  EXPECT_TRUE(HasPlace(second_));
}

class BulkheadPartitionTest : public testing::Test {
 protected:
  void Make(std::uint32_t limit, PartitionsOptions partitions, Mode mode = Mode::kEnforce) {
    options_ = {.mode = mode, .limit = limit, .partitions = std::move(partitions)};
    bulkhead_ =
        std::make_unique<Bulkhead>(options_, BulkheadContext{.service = "s", .clock = clock_});
  }
  std::size_t EnterAll(std::string_view partition, std::size_t most = 1000) {
    std::size_t entered = 0;
    for (; entered < most; ++entered) {
      auto permit = bulkhead_->TryEnter(clock_.Now(), partition);
      if (!permit) break;
      held_[partition == "a" ? 0 : 1].push_back(std::move(*permit));
    }
    return entered;
  }
  bool Queue(TestWaiter& waiter, std::string_view partition) {
    const Admission call{.partition = partition};
    const auto entered = bulkhead_->Enter(waiter, call, clock_.Now());
    return entered && !*entered;
  }

  SimClock clock_;
  BulkheadOptions options_;
  std::unique_ptr<Bulkhead> bulkhead_;
  std::vector<Bulkhead::Permit> held_[2];
  TestWaiter first_;
  TestWaiter second_;
};

// Case 62.
TEST_F(BulkheadPartitionTest, LetsBorrowWhatIsSpareAndNeverMoreThanTheLimit) {
  Make(10, {.by = "route", .shares = {{"a", 0.3}}, .lend = 0});
  EXPECT_EQ(EnterAll("b"), 7U);
  EXPECT_EQ(EnterAll("a"), 3U);
  EXPECT_EQ(bulkhead_->in_flight(), 10U);
  held_[1].clear();
  EXPECT_EQ(EnterAll("a"), 7U);
  EXPECT_EQ(bulkhead_->in_flight(), 10U);
}

TEST_F(BulkheadPartitionTest, GivesWhatWasLentToItsOwnerWhenItComesBack) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 1});
  EXPECT_EQ(EnterAll("b"), 2U);
  EXPECT_TRUE(Queue(first_, "b"));
  EXPECT_TRUE(Queue(second_, "a"));
  held_[1].pop_back();
  EXPECT_EQ(first_.woken, 0);
  EXPECT_EQ(second_.woken, 1);
  const auto permit = second_.Take();
  held_[1].pop_back();
  EXPECT_TRUE(*first_.Take());
}

// Its place is not one that who waits could have.
TEST_F(BulkheadPartitionTest, LetsOneWithAPlaceOfItsOwnPassThoseThatWait) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_EQ(EnterAll("b"), 1U);
  EXPECT_TRUE(Queue(first_, "b"));
  EXPECT_EQ(EnterAll("a"), 1U);
  EXPECT_TRUE(Queue(second_, "a"));
  held_[0].clear();
  EXPECT_EQ(second_.woken, 1);
  EXPECT_EQ(first_.woken, 0);
  held_[1].clear();
  EXPECT_EQ(first_.woken, 1);
  (void)second_.Take();
  (void)first_.Take();
}

TEST_F(BulkheadPartitionTest, CountsEachOneBackWhereItCameFrom) {
  Make(4, {.by = "route", .shares = {{"a", 0.5}}, .lend = 1});
  EXPECT_EQ(EnterAll("a", 1), 1U);
  EXPECT_EQ(EnterAll("b"), 3U);
  EXPECT_TRUE(Queue(first_, "a"));
  held_[1].clear();
  EXPECT_TRUE(*first_.Take());
  held_[0].clear();
  for (const auto& status : bulkhead_->partitions()) EXPECT_EQ(status.in_flight, 0U) << status.name;
  EXPECT_EQ(bulkhead_->in_flight(), 0U);
}

TEST_F(BulkheadPartitionTest, GivesAPlaceBackWhereItCameFromHoweverThePermitIsMoved) {
  Make(4, {.by = "route", .shares = {{"a", 0.5}, {"b", 0.5}}, .lend = 0});
  auto permit = bulkhead_->TryEnter(clock_.Now(), "a");
  auto other = bulkhead_->TryEnter(clock_.Now(), "b");
  *permit = *std::move(other);
  permit->Release();
  EXPECT_EQ(bulkhead_->partitions()[1].in_flight, 1U);
  EXPECT_EQ(bulkhead_->partitions()[2].in_flight, 0U);
  EXPECT_EQ(EnterAll("b"), 2U);
  EXPECT_EQ(EnterAll("a"), 1U);
}

TEST_F(BulkheadPartitionTest, GivesAPlaceBackToAPartitionThatIsGone) {
  Make(4, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_EQ(EnterAll("a", 2), 2U);
  options_.partitions = {};
  bulkhead_->Apply(options_);
  EXPECT_EQ(EnterAll("b"), 2U);
  EXPECT_TRUE(Queue(first_, "b"));
  held_[0].clear();
  EXPECT_TRUE(*first_.Take());
  EXPECT_EQ(bulkhead_->in_flight(), 2U);
  EXPECT_EQ(bulkhead_->partitions()[1].in_flight, 0U);
}

TEST_F(BulkheadPartitionTest, DividesFromNowOnWhenItIsToldSo) {
  Make(10, {});
  EXPECT_EQ(EnterAll("b", 9), 9U);
  options_.partitions = {.by = "route", .shares = {{"a", 0.3}}, .lend = 0};
  bulkhead_->Apply(options_);
  EXPECT_EQ(EnterAll("b"), 0U);
  EXPECT_EQ(EnterAll("a"), 1U);
  options_.partitions = {};
  bulkhead_->Apply(options_);
  held_[0].clear();
  EXPECT_EQ(EnterAll("b"), 1U);
  EXPECT_EQ(bulkhead_->in_flight(), 10U);
}

TEST_F(BulkheadPartitionTest, LetsInWhoWaitsWhenItsLimitGrows) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_EQ(EnterAll("b"), 1U);
  EXPECT_TRUE(Queue(first_, "b"));
  bulkhead_->SetLimit(4);
  EXPECT_TRUE(*first_.Take());
  EXPECT_EQ(EnterAll("b"), 1U);
  EXPECT_EQ(EnterAll("a"), 2U);
}

TEST_F(BulkheadPartitionTest, CountsAlsoWhenItRefusesNothing) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}}, Mode::kShadow);
  EXPECT_EQ(EnterAll("a", 3), 3U);
  EXPECT_EQ(bulkhead_->partitions()[1].in_flight, 3U);
  held_[0].clear();
  EXPECT_EQ(bulkhead_->partitions()[1].in_flight, 0U);
}

TEST_F(BulkheadPartitionTest, WaitsAgainInItsOwnPartition) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 1});
  EXPECT_EQ(EnterAll("b", 1), 1U);
  auto useless = bulkhead_->TryEnter(clock_.Now(), "a");
  const auto patience = bulkhead_->PatienceFrom(clock_.Now(), 10s, bulkhead_->leaves());
  auto waits = bulkhead_->WaitAgain(std::move(*useless), first_, {}, patience, clock_.Now());
  ASSERT_TRUE(waits && !*waits);
  EXPECT_EQ(bulkhead_->partitions()[1].in_flight, 0U);
  EXPECT_EQ(bulkhead_->partitions()[1].waiting, 1U);
  held_[1].clear();
  EXPECT_TRUE(*first_.Take());
}

}  // namespace
}  // namespace hale::policy
