#include <benchmark/benchmark.h>

#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

/// A call that succeeds at once: what all policies together cost.
void GuardedCall(benchmark::State& state) {
  static Guard guard;
  for (auto _ : state) {
    auto result = guard.Call([](const Attempt& attempt) { return attempt.number(); });
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(GuardedCall)->Threads(1)->Threads(2);

/// The same with a rate limit that never refuses.
void GuardedLimitedCall(benchmark::State& state) {
  static Guard guard({.limit = {.rate = {1'000'000'000, 1s}, .burst = 1'000'000'000}});
  for (auto _ : state) {
    auto result = guard.Call([](const Attempt& attempt) { return attempt.number(); });
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(GuardedLimitedCall)->Threads(1)->Threads(2);

/// A call that the breaker refuses.
void RefusedCall(benchmark::State& state) {
  static Guard guard;
  guard.breaker().Force({.why = "bench"});
  for (auto _ : state) {
    auto result = guard.Call([](const Attempt& attempt) { return attempt.number(); });
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(RefusedCall)->Threads(1)->Threads(2);

}  // namespace
}  // namespace hale::guard
