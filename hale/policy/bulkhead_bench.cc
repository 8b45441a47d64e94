#include <benchmark/benchmark.h>

#include "bench/allocations.h"
#include "hale/policy/bulkhead.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

class NoWaiter final : public Bulkhead::Waiter {
 public:
  void Wake() noexcept override {}
};

void EnterAndLeave(benchmark::State& state) {
  static Bulkhead bulkhead;
  const bench::Allocations allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(bulkhead.TryEnter(kNow));
}
BENCHMARK(EnterAndLeave)->Threads(1)->Threads(2)->UseRealTime();

// Several counts decide: each call takes the lock, twice.
void EnterAndLeaveDivided(benchmark::State& state) {
  static Bulkhead bulkhead(
      {.partitions = {.by = "route", .shares = {{"a", 0.3}, {"b", 0.3}, {"c", 0.2}}}});
  for (auto _ : state) benchmark::DoNotOptimize(bulkhead.TryEnter(kNow, "b"));
}
BENCHMARK(EnterAndLeaveDivided)->Threads(1)->Threads(2)->UseRealTime();

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
    benchmark::DoNotOptimize(bulkhead.Enter(waiter, {.remaining = 10s}, kNow));
    benchmark::DoNotOptimize(bulkhead.Abandon(waiter));
  }
}
BENCHMARK(QueueAndAbandon)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
