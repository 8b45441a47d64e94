#include <benchmark/benchmark.h>

#include "hale/policy/stall.h"
#include "hale/policy/stall_threshold.h"

namespace hale::policy {
namespace {

void SendAndAnswer(benchmark::State& state) {
  static Pulse pulse;
  TimePoint now{1h};
  for (auto _ : state) {
    now += 1us;
    pulse.OnSent(now).Answered(now);
  }
}
BENCHMARK(SendAndAnswer)->Threads(1)->Threads(2)->UseRealTime();

void RecordReply(benchmark::State& state) {
  static LatencyHistogram replies;
  for (auto _ : state) replies.Record(5ms);
}
BENCHMARK(RecordReply)->Threads(1)->Threads(2)->UseRealTime();

void ReadThreshold(benchmark::State& state) {
  LatencyHistogram replies;
  for (int i = 0; i < 2000; ++i) replies.Record(5ms);
  for (auto _ : state) benchmark::DoNotOptimize(StallThreshold(replies));
}
BENCHMARK(ReadThreshold);

}  // namespace
}  // namespace hale::policy
