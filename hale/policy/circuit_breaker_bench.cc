#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bench/allocations.h"
#include "hale/policy/circuit_breaker.h"
#include "hale/policy/circuit_breaker_core.h"

namespace hale::policy {
namespace {

// 1 % failures, in random order.
std::vector<Outcome> Outcomes() {
  SeededRandom random(1);
  std::vector<Outcome> outcomes(4096);
  for (Outcome& outcome : outcomes) {
    outcome = random.Unit() < 0.01 ? Outcome::kFailure : Outcome::kSuccess;
  }
  return outcomes;
}

// Admission and settlement of one call on one shared object. The clock is read twice a call, as a
// caller would.
template <class C>
void AdmitAndSettle(benchmark::State& state) {
  static const C clock;
  static std::unique_ptr<CircuitBreaker> breaker;
  if (state.thread_index() == 0) {
    breaker = std::make_unique<CircuitBreaker>(CircuitBreakerOptions{},
                                               CircuitBreakerContext{.clock = clock});
  }
  const std::vector<Outcome> outcomes = Outcomes();
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 1777;
  const bench::Allocations allocations(state);
  for (auto _ : state) {
    auto permit = breaker->Admit(clock.Now());
    benchmark::DoNotOptimize(permit);
    if (!permit) continue;
    permit->Settle(outcomes[++i % outcomes.size()], clock.Now());
  }
}
BENCHMARK(AdmitAndSettle<CoarseClock>)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(AdmitAndSettle<SteadyClock>)->Threads(1)->Threads(2)->UseRealTime();

void RefuseWhileOpen(benchmark::State& state) {
  static std::unique_ptr<CircuitBreaker> breaker;
  if (state.thread_index() == 0) {
    breaker = std::make_unique<CircuitBreaker>(CircuitBreakerOptions{});
    breaker->Force({.why = "bench"});
  }
  const TimePoint now = RealClock().Now();
  for (auto _ : state) benchmark::DoNotOptimize(breaker->Admit(now));
}
BENCHMARK(RefuseWhileOpen)->Threads(1)->Threads(2)->UseRealTime();

void WouldAdmit(benchmark::State& state) {
  const CircuitBreaker breaker{CircuitBreakerOptions{}};
  const TimePoint now = RealClock().Now();
  for (auto _ : state) benchmark::DoNotOptimize(breaker.WouldAdmit(now));
}
BENCHMARK(WouldAdmit);

void Core(benchmark::State& state) {
  SeededRandom random(1);
  CircuitBreakerCore core({}, random);
  const CoarseClock clock;
  const std::vector<Outcome> outcomes = Outcomes();
  std::size_t i = 0;
  for (auto _ : state) {
    const auto ticket = core.Admit(clock.Now());
    if (!ticket) continue;
    core.Record(*ticket, outcomes[++i % outcomes.size()], clock.Now());
  }
}
BENCHMARK(Core);

}  // namespace
}  // namespace hale::policy
