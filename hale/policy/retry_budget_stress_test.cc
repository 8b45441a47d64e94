#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/policy/retry_budget.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

template <class F>
void OnThreads(int count, const F& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work);
}

TEST(RetryBudgetStressTest, GivesTheLastTokenToOneOfManyThreads) {
  for (int round = 0; round < 50; ++round) {
    RetryBudget budget({.ratio = 0, .reserve = 1});
    std::atomic<int> won{0};
    OnThreads(16, [&] {
      auto token = budget.Withdraw(ExtraCall::kRetry, kNow);
      if (!token) return;
      token->Sent();
      ++won;
    });
    ASSERT_EQ(won, 1);
  }
}

TEST(RetryBudgetStressTest, LosesNoTokenBetweenThreads) {
  RetryBudget budget({.ratio = 0.1, .reserve = 0});
  std::atomic<int> sent{0};
  OnThreads(4, [&] {
    for (int i = 0; i < 200'000; ++i) {
      budget.OnRequest(kNow);
      auto token = budget.Withdraw(i % 3 == 0 ? ExtraCall::kRace : ExtraCall::kRetry, kNow);
      if (!token || i % 2 == 0) continue;  // half of them go back
      token->Sent();
      ++sent;
    }
  });
  EXPECT_NEAR(sent + budget.balance(kNow), 80'000, 1e-6);
}

TEST(RetryBudgetStressTest, LosesNoDepositOfMoreThreadsThanThereAreLanes) {
  RetryBudget budget({.ratio = 0.01, .reserve = 0});
  std::atomic<int> sent{0};
  OnThreads(12, [&] {
    for (int i = 0; i < 5000; ++i) {
      budget.OnRequest(kNow + (i % 2) * 5s);
      if (i % 500 != 0) continue;
      auto token = budget.Withdraw(ExtraCall::kRetry, kNow + 5s);
      if (!token) continue;
      token->Sent();
      ++sent;
    }
  });
  EXPECT_NEAR(sent + budget.balance(kNow + 5s), 600, 1e-6);
}

TEST(RetryBudgetStressTest, KeepsRacesToHalfBetweenThreads) {
  RetryBudget budget({.ratio = 0, .reserve = 1000});
  std::atomic<int> raced{0};
  OnThreads(4, [&] {
    while (true) {
      auto token = budget.Withdraw(ExtraCall::kRace, kNow);
      if (!token) return;
      token->Sent();
      ++raced;
    }
  });
  EXPECT_LE(raced, 504);  // four at once may each exceed by less than one
  EXPECT_GE(raced, 496);
}

}  // namespace
}  // namespace hale::policy
