#include "hale/policy/partitions.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hale::policy {
namespace {

using Index = Partitions::Index;

class PartitionsTest : public testing::Test {
 protected:
  void Make(std::uint32_t limit, const PartitionsOptions& options, std::uint32_t queue = 1000) {
    limit_ = limit;
    size_ = queue;
    partitions_ =
        std::make_unique<Partitions>(AdmissionQueueOptions{.size = queue}, options, limit);
  }
  Index Of(std::string_view name) const { return partitions_->Find(name); }
  Partitions::Places places() const { return {in_flight_, limit_}; }
  bool Enter(std::string_view name) {
    const Index who = Of(name);
    if (!partitions_->MayEnter(who, places())) return false;
    partitions_->Entered(who);
    ++in_flight_;
    return true;
  }
  /// So many as get a place.
  int EnterAll(std::string_view name) {
    int entered = 0;
    while (Enter(name)) ++entered;
    return entered;
  }
  bool Wait(std::string_view name, Priority priority = Priority::kCritical) {
    auto& entry = entries_.emplace_back();
    return partitions_->Push(entry, Of(name), {.priority = priority}, now_, 0ms, dropped_) ==
           Partitions::Queued::kYes;
  }
  /// A call of `name` ends; who gets its place.
  Partitions::Entry* Leave(std::string_view name) {
    partitions_->Left(Of(name));
    --in_flight_;
    Partitions::Entry* next = partitions_->Pop(places(), now_, 0ms, dropped_);
    if (next != nullptr) ++in_flight_;
    return next;
  }
  /// Who gets the place of a call of `name`; -1: nobody.
  int HeirOf(std::string_view name) {
    const auto* next = Leave(name);
    return next == nullptr ? -1 : next->partition();
  }

  std::deque<Partitions::Entry> entries_;
  std::unique_ptr<Partitions> partitions_;
  EntryChain dropped_;
  TimePoint now_{1h};
  std::uint32_t limit_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t in_flight_ = 0;
};

TEST_F(PartitionsTest, GivesAllPlacesToAnybodyWithoutShares) {
  Make(10, {});
  EXPECT_EQ(EnterAll("a"), 10);
  EXPECT_FALSE(partitions_->divided());
}

TEST_F(PartitionsTest, IsNotDividedUnlessItIsToldByWhat) {
  Make(10, {.shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_FALSE(partitions_->divided());
  EXPECT_EQ(EnterAll("other"), 10);
}

// Case 62: may borrow what is spare.
TEST_F(PartitionsTest, LetsAPartitionUseWhatIsPromisedToNobody) {
  Make(10, {.by = "route", .shares = {{"a", 0.3}}});
  EXPECT_EQ(EnterAll("a"), 10);
}

TEST_F(PartitionsTest, KeepsFreeWhatAShareDoesNotLend) {
  Make(10, {.by = "route", .shares = {{"a", 0.4}, {"b", 0.6}}, .lend = 0.5});
  EXPECT_EQ(EnterAll("b"), 8);
  EXPECT_EQ(EnterAll("a"), 2);
  EXPECT_EQ(in_flight_, 10U);
}

TEST_F(PartitionsTest, KeepsFreeAgainWhatItsOwnerGivesBack) {
  Make(10, {.by = "route", .shares = {{"a", 0.4}}, .lend = 0});
  EXPECT_TRUE(Enter("a"));
  EXPECT_TRUE(Enter("a"));
  Leave("a");
  Leave("a");
  EXPECT_EQ(EnterAll("other"), 6);
}

TEST_F(PartitionsTest, KeepsNothingFreeForWhoHasAllThatIsItsOwn) {
  Make(10, {.by = "route", .shares = {{"a", 0.4}}, .lend = 0});
  EXPECT_EQ(EnterAll("a"), 10);
  for (int i = 0; i < 6; ++i) Leave("a");
  EXPECT_EQ(EnterAll("other"), 6);
}

TEST_F(PartitionsTest, GivesNoPlaceBeyondALoweredLimitToWhomItIsPromised) {
  Make(10, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_EQ(EnterAll("other"), 5);
  limit_ = 5;
  partitions_->Resize(limit_);
  EXPECT_FALSE(Enter("a"));
}

TEST_F(PartitionsTest, LendsAllOrNothingAsItIsTold) {
  Make(10, {.by = "route", .shares = {{"a", 0.4}, {"b", 0.6}}, .lend = 0});
  EXPECT_EQ(EnterAll("b"), 6);
  in_flight_ = 0;
  Make(10, {.by = "route", .shares = {{"a", 0.4}, {"b", 0.6}}, .lend = 1});
  EXPECT_EQ(EnterAll("b"), 10);
}

// Case 62: its share is guaranteed under pressure.
TEST_F(PartitionsTest, GivesBackWhatWasLentFirst) {
  Make(10, {.by = "route", .shares = {{"a", 0.3}, {"b", 0.7}}, .lend = 1});
  EXPECT_EQ(EnterAll("b"), 10);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Wait("b"));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Wait("a"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(HeirOf("b"), Of("a"));
  std::map<int, int> heirs;
  for (int i = 0; i < 10; ++i) ++heirs[HeirOf(i % 10 < 3 ? "a" : "b")];
  EXPECT_EQ(heirs[Of("a")], 3);
  EXPECT_EQ(heirs[Of("b")], 7);
}

TEST_F(PartitionsTest, GivesTheNextPlaceToWhoIsFurthestBelowItsShare) {
  Make(10, {.by = "route", .shares = {{"a", 0.2}, {"b", 0.4}}, .lend = 1});
  EXPECT_TRUE(Enter("a"));  // half of its share
  EXPECT_TRUE(Enter("b"));  // a quarter
  EXPECT_EQ(EnterAll("other"), 8);
  EXPECT_TRUE(Wait("a"));
  EXPECT_TRUE(Wait("b"));
  EXPECT_EQ(HeirOf("other"), Of("b"));
  EXPECT_EQ(HeirOf("other"), Of("a"));
}

TEST_F(PartitionsTest, MeasuresWhatIsOwedInSharesNotInPlaces) {
  Make(10, {.by = "route", .shares = {{"a", 0.2}, {"b", 0.6}}, .lend = 1});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Enter("b"));  // three of its six, a none of its two
  EXPECT_EQ(EnterAll("other"), 7);
  EXPECT_TRUE(Wait("b"));
  EXPECT_TRUE(Wait("a"));
  EXPECT_EQ(HeirOf("other"), Of("a"));
}

TEST_F(PartitionsTest, GivesASparePlaceByPriority) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 1});
  EXPECT_TRUE(Enter("a"));
  EXPECT_TRUE(Enter("other"));
  EXPECT_TRUE(Wait("other", Priority::kSheddable));
  EXPECT_TRUE(Wait("a", Priority::kCritical));
  EXPECT_EQ(HeirOf("other"), Of("a"));
}

