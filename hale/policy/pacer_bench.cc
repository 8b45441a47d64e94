#include <benchmark/benchmark.h>

#include <memory>

#include "hale/policy/pacer.h"

namespace hale::policy {
namespace {

/// `range(0)`: the rate a second; at 1 nearly all turns are too far away, at 10^9 none is.
void TakeTurn(benchmark::State& state) {
  static const CoarseClock clock;
  static std::unique_ptr<Pacer> pacer;
  if (state.thread_index() == 0) {
    pacer = std::make_unique<Pacer>(
        PacerOptions{.rate = {static_cast<std::uint64_t>(state.range(0)), 1s}, .slack = 1000},
        RateLimiterContext{.clock = clock});
  }
  for (auto _ : state) benchmark::DoNotOptimize(pacer->Take(clock.Now()));
}
BENCHMARK(TakeTurn)->Arg(1)->Arg(1'000'000'000)->Threads(1)->Threads(2)->UseRealTime();

void TakeTurnAndCancel(benchmark::State& state) {
  static const CoarseClock clock;
  Pacer pacer({.rate = {1000, 1s}, .max_wait = 1min}, {.clock = clock});
  for (auto _ : state) {
    const TimePoint now = clock.Now();
    const auto turn = pacer.Take(now);
    if (turn) pacer.Cancel(*turn, now);
  }
}
BENCHMARK(TakeTurnAndCancel);

}  // namespace
}  // namespace hale::policy
