#include <benchmark/benchmark.h>

#include <array>
#include <string>
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
BENCHMARK(Pick<BalanceKind::kRoundRobin>)->Arg(3)->Arg(64)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(Pick<BalanceKind::kWeighted, false>)
    ->Arg(3)
    ->Arg(64)
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();
BENCHMARK(Pick<BalanceKind::kLeastRequest>)->Arg(3)->Arg(64)->Threads(1)->Threads(2)->UseRealTime();

void PickByKey(benchmark::State& state) {
  static Balancer balancer({.kind = BalanceKind::kMaglev});
  const auto candidates = Candidates(state.range(0), true);
  std::vector<MaglevEntry> entries;
  std::vector<std::uint32_t> index;
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    entries.push_back({MaglevId(std::to_string(i)), 1});
    index.push_back(i);
  }
  const MaglevTable table(entries);
  SeededRandom random(1);
  std::uint64_t key = 0;
  for (auto _ : state) {
    const Affinity affinity{table, key += 0x9e3779b97f4a7c15, index};
    benchmark::DoNotOptimize(balancer.Pick(candidates, random, kNow, &affinity));
  }
}
BENCHMARK(PickByKey)->Arg(3)->Arg(64)->Threads(1)->Threads(2)->UseRealTime();

// Once a change of the set, not per call.
void FillATable(benchmark::State& state) {
  std::vector<MaglevEntry> entries;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    entries.push_back({MaglevId(std::to_string(i)), 1});
  }
  for (auto _ : state) benchmark::DoNotOptimize(MaglevTable(entries));
}
BENCHMARK(FillATable)->Arg(3)->Arg(64)->Arg(1000)->Unit(benchmark::kMillisecond);

template <BalanceKind kKind>
void PickByReports(benchmark::State& state) {
  static Balancer balancer({.kind = kKind});
  static std::array<ReportedLoad, kMost> reports;
  auto candidates = Candidates(state.range(0), true);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    reports[i].Report(0.5, kNow - 5ms);
    candidates[i].reported = &reports[i];
  }
  SeededRandom random(1);
  for (auto _ : state) benchmark::DoNotOptimize(balancer.Pick(candidates, random, kNow));
}
BENCHMARK(PickByReports<BalanceKind::kP2c>)->Arg(3)->Arg(64);
BENCHMARK(PickByReports<BalanceKind::kLeastRequest>)->Arg(3)->Arg(64);

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
