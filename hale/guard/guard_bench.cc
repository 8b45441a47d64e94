#include <benchmark/benchmark.h>

#include "bench/allocations.h"
#include "hale/guard/guard.h"

namespace hale::guard {
namespace {

/// A call that succeeds at once: what all policies together cost.
void Call(benchmark::State& state, Guard& guard) {
  const auto call = [&] {
    return guard.Call([](const Attempt& attempt) { return attempt.number(); });
  };
  // A thread's first call brings the memory that its later ones use again.
  benchmark::DoNotOptimize(call());
  const bench::Allocations allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(call());
}

/// Breaker, bulkhead, retry with its budget, and deadline.
void GuardedCall(benchmark::State& state) {
  static const CoarseClock clock;
  static Guard guard({}, {.clock = clock});
  Call(state, guard);
}
BENCHMARK(GuardedCall)->Threads(1)->Threads(2)->UseRealTime();

/// And a limiter that never refuses: five.
template <class C>
void PipelineOfFive(benchmark::State& state) {
  static const C clock;
  static Guard guard({.limit = {.rate = {1'000'000'000, 1s}, .burst = 1'000'000'000},
                      .bulkhead = {.limit = 1024},
                      .retry = {.attempts = 3},
                      .deadline = 15s},
                     {.clock = clock});
  Call(state, guard);
}
BENCHMARK(PipelineOfFive<CoarseClock>)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(PipelineOfFive<SteadyClock>)->Threads(1)->Threads(2)->UseRealTime();

/// A call that the breaker refuses.
void RefusedCall(benchmark::State& state) {
  static Guard guard;
  guard.breaker().Force({.why = "bench"});
  Call(state, guard);
}
BENCHMARK(RefusedCall)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::guard
