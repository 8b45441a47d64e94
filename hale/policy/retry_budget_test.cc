#include "hale/policy/retry_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

/// Withdraws and sends; whether it could.
bool Spend(RetryBudget& budget, TimePoint now, ExtraCall kind = ExtraCall::kRetry) {
  auto token = budget.Withdraw(kind, now);
  if (token) token->Sent();
  return token.has_value();
}

int SpendAll(RetryBudget& budget, TimePoint now, ExtraCall kind = ExtraCall::kRetry) {
  int spent = 0;
  while (Spend(budget, now, kind)) ++spent;
  return spent;
}

TEST(RetryBudgetTest, AllowsItsShareOfTenThousandRequestsExactly) {
  for (const double ratio : {0.1, 0.25, 0.6, 0.75, 0.9999}) {
    RetryBudget budget({.ratio = ratio, .reserve = 0});
    int retries = 0;
    for (int i = 0; i < 10'000; ++i) {
      budget.OnRequest(kNow);
      retries += Spend(budget, kNow) ? 1 : 0;
    }
    EXPECT_NEAR(retries, ratio * 10'000, 1) << ratio;
  }
}

TEST(RetryBudgetTest, HasItsReserveWithoutARequest) {
  RetryBudget budget({.reserve = 10});
  EXPECT_EQ(SpendAll(budget, kNow), 10);
  EXPECT_EQ(budget.denied(), 1U);
}

TEST(RetryBudgetTest, RenewsHalfItsReserveEachHalfWindow) {
  RetryBudget budget({.reserve = 10});
  SpendAll(budget, kNow);
  EXPECT_EQ(SpendAll(budget, kNow + 4999ms), 0);
  EXPECT_EQ(SpendAll(budget, kNow + 5s), 5);
  EXPECT_EQ(SpendAll(budget, kNow + 10s), 5);
}

TEST(RetryBudgetTest, SharesTheReserveOutOverTheFleet) {
  RetryBudget budget({.reserve = 10, .fleet_size = 5});
  EXPECT_EQ(SpendAll(budget, kNow), 2);
}

TEST(RetryBudgetTest, HasOnlyTheReserveAfterThreeIdleWindows) {
  RetryBudget budget({.ratio = 0.5, .reserve = 4});
  for (int i = 0; i < 1000; ++i) budget.OnRequest(kNow);
  EXPECT_EQ(budget.balance(kNow), 504);
  EXPECT_TRUE(Spend(budget, kNow));  // who spends has seen all of it
  EXPECT_EQ(SpendAll(budget, kNow + 30s), 4);
}

TEST(RetryBudgetTest, ForgetsADepositAfterTenSecondsAtTheLatest) {
  RetryBudget budget({.ratio = 1, .reserve = 0});
  budget.OnRequest(kNow);
  EXPECT_EQ(budget.balance(kNow + 5s), 1);
  EXPECT_EQ(budget.balance(kNow + 10s), 0);
}

TEST(RetryBudgetTest, GivesBackATokenThatWasNotSent) {
  RetryBudget budget({.ratio = 0, .reserve = 1});
  {
    const auto token = budget.Withdraw(ExtraCall::kRetry, kNow);
    EXPECT_FALSE(Spend(budget, kNow));
  }
  EXPECT_TRUE(Spend(budget, kNow));
}

TEST(RetryBudgetTest, GivesBackAMovedTokenOnce) {
  RetryBudget budget({.ratio = 0, .reserve = 2});
  {
    auto token = budget.Withdraw(ExtraCall::kRace, kNow);
    RetryBudget::Token taken = std::move(*token);
    RetryBudget::Token again;
    again = std::move(taken);
    EXPECT_EQ(budget.balance(kNow), 1);
  }
  EXPECT_EQ(budget.balance(kNow), 2);
}

TEST(RetryBudgetTest, LetsRacesHaveHalf) {
  RetryBudget budget({.ratio = 0, .reserve = 10});
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kRace), 5);
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kRetry), 5);
}

TEST(RetryBudgetTest, LetsRacesHaveHalfOfWhatRetriesLeft) {
  RetryBudget budget({.ratio = 0, .reserve = 10});
  for (int i = 0; i < 6; ++i) Spend(budget, kNow);
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kRace), 2);
}

TEST(RetryBudgetTest, GivesARacesPlaceBackWithItsToken) {
  RetryBudget budget({.ratio = 0, .reserve = 10});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.Withdraw(ExtraCall::kRace, kNow));
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kRace), 5);
}

TEST(RetryBudgetTest, ForgetsWhatRacesTookWithTheWindow) {
  RetryBudget budget({.ratio = 0, .reserve = 10});
  SpendAll(budget, kNow, ExtraCall::kRace);
  EXPECT_EQ(SpendAll(budget, kNow + 10s, ExtraCall::kRace), 5);
}

