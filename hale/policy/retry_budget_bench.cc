#include <benchmark/benchmark.h>

#include "hale/policy/retry_budget.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

// What every request pays.
void OnRequest(benchmark::State& state) {
  static RetryBudget budget;
  for (auto _ : state) budget.OnRequest(kNow);
}
BENCHMARK(OnRequest)->Threads(1)->Threads(2)->UseRealTime();

void WithdrawAndGiveBack(benchmark::State& state) {
  static RetryBudget budget({.reserve = 1000});
  for (auto _ : state) benchmark::DoNotOptimize(budget.Withdraw(ExtraCall::kRetry, kNow));
}
BENCHMARK(WithdrawAndGiveBack)->Threads(1)->Threads(2)->UseRealTime();

void WithdrawFromAnEmptyOne(benchmark::State& state) {
  static RetryBudget budget({.ratio = 0, .reserve = 0});
  for (auto _ : state) benchmark::DoNotOptimize(budget.Withdraw(ExtraCall::kRetry, kNow));
}
BENCHMARK(WithdrawFromAnEmptyOne)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
