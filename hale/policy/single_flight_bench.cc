#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "hale/policy/single_flight.h"

namespace hale::policy {
namespace {

class Nobody final : public SingleFlight::Follower {
 public:
  void OnLanded() noexcept override {}
};

/// What a request pays that has no identical one beside it: one look-up, one entry, one landing.
void LeadAndLand(benchmark::State& state) {
  static SingleFlight flights({.mode = Mode::kEnforce});
  const std::string prefix = std::to_string(state.thread_index());
  std::vector<std::string> keys;
  for (int i = 0; i < 64; ++i) {
    keys.push_back("GET shop.example /orders/" + prefix + "/" + std::to_string(i));
  }
  std::size_t i = 0;
  Nobody unused;
  for (auto _ : state) {
    auto joined = flights.Join(keys[++i % keys.size()], unused, TimePoint(1h));
    joined.lead.Land({SingleFlight::Landing::kAlone, nullptr});
  }
}
BENCHMARK(LeadAndLand)->Threads(1)->Threads(2)->UseRealTime();

void FollowAndLeave(benchmark::State& state) {
  static SingleFlight flights({.mode = Mode::kEnforce});
  Nobody unused;
  const std::string key = "GET shop.example /orders/" + std::to_string(state.thread_index());
  const auto first = flights.Join(key, unused, TimePoint(1h));
  for (auto _ : state) {
    Nobody follower;
    (void)flights.Join(key, follower, TimePoint(1h));
    benchmark::DoNotOptimize(flights.Leave(follower));
  }
}
BENCHMARK(FollowAndLeave)->Threads(1)->Threads(2)->UseRealTime();

void NothingWhenOff(benchmark::State& state) {
  static SingleFlight flights;
  Nobody unused;
  for (auto _ : state) benchmark::DoNotOptimize(flights.Join("key", unused, TimePoint(1h)));
}
BENCHMARK(NothingWhenOff);

}  // namespace
}  // namespace hale::policy
