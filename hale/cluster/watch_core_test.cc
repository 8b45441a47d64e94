#include "hale/cluster/watch_core.h"

#include <gtest/gtest.h>

namespace hale::cluster {
namespace {

using Verdict = WatchCore::Verdict;

std::vector<Instance> Fleet(int count) {
  std::vector<Instance> all;
  for (int i = 0; i < count; ++i)
    all.push_back({.address = "10.0.0.1:" + std::to_string(1000 + i)});
  return all;
}

/// The largest value that a generator can give, or the smallest.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t value) : value_(value) {}
  std::uint64_t Next() override { return value_; }

 private:
  std::uint64_t value_;
};

class WatchCoreTest : public testing::Test {
 protected:
  Verdict Offer(Position at, std::vector<Instance> all, bool authoritative = true) {
    core_.Ask(now_);
    return core_.Offer(Update(std::move(at), std::move(all), authoritative), now_);
  }
  void Fail(Duration retry_after = Duration::zero()) {
    core_.Ask(now_);
    Error error(Code::kUnavailable, "down");
    error.retry_after = retry_after;
    core_.Fail(std::move(error), now_);
  }
  std::size_t size() const { return core_.instances() ? core_.instances()->size() : 0; }
  Duration LongestRest() { return core_.Rest(now_, most_); }
  Duration ShortestRest() { return core_.Rest(now_, least_); }

