#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>

#include "hale/policy/admission_queue.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

/// In and out of a queue in which so many wait already.
void PushAndPop(benchmark::State& state) {
  AdmissionQueue queue(
      {.size = 2000, .order = QueueOrder::kCodel, .target = 1min, .interval = 1min});
  static std::array<AdmissionQueue::Entry, 1024> waiting;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto n = static_cast<std::size_t>(i);
    queue.Push(waiting[n], {.priority = static_cast<Priority>(n % 4), .key = n}, kNow, 1ms);
  }
  AdmissionQueue::Entry one;
  AdmissionQueue::Entry* next = &one;
  EntryChain dropped;
  std::uint64_t key = 0;
  for (auto _ : state) {
    queue.Push(*next, {.key = ++key}, kNow, 1ms);
    next = queue.Pop(kNow, 1ms, dropped);
  }
}
BENCHMARK(PushAndPop)->Arg(0)->Arg(1000);

/// A full queue: who counts most takes the place of who counts least.
void TakeAPlace(benchmark::State& state) {
  AdmissionQueue queue({.size = 1000});
  static std::array<AdmissionQueue::Entry, 1000> waiting;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    queue.Push(waiting[i], {.priority = Priority::kSheddable, .key = i}, kNow, 1ms);
  }
  for (auto _ : state) {
    AdmissionQueue::Entry* out = queue.MakePlaceFor({.priority = Priority::kCritical}, kNow);
    queue.Push(*out, {.priority = Priority::kSheddable, .key = 7}, kNow, 1ms);
  }
}
BENCHMARK(TakeAPlace);

}  // namespace
}  // namespace hale::policy
