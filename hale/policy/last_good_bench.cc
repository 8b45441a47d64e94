#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "hale/policy/last_good.h"

namespace hale::policy {
namespace {

std::vector<std::string> Keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.push_back("GET shop.example /orders/" + std::to_string(i));
  return keys;
}

/// What each call pays before it begins.
void MarkASubject(benchmark::State& state) {
  const LastGood last({.max_age = 1min});
  const std::vector<std::string> keys = Keys(1000);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(last.Mark(keys[++i % keys.size()]));
}
BENCHMARK(MarkASubject);

/// What each good answer of a busy key pays: it is young enough.
void AskWhetherACopyIsWanted(benchmark::State& state) {
  static LastGood* last = nullptr;
  static const std::vector<std::string> keys = Keys(1000);
  const TimePoint now{1h};
  if (state.thread_index() == 0) {
    last = new LastGood({.max_age = 1min});
    for (const auto& key : keys) last->Keep(key, nullptr, 1000, now);
  }
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 331;
  for (auto _ : state) benchmark::DoNotOptimize(last->Wants(keys[++i % keys.size()], now));
  if (state.thread_index() == 0) delete last;
}
BENCHMARK(AskWhetherACopyIsWanted)->Threads(1)->Threads(2)->UseRealTime();

void KeepOneThatMakesRoom(benchmark::State& state) {
  LastGood last({.max_age = 1min, .entries = 500});
  const auto keys = Keys(1000);
  const auto value = std::make_shared<const int>(1);
  std::size_t i = 0;
  for (auto _ : state) last.Keep(keys[++i % keys.size()], value, 1000, TimePoint(1h));
}
BENCHMARK(KeepOneThatMakesRoom);

void FindTheLastGood(benchmark::State& state) {
  LastGood last({.max_age = 1min});
  const auto keys = Keys(1000);
  for (const auto& key : keys) {
    last.Keep(key, std::make_shared<const int>(1), 1000, TimePoint(1h));
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(last.Find(keys[++i % keys.size()], TimePoint(1h)));
  }
}
BENCHMARK(FindTheLastGood);

}  // namespace
}  // namespace hale::policy
