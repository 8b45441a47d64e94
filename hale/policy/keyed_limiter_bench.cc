#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/allocations.h"
#include "hale/base/random.h"
#include "hale/policy/client_key.h"
#include "hale/policy/keyed_limiter.h"

namespace hale::policy {
namespace {

/// `range(0)`: so many keys in turn.
void TakeByKey(benchmark::State& state) {
  static const CoarseClock clock;
  static std::unique_ptr<KeyedLimiter> limiter;
  static std::vector<std::string> keys;
  if (state.thread_index() == 0) {
    limiter = std::make_unique<KeyedLimiter>(
        KeyedLimiterOptions{.rate = {1'000'000, 1s}, .max_keys = 65'536},
        KeyedLimiterContext{.clock = clock});
    keys.clear();
    for (std::int64_t i = 0; i < state.range(0); ++i) keys.push_back("10.0.0." + std::to_string(i));
  }
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 7919;
  for (auto _ : state) {
    benchmark::DoNotOptimize(limiter->Take(keys[++i % keys.size()], clock.Now()));
  }
}
BENCHMARK(TakeByKey)->Arg(1)->Arg(1000)->Arg(50'000)->Threads(1)->Threads(2)->UseRealTime();

/// A million keys, drawn evenly: each call misses the caches. Reports what a key weighs.
void TakeByOneOfAMillion(benchmark::State& state) {
  constexpr std::uint64_t kKeys = 1'000'000;
  static const CoarseClock clock;
  static std::unique_ptr<KeyedLimiter> limiter;
  if (state.thread_index() == 0) {
    limiter =
        std::make_unique<KeyedLimiter>(KeyedLimiterOptions{.rate = {1000, 1s}, .max_keys = kKeys},
                                       KeyedLimiterContext{.clock = clock});
    for (std::uint64_t key = 0; key < kKeys; ++key) {
      const std::string_view text(reinterpret_cast<const char*>(&key), sizeof(key));
      benchmark::DoNotOptimize(limiter->Take(text, clock.Now(), 1000));
    }
  }
  SeededRandom random(static_cast<std::uint64_t>(state.thread_index()) + 1);
  const bench::Allocations allocations(state);
  for (auto _ : state) {
    const std::uint64_t key = random.Below(kKeys);
    const std::string_view text(reinterpret_cast<const char*>(&key), sizeof(key));
    benchmark::DoNotOptimize(limiter->Take(text, clock.Now()));
  }
  if (state.thread_index() == 0) {
    state.counters["bytes_a_key"] = static_cast<double>(limiter->cells() * 16) / kKeys;
    state.counters["without_place"] = static_cast<double>(limiter->overflowed());
  }
}
BENCHMARK(TakeByOneOfAMillion)->Threads(1)->Threads(2)->UseRealTime();

/// Each call is a key's first: the path with the lock.
void TakeByAStranger(benchmark::State& state) {
  static const CoarseClock clock;
  static std::unique_ptr<KeyedLimiter> limiter;
  if (state.thread_index() == 0) {
    limiter = std::make_unique<KeyedLimiter>(KeyedLimiterOptions{.rate = {1'000'000'000, 1s}},
                                             KeyedLimiterContext{.clock = clock});
  }
  std::uint64_t i = static_cast<std::uint64_t>(state.thread_index()) << 40;
  for (auto _ : state) {
    ++i;
    const std::string_view key(reinterpret_cast<const char*>(&i), sizeof(i));
    benchmark::DoNotOptimize(limiter->Take(key, clock.Now()));
  }
}
BENCHMARK(TakeByAStranger)->Threads(1)->Threads(2)->UseRealTime();

void KeyOfAClient(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ClientKey("192.168.100.228:43210"));
}
BENCHMARK(KeyOfAClient);

}  // namespace
}  // namespace hale::policy