TEST_F(PartitionsTest, TakesTurnsWhereAllAreEqual) {
  Make(4, {.by = "route", .shares = {{"a", 0.25}, {"b", 0.25}}, .lend = 1});
  EXPECT_TRUE(Enter("a"));
  EXPECT_TRUE(Enter("b"));
  EXPECT_EQ(EnterAll("other"), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Wait("a"));
    EXPECT_TRUE(Wait("b"));
  }
  const int first = HeirOf("other");
  EXPECT_NE(HeirOf("other"), first);
}

// A place that is kept for another is none, and who waits for it does not stop the other.
TEST_F(PartitionsTest, LetsNobodyWaitBehindAnotherPartition) {
  Make(10, {.by = "route", .shares = {{"a", 0.3}}, .lend = 0});
  EXPECT_EQ(EnterAll("other"), 7);
  EXPECT_TRUE(Wait("other"));
  EXPECT_EQ(partitions_->Pop(places(), now_, 0ms, dropped_), nullptr);
  EXPECT_EQ(EnterAll("a"), 3);
  EXPECT_FALSE(Enter("a"));
}

TEST_F(PartitionsTest, LetsNobodyOvertakeWhoWaitsInItsOwnPartition) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_TRUE(Enter("other"));
  EXPECT_TRUE(Wait("other"));
  partitions_->Left(Of("other"));
  in_flight_ = 0;
  EXPECT_FALSE(Enter("other"));
  EXPECT_TRUE(Enter("a"));
}

TEST_F(PartitionsTest, GivesThePlaceToAnotherPartitionWhenAllOfOneHaveWaitedTooLong) {
  Make(2, {.by = "route", .shares = {{"a", 0.5}}, .lend = 1});
  EXPECT_EQ(EnterAll("other"), 2);
  EXPECT_TRUE(Wait("a"));  // whose turn it is
  now_ += 150ms;
  EXPECT_TRUE(Wait("other"));
  now_ += 50ms;
  EXPECT_EQ(HeirOf("other"), Partitions::kOthers);
}

TEST_F(PartitionsTest, CountsNoLongerWhoHasWaitedTooLong) {
  Make(1, {});
  EXPECT_TRUE(Enter("a"));
  EXPECT_TRUE(Wait("a"));
  EXPECT_TRUE(Wait("a"));
  now_ += 200ms;
  EXPECT_EQ(HeirOf("a"), -1);
  EXPECT_EQ(partitions_->waiting(), 0U);
}

