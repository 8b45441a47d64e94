#include <benchmark/benchmark.h>

#include "hale/policy/throttle.h"

namespace hale::policy {
namespace {

/// A call of a service that is well: asked, and counted.
void ThrottleAdmitAndCount(benchmark::State& state) {
  static Throttle throttle({.mode = Mode::kEnforce});
  const CoarseClock clock;
  Random& random = ThreadRandom();
  for (auto _ : state) {
    const TimePoint now = clock.Now();
    benchmark::DoNotOptimize(throttle.Admit(now, random));
    throttle.Count(Reception::kTaken, now);
  }
}
BENCHMARK(ThrottleAdmitAndCount)->Threads(1)->Threads(2)->UseRealTime();

/// The same when it is off, which is the default.
void ThrottleOff(benchmark::State& state) {
  static Throttle throttle;
  const CoarseClock clock;
  Random& random = ThreadRandom();
  for (auto _ : state) {
    const TimePoint now = clock.Now();
    benchmark::DoNotOptimize(throttle.Admit(now, random));
    throttle.Count(Reception::kTaken, now);
  }
}
BENCHMARK(ThrottleOff)->Threads(1)->Threads(2)->UseRealTime();

/// A call of a service that turns nine of ten away.
void ThrottleInTrouble(benchmark::State& state) {
  static Throttle throttle({.mode = Mode::kEnforce});
  const CoarseClock clock;
  Random& random = ThreadRandom();
  int nth = 0;
  for (auto _ : state) {
    const TimePoint now = clock.Now();
    if (throttle.Admit(now, random)) {
      throttle.Count(++nth % 10 == 0 ? Reception::kTaken : Reception::kTurnedAway, now);
    }
  }
}
BENCHMARK(ThrottleInTrouble)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
