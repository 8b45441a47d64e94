#include <benchmark/benchmark.h>

#include "hale/policy/bulkhead.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

class NoWaiter final : public Bulkhead::Waiter {
 public:
  void Granted() noexcept override {}
};

void EnterAndLeave(benchmark::State& state) {
  static Bulkhead bulkhead;
  for (auto _ : state) benchmark::DoNotOptimize(bulkhead.TryEnter(kNow));
}
BENCHMARK(EnterAndLeave)->Threads(1)->Threads(2)->UseRealTime();

void RefuseWhenFull(benchmark::State& state) {
  static Bulkhead bulkhead({.limit = 1, .queue = 0});
  static const auto held = bulkhead.TryEnter(kNow);
  for (auto _ : state) benchmark::DoNotOptimize(bulkhead.TryEnter(kNow));
}
BENCHMARK(RefuseWhenFull)->Threads(1)->Threads(2)->UseRealTime();

// The slow path: into the queue and out again.
void QueueAndAbandon(benchmark::State& state) {
  static Bulkhead bulkhead({.limit = 1});
  static const auto held = bulkhead.TryEnter(kNow);
  for (auto _ : state) {
    NoWaiter waiter;
    benchmark::DoNotOptimize(bulkhead.Enter(waiter, kNow, 10s));
    benchmark::DoNotOptimize(bulkhead.Abandon(waiter));
  }
}
BENCHMARK(QueueAndAbandon)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