TEST_F(PartitionsTest, ForgetsWhoGivesUp) {
  Make(1, {});
  EXPECT_TRUE(Enter("a"));
  EXPECT_TRUE(Wait("a"));
  partitions_->Remove(entries_.back());
  EXPECT_EQ(partitions_->waiting(), 0U);
  EXPECT_EQ(HeirOf("a"), -1);
}

TEST_F(PartitionsTest, CountsAgainWhoIsQueuedAgain) {
  Make(1, {.by = "route", .shares = {{"a", 0.5}}});
  partitions_->PushBack(entries_.emplace_back(), Of("a"), {}, now_, now_ + 1s);
  EXPECT_EQ(partitions_->waiting(), 1U);
  EXPECT_EQ(entries_.back().partition(), Of("a"));
}

TEST_F(PartitionsTest, LetsInWhoeverWaitsWhenNobodyIsRefusedAnyMore) {
  Make(1, {.by = "route", .shares = {{"a", 0.5}}});
  EXPECT_TRUE(Enter("other"));
  EXPECT_TRUE(Wait("a"));
  EXPECT_EQ(partitions_->PopAny(now_, 0ms, dropped_), &entries_.back());
}

TEST_F(PartitionsTest, DividesTheQueueToo) {
  Make(1, {.by = "route", .shares = {{"a", 0.3}}, .lend = 1}, 10);
  EXPECT_TRUE(Enter("other"));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Wait("other"));
  EXPECT_FALSE(Wait("other"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Wait("a")) << i;
  EXPECT_FALSE(Wait("a"));
  EXPECT_EQ(partitions_->waiting(), 10U);
  ASSERT_NE(dropped_.first(), nullptr);
  EXPECT_EQ(dropped_.first()->Dropped().reason, Reason::kShed);
}

TEST_F(PartitionsTest, TakesAPlaceInTheQueueFromWhoIsFurthestAboveItsShare) {
  Make(1, {.by = "route", .shares = {{"a", 0.3}, {"b", 0.3}}}, 10);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(Wait("other"));  // two more than its share
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Wait("a"));      // one
  EXPECT_TRUE(Wait("b"));
  ASSERT_NE(dropped_.first(), nullptr);
  EXPECT_EQ(static_cast<Partitions::Entry*>(dropped_.first())->partition(), Partitions::kOthers);
}

TEST_F(PartitionsTest, StandsWhenOneOfItsQueuesDoes) {
  const PartitionsOptions halves{.by = "route", .shares = {{"a", 0.5}}};
  Make(1, halves);
  partitions_->Apply({.order = QueueOrder::kCodel, .interval = 100ms}, halves, limit_);
  EXPECT_TRUE(Wait("a"));
  EXPECT_FALSE(partitions_->Stands(now_ + 100ms, 0ms));
  EXPECT_TRUE(partitions_->Stands(now_ + 101ms, 0ms));
}

TEST_F(PartitionsTest, KnowsTheLowestPriorityThatWaitsInAnyOfThem) {
  Make(1, {.by = "route", .shares = {{"a", 0.5}}});
  EXPECT_TRUE(Wait("other", Priority::kCritical));
  EXPECT_TRUE(Wait("a", Priority::kSheddable));
  EXPECT_EQ(partitions_->lowest_waiting(), Priority::kSheddable);
}

TEST_F(PartitionsTest, GivesWhoHasNoShareOfItsOwnThatOfAllOthers) {
  Make(10, {.by = "route", .shares = {{"a", 0.5}, {"*", 0.2}}, .lend = 0});
  EXPECT_EQ(EnterAll("a"), 8);
  EXPECT_EQ(Of("x"), Of("*"));
  EXPECT_EQ(EnterAll("x"), 2);
  EXPECT_NE(Of("x"), Partitions::kOthers);
}

TEST_F(PartitionsTest, KeepsWhoIsPromisedNothingApartFromAllOthers) {
  Make(10, {.by = "route", .shares = {{"a", 0}, {"*", 0.2}}});
  EXPECT_NE(Of("a"), Of("*"));
  EXPECT_NE(Of("a"), Partitions::kOthers);
}

TEST_F(PartitionsTest, TakesAShareForWhatItIsInDecimals) {
  Make(100, {.by = "route", .shares = {{"a", 0.29}}, .lend = 0});
  EXPECT_EQ(EnterAll("other"), 71);
}

TEST_F(PartitionsTest, KeepsWhoIsInAndWhoWaitsWhenSharesChange) {
  Make(4, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_EQ(EnterAll("a"), 4);
  EXPECT_TRUE(Wait("a"));
  const Index before = Of("a");
  partitions_->Apply({.size = size_}, {.by = "route", .shares = {{"b", 0.5}}, .lend = 0}, limit_);
  EXPECT_EQ(Of("a"), Partitions::kOthers);
  EXPECT_NE(Of("b"), before);
  EXPECT_EQ(partitions_->waiting(), 1U);
  partitions_->Left(before);
  partitions_->Left(before);
  partitions_->Left(before);
  in_flight_ = 1;
  const auto* next = partitions_->Pop(places(), now_, 0ms, dropped_);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->partition(), before);
}

