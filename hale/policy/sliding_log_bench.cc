#include <benchmark/benchmark.h>

#include <memory>

#include "hale/policy/sliding_log.h"

namespace hale::policy {
namespace {

/// `range(0)`: the limit of a window of 1 ms; of 1 nearly all are refused.
void TakeLogged(benchmark::State& state) {
  static const CoarseClock clock;
  static std::unique_ptr<SlidingLog> log;
  if (state.thread_index() == 0) {
    log = std::make_unique<SlidingLog>(
        SlidingLogOptions{.rate = {static_cast<std::uint64_t>(state.range(0)), 1ms}},
        RateLimiterContext{.clock = clock});
  }
  for (auto _ : state) benchmark::DoNotOptimize(log->Take(clock.Now()));
}
BENCHMARK(TakeLogged)->Arg(1)->Arg(100'000)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