TEST(RetryBudgetTest, LetsHedgesHaveHalfAndTogetherWithRacesNoMore) {
  RetryBudget budget({.ratio = 1, .reserve = 0});
  for (int i = 0; i < 10; ++i) budget.OnRequest(kNow);
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kHedge), 5);
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kRace), 0);
  EXPECT_EQ(SpendAll(budget, kNow), 5);
}

TEST(RetryBudgetTest, LetsHedgesHaveNothingOfTheReserve) {
  RetryBudget budget({.ratio = 1, .reserve = 10});
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kHedge), 0);
  for (int i = 0; i < 4; ++i) budget.OnRequest(kNow);
  EXPECT_EQ(SpendAll(budget, kNow, ExtraCall::kHedge), 2);
  EXPECT_EQ(SpendAll(budget, kNow), 12);
}

TEST(RetryBudgetTest, KeepsHedgesToTheirShareWhenAllCallsAreSlow) {
  RetryBudget budget({.ratio = 0.01, .reserve = 10});
  int hedged = 0;
  for (int i = 0; i < 10'000; ++i) {
    budget.OnRequest(kNow + i * 1ms);
    hedged += Spend(budget, kNow + i * 1ms, ExtraCall::kHedge) ? 1 : 0;
  }
  EXPECT_LE(hedged, 100);  // 1 % of the calls, however many would be hedged
  EXPECT_GE(hedged, 40);
}

TEST(RetryBudgetTest, SaysWhatAHedgeMustLeave) {
  RetryBudget budget({.ratio = 1, .reserve = 10});
  const auto token = budget.Withdraw(ExtraCall::kHedge, kNow);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().observed, 10);
  EXPECT_EQ(token.error().threshold, 11);
}

TEST(RetryBudgetTest, SharesTheReserveWithTheFleetThatIsKnown) {
  RetryBudget budget({.reserve = 10});
  EXPECT_EQ(budget.reserve(), 10);
  budget.OnRequest(kNow);
  budget.Apply({.reserve = 10}, 5);
  EXPECT_EQ(budget.reserve(), 2);
  EXPECT_EQ(SpendAll(budget, kNow), 2);  // the rest was taken back at once
}

TEST(RetryBudgetTest, BelievesTheDocumentRatherThanWhatIsKnown) {
  RetryBudget budget;
  budget.Apply({.reserve = 10, .fleet_size = 2}, 5);
  EXPECT_EQ(budget.reserve(), 5);
}

TEST(RetryBudgetTest, HasAGreaterShareFromTheNextHalfWindowOn) {
  RetryBudget budget({.reserve = 10, .fleet_size = 5});
  budget.OnRequest(kNow);
  SpendAll(budget, kNow);
  budget.Apply({.reserve = 10, .fleet_size = 1});
  EXPECT_EQ(SpendAll(budget, kNow), 0);
  EXPECT_EQ(SpendAll(budget, kNow + 5s), 5);
}

TEST(RetryBudgetTest, AFleetTogetherNeverExceedsItsReserveWhateverItsSize) {
  SeededRandom random(13);
  for (std::uint32_t size : {1U, 3U, 7U, 10U, 50U}) {
    std::vector<std::unique_ptr<RetryBudget>> fleet;
    for (std::uint32_t i = 0; i < size; ++i) {
      fleet.push_back(std::make_unique<RetryBudget>(RetryBudgetOptions{.reserve = 10}));
      fleet.back()->Apply({.reserve = 10}, size);
    }
    int extra = 0;
    for (TimePoint now = kNow; now < kNow + 100s; now += 100ms) {
      extra += SpendAll(*fleet[random.Below(size)], now);
      ASSERT_LE(extra, 10 + Seconds(now - kNow)) << size;
    }
  }
}

TEST(RetryBudgetTest, SaysWhatThereWasWhenItRefuses) {
  RetryBudget budget({.ratio = 0.5, .reserve = 0});
  budget.OnRequest(kNow);
  const auto token = budget.Withdraw(ExtraCall::kRetry, kNow);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().reason, Reason::kBudgetExhausted);
  EXPECT_EQ(token.error().observed, 0.5);
  EXPECT_EQ(token.error().threshold, 1);
}

TEST(RetryBudgetTest, RefusesNothingInShadowButCountsIt) {
  RetryBudget budget({.mode = Mode::kShadow, .ratio = 0, .reserve = 1});
  EXPECT_TRUE(Spend(budget, kNow));
  EXPECT_TRUE(budget.Withdraw(ExtraCall::kRetry, kNow));
  EXPECT_EQ(budget.denied(), 1U);
  EXPECT_EQ(budget.balance(kNow), 0);
}

