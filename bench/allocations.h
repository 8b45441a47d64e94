#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace hale::bench {

/// What this thread has asked `operator new` for since it began.
std::uint64_t AllocationsOfThisThread();

/// Counts the allocations of a bench's loop, on each of its threads: make one right before it.
/// Shown as `allocs`, a call.
class Allocations {
 public:
  explicit Allocations(benchmark::State& state) : state_(state) {}
  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;
  ~Allocations() {
    state_.counters["allocs"] =
        benchmark::Counter(static_cast<double>(AllocationsOfThisThread() - before_),
                           benchmark::Counter::kAvgIterations);
  }

 private:
  benchmark::State& state_;
  std::uint64_t before_ = AllocationsOfThisThread();
};

}  // namespace hale::bench