  TimePoint now_{1h};
  WatchCore core_{WatchOptions{}};
  FixedRandom most_{Random::max()};
  FixedRandom least_{0};
};

TEST_F(WatchCoreTest, AppliesTheFirstSetEvenWhenItIsEmpty) {
  EXPECT_EQ(core_.freshness(now_), Freshness::kNone);
  EXPECT_EQ(Offer({1, 1}, {}), Verdict::kApplied);
  EXPECT_EQ(core_.freshness(now_), Freshness::kLive);
  EXPECT_EQ(size(), 0U);
}

TEST_F(WatchCoreTest, FollowsWhatGrowsAndChanges) {
  Offer({1, 1}, Fleet(2));
  EXPECT_EQ(Offer({1, 2}, Fleet(3)), Verdict::kApplied);
  auto heavier = Fleet(3);
  heavier[0].weight = 2;
  EXPECT_EQ(Offer({1, 3}, heavier), Verdict::kApplied);
  EXPECT_EQ(core_.position(), Position(1, 3));
}

TEST_F(WatchCoreTest, IsSilentWhenTheSameIsSaidAgainInAnotherOrder) {
  Offer({1, 1}, Fleet(3));
  auto shuffled = Fleet(3);
  std::swap(shuffled[0], shuffled[2]);
  EXPECT_EQ(Offer({1, 2}, shuffled), Verdict::kUnchanged);
  EXPECT_EQ(core_.Ask(now_), Position(1, 2));
}

TEST_F(WatchCoreTest, KeepsTheLastGoodSetForAsLongAsTheRegistryIsDown) {
  Offer({1, 1}, Fleet(5));
  Fail();
  now_ += 50min;
  EXPECT_EQ(core_.freshness(now_), Freshness::kStale);
  now_ += 11min;
  EXPECT_EQ(core_.freshness(now_), Freshness::kExpired);
  EXPECT_EQ(size(), 5U);
  EXPECT_EQ(core_.age(now_), 61min);
}

TEST_F(WatchCoreTest, IsLiveAgainWithTheNextAnswer) {
  Offer({1, 1}, Fleet(5));
  Fail();
  EXPECT_EQ(core_.error().message, "down");
  EXPECT_EQ(Offer({1, 1}, Fleet(5)), Verdict::kUnchanged);
  EXPECT_EQ(core_.freshness(now_), Freshness::kLive);
  EXPECT_TRUE(core_.error().message.empty());
}

TEST_F(WatchCoreTest, HoldsAnEmptySetUntilAFreshReadingAgrees) {
  Offer({1, 1}, Fleet(100));
  EXPECT_EQ(Offer({1, 2}, {}), Verdict::kHeld);
  EXPECT_EQ(size(), 100U);
  EXPECT_EQ(core_.Ask(now_), Position());
  EXPECT_EQ(Offer({1, 2}, {}), Verdict::kApplied);
  EXPECT_EQ(size(), 0U);
}

TEST_F(WatchCoreTest, NeverAppliesAnEmptySetThatTheFreshReadingDenies) {
  Offer({1, 1}, Fleet(100));
  Offer({1, 2}, {});
  EXPECT_EQ(Offer({1, 3}, Fleet(100)), Verdict::kUnchanged);
  EXPECT_FALSE(core_.holding());
  EXPECT_EQ(size(), 100U);
  EXPECT_EQ(core_.Ask(now_), Position(1, 3));
}

TEST_F(WatchCoreTest, HoldsALossBeyondHalfAndNoSmallerOne) {
  Offer({1, 1}, Fleet(100));
  EXPECT_EQ(Offer({1, 2}, Fleet(50)), Verdict::kApplied);
  EXPECT_EQ(Offer({1, 3}, Fleet(24)), Verdict::kHeld);
}

TEST_F(WatchCoreTest, HoldsAnEmptySetWhateverShareMayBeLost) {
  core_ = WatchCore({.shrink = 1});
  Offer({1, 1}, Fleet(100));
  EXPECT_EQ(Offer({1, 2}, Fleet(1)), Verdict::kApplied);
  EXPECT_EQ(Offer({1, 3}, {}), Verdict::kHeld);
}

TEST_F(WatchCoreTest, LetsASetOfTwoLoseOneAtOnce) {
  Offer({1, 1}, Fleet(2));
  EXPECT_EQ(Offer({1, 2}, Fleet(1)), Verdict::kApplied);
}

TEST_F(WatchCoreTest, HoldsOnWhileARestartedRegistryFillsUp) {
  Offer({1, 1}, Fleet(100));
  Offer({1, 2}, {});
  EXPECT_EQ(Offer({1, 3}, Fleet(10)), Verdict::kHeld);
  EXPECT_EQ(Offer({1, 4}, Fleet(30)), Verdict::kHeld);
  EXPECT_EQ(size(), 100U);
  EXPECT_EQ(Offer({1, 5}, Fleet(80)), Verdict::kApplied);
}

TEST_F(WatchCoreTest, BelievesARegistryThatNeverSaysTheSameTwiceAtTheTenthReading) {
  Offer({1, 1}, Fleet(100));
  std::uint64_t number = 2;
  int readings = 1;
  while (Offer({1, number}, Fleet(static_cast<int>(number))) == Verdict::kHeld) {
    ++number;
    ++readings;
    ASSERT_LT(readings, 50);
  }
  EXPECT_EQ(readings, 10);
  EXPECT_EQ(size(), 11U);
}

TEST_F(WatchCoreTest, ForgetsWhatItHeldWhenTheFreshReadingFails) {
  Offer({1, 1}, Fleet(100));
  Offer({1, 2}, {});
  Fail();
  EXPECT_EQ(core_.Ask(now_), Position(1, 1));
  EXPECT_EQ(Offer({1, 2}, {}), Verdict::kHeld);
  EXPECT_EQ(size(), 100U);
}

TEST_F(WatchCoreTest, DoesNotLetALaggingReplicaConfirm) {
  Offer({1, 1}, Fleet(100));
  Offer({1, 5}, {});
  EXPECT_EQ(Offer({1, 4}, {}), Verdict::kRegressed);
  EXPECT_EQ(size(), 100U);
}

TEST_F(WatchCoreTest, RefusesAPositionThatFallsWithinItsEpoch) {
  Offer({1, 7}, Fleet(3));
  EXPECT_EQ(Offer({1, 6}, Fleet(4)), Verdict::kRegressed);
  EXPECT_EQ(core_.freshness(now_), Freshness::kStale);
  EXPECT_EQ(size(), 3U);
  EXPECT_EQ(core_.position(), Position(1, 7));
}

TEST_F(WatchCoreTest, StartsAnewWithTheNextEpochAndNeverGoesBackToOne) {
  Offer({1, 500}, Fleet(3));
  EXPECT_EQ(Offer({2, 120}, Fleet(4)), Verdict::kApplied);
  EXPECT_EQ(Offer({1, 501}, Fleet(5)), Verdict::kRegressed);
  EXPECT_EQ(size(), 4U);
}

TEST_F(WatchCoreTest, TakesNothingAwayOnTheWordOfARegistryThatCannotVouchForIt) {
  Offer({1, 1}, Fleet(3));
  EXPECT_EQ(Offer({1, 2}, {{.address = "new:1"}}, false), Verdict::kApplied);
  EXPECT_EQ(size(), 4U);
  EXPECT_EQ(Offer({1, 3}, {}, false), Verdict::kUnchanged);
  EXPECT_EQ(size(), 4U);
}

TEST_F(WatchCoreTest, LeavesOutAMalformedInstanceAndKeepsTheOthers) {
  auto all = Fleet(99);
  all.push_back({.address = "bad:70000"});
  EXPECT_EQ(Offer({1, 1}, all), Verdict::kApplied);
  EXPECT_EQ(size(), 99U);
  EXPECT_EQ(core_.malformed(), 1U);
  EXPECT_NE(core_.last_malformed().find("bad:70000"), std::string::npos);
}

TEST_F(WatchCoreTest, RefusesASetInWhichNothingIsWellFormed) {
  Offer({1, 1}, Fleet(3));
  EXPECT_EQ(Offer({1, 2}, {{.address = "garbage"}}), Verdict::kRefused);
  EXPECT_EQ(size(), 3U);
  EXPECT_EQ(core_.freshness(now_), Freshness::kStale);
  EXPECT_EQ(core_.position(), Position(1, 1));
}

TEST_F(WatchCoreTest, CountsWhatTheProviderCouldNotRead) {
  Update update({1, 1}, Fleet(2));
  update.malformed = {"list.yaml:3:1 weight: no number"};
  EXPECT_EQ(core_.Offer(update, now_), Verdict::kApplied);
  EXPECT_EQ(core_.malformed(), 1U);
  update.instances.clear();
  EXPECT_EQ(core_.Offer(update, now_), Verdict::kRefused);
  EXPECT_EQ(core_.error().message, "no instance is well-formed: list.yaml:3:1 weight: no number");
}

TEST_F(WatchCoreTest, RefusesASetBeyondItsBound) {
  std::vector<Instance> all(WatchCore::kMaxInstances, Instance{.address = "a:1"});
  EXPECT_EQ(Offer({1, 1}, all), Verdict::kApplied);
  all.push_back({.address = "b:1"});
  EXPECT_EQ(Offer({1, 2}, all), Verdict::kRefused);
}

TEST_F(WatchCoreTest, DoublesTheBoundOfItsBackOffUpToTheLongest) {
  const Duration bounds[] = {100ms,  200ms,   400ms,   800ms, 1600ms, 3200ms,
                             6400ms, 12800ms, 25600ms, 30s,   30s};
  for (const Duration bound : bounds) {
    Fail();
    EXPECT_EQ(LongestRest(), bound);
    EXPECT_EQ(ShortestRest(), 1ns);
  }
}

TEST_F(WatchCoreTest, StaysFarFromOverflowAfterAMonthOfFailures) {
  for (int i = 0; i < 100'000; ++i) Fail();
  EXPECT_EQ(LongestRest(), 30s);
}

TEST_F(WatchCoreTest, DoesNotTakeAFlappingRegistryForAWellOne) {
  for (int i = 0; i < 6; ++i) {
    Offer({1, 1}, Fleet(1));
    Fail();
  }
  EXPECT_EQ(LongestRest(), 3200ms);
}

TEST_F(WatchCoreTest, StartsWithTheShortestBackOffAfterTheRegistryWasUpForLong) {
  for (int i = 0; i < 6; ++i) Fail();
  Offer({1, 1}, Fleet(1));
  now_ += 3201ms;
  Fail();
  EXPECT_EQ(LongestRest(), 100ms);
}

TEST_F(WatchCoreTest, LeavesARegistryAloneForAsLongAsItAskedWithinReason) {
  Fail(7s);
  EXPECT_EQ(ShortestRest(), 7s + 1ns);
  EXPECT_EQ(LongestRest(), 7100ms);
  Fail(24h);
  EXPECT_EQ(ShortestRest(), 5min + 1ns);
}

TEST_F(WatchCoreTest, WaitsBeforeTheSecondReading) {
  Offer({1, 1}, Fleet(9));
  Offer({1, 2}, {});
  EXPECT_EQ(ShortestRest(), 1s);
  EXPECT_EQ(LongestRest(), 1200ms);
}

TEST_F(WatchCoreTest, AsksARegistryThatRepeatsItselfAtMostTwiceASecond) {
  Offer({1, 1}, Fleet(1));
  Offer({1, 1}, Fleet(1));
  EXPECT_EQ(ShortestRest(), 500ms);
  core_.Ask(now_);
  now_ += 1s;  // a poll that was held
  core_.Offer(Update({1, 1}, Fleet(1)), now_);
  EXPECT_EQ(LongestRest(), 0s);
}

TEST_F(WatchCoreTest, SpacesSetsThatChangeAllTheTime) {
  Offer({1, 1}, Fleet(1));
  EXPECT_EQ(ShortestRest(), 50ms);
}

}  // namespace
}  // namespace hale::cluster
