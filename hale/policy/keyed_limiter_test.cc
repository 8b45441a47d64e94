#include "hale/policy/keyed_limiter.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace hale::policy {
namespace {

class Journal final : public EventSink {
 public:
  void On(const Event& event) noexcept override { events.push_back(event); }
  std::vector<Event> events;
};

class KeyedLimiterTest : public testing::Test {
 protected:
  KeyedLimiter& limiter() {
    if (!limiter_) {
      limiter_ = std::make_unique<KeyedLimiter>(
          options_, KeyedLimiterContext{
                        .name = "orders", .events = journal_, .clock = clock_, .random = &random_});
    }
    return *limiter_;
  }
  int TakeAll(std::string_view key, int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += limiter().Take(key).has_value() ? 1 : 0;
    return admitted;
  }
  /// Takes once by each of so many keys.
  int TakeByEach(int keys) {
    int admitted = 0;
    for (int i = 0; i < keys; ++i) admitted += TakeAll(std::to_string(i), 1);
    return admitted;
  }

  KeyedLimiterOptions options_{.rate = {10, 1s}, .burst = 5, .max_keys = 1024};
  SimClock clock_;
  SeededRandom random_{1};
  Journal journal_;
  std::unique_ptr<KeyedLimiter> limiter_;
};

TEST_F(KeyedLimiterTest, EveryOptionHasARow) {
  static_assert(std::tuple_size_v<decltype(CheckedFields<KeyedLimiterOptions>())> == 6);
}

TEST_F(KeyedLimiterTest, EachKeyHasItsOwnBurst) {
  for (const std::string key : {"192.0.2.1", "192.0.2.2", "", "2001:db8::/64"}) {
    EXPECT_EQ(TakeAll(key, 20), 5) << key;
  }
}

TEST_F(KeyedLimiterTest, AKeyIsFoundAgainWhereverItStands) {
  options_.max_keys = 16;
  options_.burst = 1;
  EXPECT_EQ(TakeByEach(24), 24);  // all cells are taken
  EXPECT_EQ(TakeByEach(24), 0);
}

TEST_F(KeyedLimiterTest, AFloodingKeyLeavesTheOthersAlone) {
  TakeAll("flooder", 10'000);
  EXPECT_EQ(TakeAll("quiet", 5), 5);
}

TEST_F(KeyedLimiterTest, ARefusalSaysWhyAndForHowLong) {
  TakeAll("a", 5);
  const auto refused = limiter().Take("a");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, 100ms);
  EXPECT_DOUBLE_EQ(refused.error().threshold, 5);
}

TEST_F(KeyedLimiterTest, MoreThanTheBurstIsNeverAdmittedAndTakesNoCell) {
  const auto refused = limiter().Take("a", clock_.Now(), 6);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, kForever);
  EXPECT_EQ(limiter().live(clock_.Now()), 0U);
}

