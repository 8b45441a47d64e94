#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "hale/policy/balancer.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};
constexpr std::size_t kMost = 64;

std::array<Load, kMost>& Loads() {
  static std::array<Load, kMost> loads;
  return loads;
}

std::vector<Candidate> Candidates(std::int64_t count, bool equal) {
  std::vector<Candidate> candidates;
  for (std::int64_t i = 0; i < count; ++i) {
    Load& load = Loads()[static_cast<std::size_t>(i)];
    load.Start().Settle(Outcome::kSuccess, 5ms, kNow);
    candidates.push_back({.load = &load, .weight = equal ? 1 : 1 + static_cast<double>(i % 3)});
  }
  return candidates;
}

template <BalanceKind kKind, bool kEqual = true>
void Pick(benchmark::State& state) {
  static Balancer balancer({.kind = kKind});
  const auto candidates = Candidates(state.range(0), kEqual);
  SeededRandom random(1);
  for (auto _ : state) benchmark::DoNotOptimize(balancer.Pick(candidates, random, kNow));
}
BENCHMARK(Pick<BalanceKind::kP2c>)->Arg(3)->Arg(64)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(Pick<BalanceKind::kP2c, false>)->Arg(3)->Arg(64);
BENCHMARK(Pick<BalanceKind::kRoundRobin>)->Arg(3)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(Pick<BalanceKind::kWeighted, false>)->Arg(3)->Threads(1)->Threads(2)->UseRealTime();

void StartAndSettle(benchmark::State& state) {
  static Load load;
  TimePoint now = kNow;
  for (auto _ : state) {
    now += 1us;
    load.Start().Settle(Outcome::kSuccess, 5ms, now);
  }
}
BENCHMARK(StartAndSettle)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace hale::policy
