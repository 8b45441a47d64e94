#include <benchmark/benchmark.h>

#include <memory>

#include "bench/allocations.h"
#include "hale/policy/rate_limiter.h"

namespace hale::policy {
namespace {

/// `range(0)`: the rate a second; at 1 nearly all calls are refused, at 10^9 none.
template <class C>
void Take(benchmark::State& state) {
  static const C clock;
  static std::unique_ptr<RateLimiter> limiter;
  if (state.thread_index() == 0) {
    limiter = std::make_unique<RateLimiter>(
        RateLimiterOptions{.rate = {static_cast<std::uint64_t>(state.range(0)), 1s}},
        RateLimiterContext{.clock = clock});
  }
  const bench::Allocations allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(limiter->Take(clock.Now()));
}
BENCHMARK(Take<CoarseClock>)->Arg(1)->Arg(1'000'000'000)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(Take<SteadyClock>)->Arg(1'000'000'000)->Threads(1)->Threads(2)->UseRealTime();

void TakeWhileItWarms(benchmark::State& state) {
  static const CoarseClock clock;
  RateLimiter limiter({.rate = {1'000'000'000, 1s}, .warm_up = 1h}, {.clock = clock});
  for (auto _ : state) benchmark::DoNotOptimize(limiter.Take(clock.Now()));
}
BENCHMARK(TakeWhileItWarms);

void TakeAndSettle(benchmark::State& state) {
  static const CoarseClock clock;
  RateLimiter limiter({.rate = {1'000'000'000, 1s}}, {.clock = clock});
  for (auto _ : state) {
    const TimePoint now = clock.Now();
    const auto taken = limiter.Take(now, 10);
    if (taken) limiter.Settle(*taken, 7, now);
  }
}
BENCHMARK(TakeAndSettle);

}  // namespace
}  // namespace hale::policy
