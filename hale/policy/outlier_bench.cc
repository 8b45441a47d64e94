#include <benchmark/benchmark.h>

#include <vector>

#include "hale/policy/outlier.h"

namespace hale::policy {
namespace {

// Once per interval and change, not per call.
void JudgeASet(benchmark::State& state) {
  std::vector<InstanceFacts> set(static_cast<std::size_t>(state.range(0)));
  const OutlierOptions options;
  const TimePoint now{1h};
  for (InstanceFacts& facts : set) facts.latency = 5ms;
  set.front().circuit = CircuitState::kOpen;
  for (auto _ : state) benchmark::DoNotOptimize(Judge(set, options, now));
}
BENCHMARK(JudgeASet)->Arg(3)->Arg(100);

}  // namespace
}  // namespace hale::policy
