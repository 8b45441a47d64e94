#include <benchmark/benchmark.h>

#include <memory>

#include "hale/policy/circuit_breaker.h"
#include "hale/policy/circuit_breaker_core.h"

namespace hale::policy {
namespace {

// Admission and settlement of one call on one shared object; every hundredth call fails. The clock
// is read twice a call, as a caller would.
template <class C>
void AdmitAndSettle(benchmark::State& state) {
  static const C clock;
  static std::unique_ptr<CircuitBreaker> breaker;
  if (state.thread_index() == 0) {
    breaker = std::make_unique<CircuitBreaker>(CircuitBreakerOptions{},
                                               CircuitBreakerContext{.clock = clock});
  }
  std::uint64_t i = 0;
  for (auto _ : state) {
    auto permit = breaker->Admit(clock.Now());
    if (!permit) continue;
    permit->Settle(++i % 100 == 0 ? Outcome::kFailure : Outcome::kSuccess, clock.Now());
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
  std::uint64_t i = 0;
  for (auto _ : state) {
    const auto ticket = core.Admit(clock.Now());
    if (!ticket) continue;
    core.Record(*ticket, ++i % 100 == 0 ? Outcome::kFailure : Outcome::kSuccess, clock.Now());
  }
}
BENCHMARK(Core);

}  // namespace
}  // namespace hale::policy
