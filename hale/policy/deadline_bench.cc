#include <benchmark/benchmark.h>

#include "hale/policy/deadline.h"

namespace hale::policy {
namespace {

// What every call pays, with its answer.
void CheckAndRecord(benchmark::State& state) {
  static DeadlineGate gate({.mode = Mode::kEnforce});
  TimePoint now{1h};
  for (auto _ : state) {
    benchmark::DoNotOptimize(gate.Check(1s, now += 1us));
    gate.Record(5ms);
  }
}
BENCHMARK(CheckAndRecord)->Threads(1)->Threads(2)->UseRealTime();

void CheckWhatIsOff(benchmark::State& state) {
  static DeadlineGate gate({.mode = Mode::kOff});
  for (auto _ : state) benchmark::DoNotOptimize(gate.Check(1s, TimePoint(1h)));
}
BENCHMARK(CheckWhatIsOff);

}  // namespace
}  // namespace hale::policy
