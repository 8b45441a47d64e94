#include <benchmark/benchmark.h>

#include "hale/policy/hedge.h"

namespace hale::policy {
namespace {

// What every attempt pays.
void RecordAttempt(benchmark::State& state) {
  static Hedge hedge({.mode = Mode::kEnforce});
  for (auto _ : state) hedge.Record(5ms);
}
BENCHMARK(RecordAttempt)->Threads(1)->Threads(2)->UseRealTime();

void ReadDelay(benchmark::State& state) {
  static Hedge hedge({.mode = Mode::kEnforce});
  for (int i = 0; i < 1000; ++i) hedge.Record(5ms);
  TimePoint now{1h};
  for (auto _ : state) benchmark::DoNotOptimize(hedge.Delay(now += 1us));
}
BENCHMARK(ReadDelay)->Threads(1)->Threads(2)->UseRealTime();

void ReadDelayOfWhatIsOff(benchmark::State& state) {
  static Hedge hedge;
  for (auto _ : state) benchmark::DoNotOptimize(hedge.Delay(TimePoint(1h)));
}
BENCHMARK(ReadDelayOfWhatIsOff);

}  // namespace
}  // namespace hale::policy
