#include <benchmark/benchmark.h>

#include "bench/allocations.h"
#include "hale/policy/backoff.h"
#include "hale/policy/retry.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

FailedAttempt Reset() {
  FailedAttempt failure;
  failure.reason = Reason::kUpstreamReset;
  failure.idempotent = true;
  failure.remaining = 10s;
  return failure;
}

void BackoffDelay(benchmark::State& state) {
  SeededRandom random(1);
  const Backoff backoff;
  const bench::Allocations allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(backoff.Delay(4, random));
}
BENCHMARK(BackoffDelay);

void DecideToRetry(benchmark::State& state) {
  SeededRandom random(1);
  const RetryOptions options;
  const FailedAttempt failure = Reset();
  for (auto _ : state) benchmark::DoNotOptimize(Decide(options, failure, random));
}
BENCHMARK(DecideToRetry)->Threads(1)->Threads(2)->UseRealTime();

void PlanAndGiveBack(benchmark::State& state) {
  static RetryBudget budget;
  SeededRandom random(1);
  const RetryOptions options;
  const FailedAttempt failure = Reset();
  for (auto _ : state) {
    benchmark::DoNotOptimize(PlanRetry(options, failure, budget, kNow, random));
  }
}
BENCHMARK(PlanAndGiveBack)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