TEST(RetryBudgetTest, CountsNothingWhenOff) {
  RetryBudget budget({.mode = Mode::kOff, .ratio = 0, .reserve = 0});
  EXPECT_TRUE(budget.Withdraw(ExtraCall::kRetry, kNow));
  EXPECT_EQ(budget.denied(), 0U);
}

TEST(RetryBudgetTest, KeepsWhatIsSavedWhenItsOptionsChange) {
  RetryBudget budget({.ratio = 0.5, .reserve = 0});
  for (int i = 0; i < 20; ++i) budget.OnRequest(kNow);
  budget.Apply({.ratio = 0.1, .reserve = 0});
  EXPECT_EQ(budget.balance(kNow), 10);
  for (int i = 0; i < 10; ++i) budget.OnRequest(kNow);
  EXPECT_EQ(budget.balance(kNow), 11);
}

TEST(RetryBudgetTest, MayBeChangedWhileSomebodyIsInBackoff) {
  RetryBudget budget({.ratio = 0, .reserve = 2});
  {
    const auto waiting = budget.Withdraw(ExtraCall::kRetry, kNow);
    budget.Apply({.ratio = 0.5, .reserve = 2});  // nothing is held while one waits
    EXPECT_EQ(budget.balance(kNow), 1);
  }
  EXPECT_EQ(budget.balance(kNow), 2);
}

TEST(RetryBudgetTest, GetsNoNewReserveByApplyingTheSameOptions) {
  RetryBudget budget({.reserve = 10});
  SpendAll(budget, kNow);
  budget.Apply({.reserve = 10});
  EXPECT_EQ(SpendAll(budget, kNow), 0);
}

TEST(RetryBudgetTest, LosesNothingWhenAClockIsALittleBehind) {
  RetryBudget budget({.ratio = 1, .reserve = 0});
  for (int i = 0; i < 5; ++i) budget.OnRequest(kNow);
  for (int i = 0; i < 5; ++i) budget.OnRequest(kNow - 6s);
  EXPECT_EQ(budget.balance(kNow), 10);
}

TEST(RetryBudgetTest, SpendsWhatCameInTheHalfWindowBefore) {
  RetryBudget budget({.ratio = 1, .reserve = 0});
  for (int i = 0; i < 5; ++i) budget.OnRequest(kNow);
  EXPECT_EQ(SpendAll(budget, kNow + 5s), 5);
  EXPECT_EQ(SpendAll(budget, kNow + 5s), 0);
}

TEST(RetryBudgetTest, SpendsWhatCameLongAfterTheHalfWindowBeforeIt) {
  RetryBudget budget({.ratio = 1, .reserve = 10});
  budget.OnRequest(kNow);
  budget.Apply({.ratio = 1, .reserve = 2});
  budget.OnRequest(kNow + 5s);  // has its half window begin with the share of then
  budget.Apply({.ratio = 1, .reserve = 10});
  EXPECT_EQ(budget.balance(kNow + 5s), 4);
}

TEST(RetryBudgetTest, TakesASmallerShareAlsoFromWhatNobodyHasLookedAt) {
  RetryBudget budget({.ratio = 1, .reserve = 10});
  budget.OnRequest(kNow);
  SpendAll(budget, kNow);
  for (int i = 0; i < 8; ++i) budget.OnRequest(kNow);
  budget.Apply({.ratio = 1, .reserve = 4});  // half windows of 2 instead of 5, of which one is gone
  EXPECT_EQ(budget.balance(kNow), 5);
}

TEST(RetryBudgetTest, SavesNoMoreThanItCanHold) {
  RetryBudget budget({.ratio = 1, .reserve = 0});
  for (int i = 0; i < 20'000; ++i) budget.OnRequest(kNow);
  EXPECT_NEAR(budget.balance(kNow), 16'777, 1);
}

TEST(RetryBudgetTest, NeverExceedsItsShareAndItsReserveOverAnyTraffic) {
  SeededRandom random(11);
  RetryBudget budget({.ratio = 0.2, .reserve = 10});
  TimePoint now = kNow;
  double requests = 0;
  double extra = 0;
  for (int i = 0; i < 200'000; ++i) {
    now += Duration(static_cast<std::int64_t>(random.Below(2'000'000)));
    budget.OnRequest(now);
    ++requests;
    if (random.Below(2) == 0 && Spend(budget, now)) ++extra;
    const double windows = 1 + Seconds(now - kNow) / 10;
    ASSERT_LE(extra, 0.2 * requests + 10 * windows + 1);
  }
  EXPECT_GT(extra, 0.19 * requests);
}

}  // namespace
}  // namespace hale::policy
