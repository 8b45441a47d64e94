#include <benchmark/benchmark.h>

#include "hale/base/clock.h"
#include "hale/policy/concurrency_limit.h"

namespace hale::policy {
namespace {

void LimitObserve(benchmark::State& state) {
  static ConcurrencyLimit limit({.mode = Mode::kEnforce});
  const CoarseClock clock;
  for (auto _ : state) {
    benchmark::DoNotOptimize(limit.Observe({Reception::kTaken, 5ms, 10}, clock.Now()));
    benchmark::DoNotOptimize(limit.limit());
  }
}
BENCHMARK(LimitObserve)->Threads(1)->Threads(2)->UseRealTime();

/// When it is off, which is the default.
void LimitOff(benchmark::State& state) {
  static ConcurrencyLimit limit;
  const CoarseClock clock;
  for (auto _ : state) {
    benchmark::DoNotOptimize(limit.Observe({Reception::kTaken, 5ms, 10}, clock.Now()));
  }
}
BENCHMARK(LimitOff)->Threads(1)->Threads(2)->UseRealTime();

void LimitStep(benchmark::State& state) {
  ConcurrencyLimitCore core({.start = 100}, 1024);
  for (auto _ : state) {
    core.OnWindow({.answered = 1000, .latency = 40ms, .in_flight = 100});
    benchmark::DoNotOptimize(core.limit());
  }
}
BENCHMARK(LimitStep);

}  // namespace
}  // namespace hale::policy