TEST_F(PartitionsTest, CountsAgainWhatIsKeptWhenTheLimitChanges) {
  Make(10, {.by = "route", .shares = {{"a", 0.5}}, .lend = 0});
  EXPECT_TRUE(Enter("a"));
  limit_ = 20;
  partitions_->Resize(limit_);
  EXPECT_EQ(EnterAll("other"), 10);
  EXPECT_EQ(EnterAll("a"), 9);
}

TEST_F(PartitionsTest, TakesNewBoundsOfTheQueueAtOnce) {
  Make(1, {});
  partitions_->Apply({.size = 1, .max_wait = 1s}, {}, limit_);
  EXPECT_TRUE(Wait("a"));
  EXPECT_EQ(entries_.back().until(), now_ + 1s);
  EXPECT_FALSE(Wait("a"));
}

TEST_F(PartitionsTest, HasRoomForAShareHoweverOftenTheyChange) {
  Make(10, {});
  for (int i = 0; i < 100; ++i) {
    const std::string one = std::to_string(i);
    const std::string next = std::to_string(i + 1);
    partitions_->Apply({}, {.by = "route", .shares = {{one, 0.1}, {next, 0.1}}}, limit_);
    ASSERT_NE(Of(next), Partitions::kOthers) << i;
  }
}

TEST_F(PartitionsTest, SaysWhoHasWhat) {
  Make(10, {.by = "route", .shares = {{"a", 0.3}}, .lend = 1});
  EXPECT_TRUE(Enter("a"));
  EXPECT_EQ(EnterAll("other"), 9);
  EXPECT_TRUE(Wait("a"));
  const auto all = partitions_->statuses(in_flight_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].in_flight, 9U);
  EXPECT_EQ(all[1].name, "a");
  EXPECT_EQ(all[1].guaranteed, 3U);
  EXPECT_EQ(all[1].in_flight, 1U);
  EXPECT_EQ(all[1].waiting, 1U);
}

TEST_F(PartitionsTest, ForgetsAPartitionThatIsGoneAndEmpty) {
  Make(10, {.by = "route", .shares = {{"a", 0.3}}});
  partitions_->Apply({}, {}, limit_);
  EXPECT_FALSE(partitions_->divided());
}

TEST(PartitionSharesTest, MayPromiseAllThatThereIs) {
  EXPECT_TRUE(CheckShares({.shares = {{"a", 1.0}}}).empty());
  PartitionsOptions most;
  for (int i = 0; i < 16; ++i) most.shares["p" + std::to_string(i)] = 1.0 / 16;
  EXPECT_TRUE(CheckShares(most).empty());
  // In binary these are a little more than one.
  EXPECT_TRUE(CheckShares({.shares = {{"a", 0.05}, {"b", 0.55}, {"c", 0.3}, {"d", 0.1}}}).empty());
}

TEST(PartitionSharesTest, PromiseNoMoreThanThereIs) {
  const auto all = [](const PartitionsOptions& options) { return CheckShares(options).at(0).text; };
  EXPECT_EQ(all({.shares = {{"a", 0.6}, {"b", 0.5}}}),
            "promise 110% in all, at most 100% is there");
  EXPECT_EQ(all({.shares = {{"a", 1.5}}}), "150% is out of range, above 0 to 100% is allowed");
  EXPECT_EQ(all({.shares = {{"a", 0.0}}}), "0% is out of range, above 0 to 100% is allowed");
  PartitionsOptions many;
  for (int i = 0; i < 17; ++i) many.shares["p" + std::to_string(i)] = 0.01;
  EXPECT_EQ(all(many), "17 shares, at most 16 are allowed");
}

TEST(PartitionKeyTest, ReadsByWhatCallsAreDivided) {
  EXPECT_EQ(ParsePartitionKey("")->kind, PartitionKey::Kind::kNone);
  EXPECT_EQ(ParsePartitionKey("priority")->kind, PartitionKey::Kind::kPriority);
  EXPECT_EQ(ParsePartitionKey("route")->kind, PartitionKey::Kind::kRoute);
  EXPECT_EQ(ParsePartitionKey("call")->kind, PartitionKey::Kind::kCall);
  EXPECT_EQ(ParsePartitionKey("header:x-tenant")->header, "x-tenant");
  for (const auto* bad : {"header:", "tenant", "client_ip", "Route"}) {
    EXPECT_FALSE(ParsePartitionKey(bad)) << bad;
  }
}

}  // namespace
}  // namespace hale::policy
