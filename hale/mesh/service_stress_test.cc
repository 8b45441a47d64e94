#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/mesh/service.h"

namespace hale::mesh {
namespace {

constexpr int kPicks = 4000;

cluster::Instances SetOf(int first, int count) {
  std::vector<cluster::Instance> all;
  for (int i = first; i < first + count; ++i) {
    all.push_back({.address = "h:" + std::to_string(1000 + i),
                   .zone = i % 2 == 0 ? "a" : "b",
                   .metadata = {{"tier", i % 3 == 0 ? "1" : "0"}}});
  }
  return cluster::Instances(std::move(all));
}

/// Picks and settles, and counts who got nobody.
void PickAlong(Service& service, std::atomic<int>& refused) {
  SeededRandom random(7);
  for (std::uint64_t i = 1; i <= kPicks; ++i) {
    const TimePoint now{Duration(1h) + i * 1ms};
    auto lease = service.Pick({{}, now, Duration::zero(), random, i % 50});
    if (!lease) {
      ++refused;
      continue;
    }
    lease->target()->load().reported().Report(random.Unit(), now);
    lease->Settle(Outcome::kSuccess, now + 5ms);
  }
}

TEST(ServiceStressTest, PicksSomebodyWhateverChangesMeanwhile) {
  Service service("orders", ServiceOptions(), {RealClock(), NullSink(), "a", 7});
  service.SetInstances(SetOf(0, 8), TimePoint(1h));
  std::atomic<int> refused{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) callers.emplace_back([&] { PickAlong(service, refused); });
  SeededRandom random(1);
  constexpr policy::BalanceKind kKinds[] = {policy::BalanceKind::kP2c, policy::BalanceKind::kMaglev,
                                            policy::BalanceKind::kLeastRequest};
  for (int round = 0; round < 30; ++round) {
    const TimePoint now{Duration(1h) + round * 100ms};
    ServiceOptions options;
    options.balance = {.kind = kKinds[round % 3],
                       .key = "client_ip",
                       .reports = round % 2 == 0 ? policy::Reports::kUse : policy::Reports::kIgnore,
                       .subset = {.size = static_cast<std::uint32_t>(round % 5)},
                       .zone = {.prefer = policy::ZonePreference::kOwn},
                       .priority = {.metadata = round % 4 == 0 ? "tier" : ""}};
    service.Apply(options, now);
    service.SetInstances(SetOf(round % 4, 8), now);
    service.Judge(now, random);
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace hale::mesh