TEST_F(KeyedLimiterTest, WhatNeedsNoPlaceIsNotWithoutOne) {
  options_.max_keys = 16;
  TakeByEach(24);
  EXPECT_TRUE(limiter().Take("nothing", clock_.Now(), 0).has_value());
  EXPECT_FALSE(limiter().Take("too much", clock_.Now(), 6).has_value());
  EXPECT_EQ(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, TheTableIsOfWholeSets) {
  options_.max_keys = 20;
  EXPECT_EQ(limiter().cells(), 32U);  // for 30
}

TEST_F(KeyedLimiterTest, AMillionKeysStayWithinTheTable) {
  options_.max_keys = 10'000;
  for (int i = 0; i < 1'000'000; ++i) {
    TakeAll(std::to_string(i), 1);
    if (i % 100 == 0) clock_.Advance(1ms);  // 100,000 keys/s; each owes for 0.1 s
  }
  EXPECT_EQ(limiter().cells(), 15'000U);
  EXPECT_LE(limiter().live(clock_.Now()), 15'000U);
  EXPECT_GT(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, AsManyKeysAsWereAskedForFindAPlace) {
  options_.max_keys = 65'536;
  TakeByEach(65'536);
  EXPECT_EQ(limiter().live(clock_.Now()), 65'536U);
  EXPECT_EQ(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, IdleKeysMakeRoom) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 1000; ++i) TakeAll(std::to_string(round) + "/" + std::to_string(i), 1);
    clock_.Advance(101ms);
  }
  EXPECT_EQ(limiter().overflowed(), 0U);
}

TEST_F(KeyedLimiterTest, AnEvictedIdleKeyNeverAdmitsMoreThanOneThatStayed) {
  options_.max_keys = 64;
  KeyedLimiter roomy({.rate = options_.rate, .burst = options_.burst, .max_keys = 65'536},
                     {.clock = clock_, .random = &random_});
  std::map<std::string, int> more;  // permits by which the small table is ahead
  for (int i = 0; i < 100'000; ++i, clock_.Advance(random_.Between(0ns, 40ms))) {
    // Half of the calls are a few keys' that owe now and then, half are strangers' that push them
    // out.
    const std::uint64_t stranger = 1000 + static_cast<std::uint64_t>(i);
    const std::string key = std::to_string(i % 2 == 0 ? random_.Below(5) : stranger);
    more[key] += limiter().Take(key).has_value() ? 1 : 0;
    more[key] -= roomy.Take(key).has_value() ? 1 : 0;
    ASSERT_LE(more[key], 0);
  }
  EXPECT_EQ(limiter().overflowed(), 0U);
  EXPECT_GT(limiter().refused(), 0U);
}

TEST_F(KeyedLimiterTest, KeysWithoutAPlaceShareOneBucketAndSaySo) {
  options_.max_keys = 16;
  TakeByEach(24 + 100);
  const std::uint64_t shared = limiter().overflowed();
  EXPECT_GE(shared, 100U);
  EXPECT_EQ(limiter().refused(), shared - 5);  // the shared bucket has the burst of one key
  ASSERT_EQ(journal_.events.size(), 1U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kBound);
  EXPECT_EQ(journal_.events[0].service, "orders");
  EXPECT_EQ(journal_.events[0].observed, 1);
  EXPECT_EQ(journal_.events[0].threshold, 24);
}

TEST_F(KeyedLimiterTest, WhatTheSharedBucketGaveIsGivenBackToIt) {
  options_.max_keys = 16;
  TakeByEach(24);
  const auto taken = limiter().Take("stranger");
  EXPECT_EQ(TakeAll("stranger", 10), 4);
  limiter().GiveBack(*taken, clock_.Now());
  EXPECT_EQ(TakeAll("other", 10), 1);
}

TEST_F(KeyedLimiterTest, WhenFullStrangersAreRefusedAndToldWhenThereWillBeAPlace) {
  options_.max_keys = 16;
  options_.when_full = WhenFull::kRefuse;
  TakeByEach(24);
  clock_.Advance(40ms);
  ASSERT_FALSE(limiter().Take("stranger").has_value());
  EXPECT_EQ(limiter().Take("stranger").error().retry_after, 60ms);
  EXPECT_EQ(limiter().Take("stranger").error().threshold, 0);
  EXPECT_EQ(limiter().Take("stranger").error().detail, "no place for its key");
  EXPECT_EQ(journal_.events.at(0).detail, "new keys are refused");
  clock_.Advance(60ms);
  EXPECT_TRUE(limiter().Take("stranger").has_value());
}

TEST_F(KeyedLimiterTest, ARefusedStrangerIsToldOfTheFirstPlaceThatGetsFree) {
  options_.max_keys = 16;
  options_.when_full = WhenFull::kRefuse;
  for (int i = 0; i < 24; ++i) TakeAll(std::to_string(i), i % 3 == 0 ? 2 : 4);
  EXPECT_EQ(limiter().Take("stranger").error().retry_after, 200ms);
}

TEST_F(KeyedLimiterTest, WhenFullThoseWithAPlaceKeepIt) {
  for (const WhenFull when_full : {WhenFull::kRefuse, WhenFull::kShare}) {
    options_.max_keys = 16;
    options_.when_full = when_full;
    limiter_.reset();
    TakeAll("known", 1);
    TakeByEach(1000);
    EXPECT_EQ(TakeAll("known", 10), 4);
  }
}

TEST_F(KeyedLimiterTest, WhoEvictsInheritsTheDebt) {
  options_.max_keys = 16;
  options_.when_full = WhenFull::kEvict;
  TakeByEach(24);  // each owes one
  EXPECT_EQ(limiter().overflowed(), 0U);
  EXPECT_EQ(TakeAll("stranger", 10), 4);
  EXPECT_EQ(limiter().overflowed(), 1U);
}

TEST_F(KeyedLimiterTest, WhoOwesLeastIsEvicted) {
  options_.max_keys = 16;
  options_.when_full = WhenFull::kEvict;
  for (int i = 0; i < 24; ++i) TakeAll(std::to_string(i), i % 3 == 0 ? 2 : 4);
  EXPECT_EQ(TakeAll("stranger", 10), 3);
}

TEST_F(KeyedLimiterTest, WhereAllOweTheWholeBurstNobodyIsEvicted) {
  options_.max_keys = 16;
  options_.when_full = WhenFull::kEvict;
  for (int i = 0; i < 24; ++i) TakeAll(std::to_string(i), 5);
  const auto refused = limiter().Take("stranger");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, 100ms);
}

TEST_F(KeyedLimiterTest, InventedKeysTogetherGetNoMoreThanTheTableHolds) {
  options_.max_keys = 16;
  options_.when_full = WhenFull::kEvict;
  EXPECT_LE(TakeByEach(100'000), 24 * 5 + 5);  // and the shared bucket's burst
  EXPECT_EQ(journal_.events.at(0).kind, EventKind::kBound);
}

TEST_F(KeyedLimiterTest, WhatHappensWhenFullChangesWhileItRuns) {
  options_.max_keys = 16;
  TakeByEach(24);
  options_.when_full = WhenFull::kRefuse;
  limiter().Apply(options_);
  EXPECT_EQ(TakeAll("stranger", 3), 0);
}

TEST_F(KeyedLimiterTest, WhatIsGivenBackWasNeverTaken) {
  TakeAll("a", 4);
  const auto taken = limiter().Take("a");
  EXPECT_FALSE(limiter().Take("a").has_value());
  limiter().GiveBack(*taken, clock_.Now());
  EXPECT_EQ(TakeAll("a", 5), 1);
}

TEST_F(KeyedLimiterTest, AnEstimateIsSettledToWhatItCameTo) {
  const auto less = limiter().Take("a", clock_.Now(), 4);
  limiter().Settle(*less, 1, clock_.Now());
  EXPECT_EQ(limiter().remaining("a", clock_.Now()), 4U);
  const auto more = limiter().Take("a");
  limiter().Settle(*more, 3, clock_.Now());
  EXPECT_EQ(limiter().remaining("a", clock_.Now()), 1U);
}

TEST_F(KeyedLimiterTest, AReceiptOfTwoChangesAgoGivesNothingBackAndOwesWhatIsMissing) {
  const auto taken = limiter().Take("a", clock_.Now(), 2);
  limiter().Apply(options_);
  limiter().Apply(options_);
  limiter().GiveBack(*taken, clock_.Now());
  EXPECT_EQ(limiter().remaining("a", clock_.Now()), 3U);
  limiter().Settle(*taken, 4, clock_.Now());
  EXPECT_EQ(limiter().remaining("a", clock_.Now()), 1U);
}

TEST_F(KeyedLimiterTest, WhatCameToMoreIsOwedThoughTheKeyWasForgotten) {
  options_.max_keys = 16;
  const auto taken = limiter().Take("a");
  clock_.Advance(1min);
  TakeByEach(500);  // somebody has its cell
  clock_.Advance(1min);
  limiter().Settle(*taken, 1 + 7, clock_.Now());
  EXPECT_EQ(limiter().Take("a").error().retry_after, 300ms);  // 8 would be owed of 5
}

TEST_F(KeyedLimiterTest, WhatAForgottenKeyOwesIsNotOwedByOthersToo) {
  options_.max_keys = 16;
  const auto taken = limiter().Take("a");
  clock_.Advance(1min);
  TakeByEach(500);  // somebody has its cell
  clock_.Advance(1min);
  limiter().Settle(*taken, 1 + 7, clock_.Now());
  EXPECT_EQ(TakeByEach(500), 23 + 5);  // the other cells, and the shared bucket
}

TEST_F(KeyedLimiterTest, WhatCameToMoreIsOwedByTheSharedBucketWhenThereIsNoPlace) {
  options_.max_keys = 16;
  const auto taken = limiter().Take("a");
  clock_.Advance(1min);
  TakeByEach(24);
  limiter().Settle(*taken, 1 + 3, clock_.Now());
  EXPECT_EQ(TakeAll("stranger", 10), 2);
}

TEST_F(KeyedLimiterTest, NothingIsGivenBackToAForgottenKey) {
  options_.max_keys = 16;
  const auto taken = limiter().Take("a");
  clock_.Advance(1min);
  TakeByEach(500);  // somebody has its cell
  clock_.Advance(1min);
  limiter().GiveBack(*taken, clock_.Now());
  EXPECT_EQ(TakeAll("a", 10), 5);
}

TEST_F(KeyedLimiterTest, NothingIsGivenBackToWhoTookTheCell) {
  options_.max_keys = 16;
  const auto taken = limiter().Take("a");
  clock_.Advance(1min);
  for (int i = 0; i < 24; ++i) TakeAll(std::to_string(i), 5);
  limiter().GiveBack(*taken, clock_.Now());
  int more = 0;
  for (int i = 0; i < 24; ++i) more += TakeAll(std::to_string(i), 1);
  EXPECT_EQ(more, 0);
  EXPECT_EQ(TakeAll("stranger", 10), 5);  // nor is it owed by those without a place
}

TEST_F(KeyedLimiterTest, WithAWaitEachKeysCallsGoAtEvenDistances) {
  options_.burst = 1;
  options_.max_wait = 150ms;
  for (const std::string key : {"a", "b"}) {
    EXPECT_EQ(limiter().Take(key)->wait, 0ms);
    EXPECT_EQ(limiter().Take(key)->wait, 100ms);
    EXPECT_FALSE(limiter().Take(key).has_value());
  }
  EXPECT_FALSE(limiter().Take("c", clock_.Now(), 1, 0ms).value().wait > 0ms);
  EXPECT_FALSE(limiter().Take("c", clock_.Now(), 1, 99ms).has_value());
}

TEST_F(KeyedLimiterTest, WithAWaitARefusalSaysWhenAskingAgainMakesSense) {
  options_.burst = 1;
  options_.max_wait = 150ms;
  TakeAll("a", 2);
  const auto refused = limiter().Take("a");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, 50ms);
  EXPECT_DOUBLE_EQ(refused.error().observed, 3);
  EXPECT_NEAR(refused.error().threshold, 2.5, 1e-6);
  clock_.Advance(50ms);
  EXPECT_EQ(limiter().Take("a").value().wait, 150ms);
}

TEST_F(KeyedLimiterTest, MoreThanTheBurstIsNotWaitedFor) {
  options_.max_wait = 1s;
  const auto refused = limiter().Take("a", clock_.Now(), 6);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after, kForever);
  EXPECT_EQ(refused.error().observed, 6);
  EXPECT_EQ(refused.error().threshold, 5);
}

TEST_F(KeyedLimiterTest, InShadowNobodyWaitsAndOnlyWhatWouldBeRefusedIsTold) {
  options_.mode = Mode::kShadow;
  options_.burst = 1;
  options_.max_wait = 150ms;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(limiter().Take("a")->wait, 0ms);
  EXPECT_EQ(journal_.events.size(), 2U);
}

TEST_F(KeyedLimiterTest, ATurnThatOthersWaitBehindIsNotGivenOutAgain) {
  options_.burst = 1;
  options_.max_wait = 1s;
  TakeAll("a", 1);
  const auto turn = limiter().Take("a");
  TakeAll("a", 1);
  limiter().GiveBack(*turn, clock_.Now());
  EXPECT_EQ(limiter().Take("a")->wait, 300ms);
}

TEST_F(KeyedLimiterTest, TheBoundIsToldAtMostOnceASecond) {
  options_.max_keys = 16;
  options_.rate = {1, 1min};
  TakeByEach(200);
  clock_.Advance(999ms);
  TakeByEach(200);
  EXPECT_EQ(journal_.events.size(), 1U);
  clock_.Advance(1ms);
  TakeByEach(200);
  EXPECT_EQ(journal_.events.size(), 2U);
}

TEST_F(KeyedLimiterTest, ApplyKeepsEachKeysDebt) {
  TakeAll("a", 5);
  TakeAll("b", 2);
  options_.rate = {1, 1min};
  limiter().Apply(options_);
  EXPECT_EQ(TakeAll("a", 5), 0);
  EXPECT_EQ(TakeAll("b", 5), 3);
  EXPECT_EQ(limiter().Take("a").error().retry_after, 1min);
}

TEST_F(KeyedLimiterTest, ApplyKeepsTheDebtOfThoseWithoutAPlace) {
  options_.max_keys = 16;
  TakeByEach(24);
  TakeAll("stranger", 4);
  limiter().Apply(options_);
  EXPECT_EQ(TakeAll("stranger", 10), 1);
}

TEST_F(KeyedLimiterTest, AWaitThatIsAllowedWhileItRunsHoldsForTheNextCall) {
  TakeAll("a", 5);
  options_.max_wait = 100ms;
  limiter().Apply(options_);
  EXPECT_EQ(TakeAll("a", 5), 1);
}

TEST_F(KeyedLimiterTest, TurnedOffWhileItRunsItRefusesNothing) {
  TakeAll("a", 5);
  options_.mode = Mode::kOff;
  limiter().Apply(options_);
  EXPECT_EQ(TakeAll("a", 5), 5);
}

TEST_F(KeyedLimiterTest, IdleKeysAreNotLive) {
  TakeByEach(10);
  clock_.Advance(101ms);
  EXPECT_EQ(limiter().live(clock_.Now()), 0U);
}

TEST_F(KeyedLimiterTest, ManyChangesInARowLoseNoDebt) {
  TakeAll("a", 4);
  for (std::uint64_t i = 1; i <= 40; ++i) {
    options_.rate = {i % 7 * 100 + 1, 1s};
    limiter().Apply(options_);
    EXPECT_EQ(limiter().remaining("a", clock_.Now()), 1U);
    EXPECT_EQ(limiter().live(clock_.Now()), 1U);
  }
}

TEST_F(KeyedLimiterTest, RemainingIsTheWholeBurstForAKeyNeverSeen) {
  EXPECT_EQ(limiter().remaining("new", clock_.Now()), 5U);
  TakeAll("new", 2);
  EXPECT_EQ(limiter().remaining("new", clock_.Now()), 3U);
}

TEST_F(KeyedLimiterTest, ShadowTellsAndRefusesNothing) {
  options_.mode = Mode::kShadow;
  EXPECT_EQ(TakeAll("a", 8), 8);
  ASSERT_EQ(journal_.events.size(), 3U);
  EXPECT_EQ(journal_.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(journal_.events[0].service, "orders");
  EXPECT_EQ(limiter().would_refuse(), 3U);
  EXPECT_EQ(limiter().refused(), 0U);
}

TEST_F(KeyedLimiterTest, ShadowTellsTheTrailOfTheCallAndNobodyElse) {
  options_.mode = Mode::kShadow;
  TakeAll("a", 5);
  Journal trail;
  EXPECT_TRUE(limiter().Take("a", clock_.Now(), 1, kForever, &trail));
  ASSERT_EQ(trail.events.size(), 1U);
  EXPECT_EQ(trail.events[0].kind, EventKind::kWouldRefuse);
  EXPECT_TRUE(journal_.events.empty());
}

TEST_F(KeyedLimiterTest, OffIsNotAsked) {
  options_.mode = Mode::kOff;
  EXPECT_EQ(TakeAll("a", 100), 100);
  EXPECT_EQ(limiter().live(clock_.Now()), 0U);
}

}  // namespace
}  // namespace hale::policy
