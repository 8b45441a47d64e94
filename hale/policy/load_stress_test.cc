#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "hale/policy/balancer.h"
#include "hale/policy/load.h"

namespace hale::policy {
namespace {

TEST(LoadStressTest, CountsEachCallInAndOut) {
  std::vector<Load> loads(3);
  Balancer balancer;
  const std::vector<Candidate> candidates = {
      {.load = &loads[0]}, {.load = &loads[1]}, {.load = &loads[2]}};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        TimePoint now{1h};
        for (int i = 0; i < 20'000; ++i) {
          now += 10us;
          Load::Token token = loads[*balancer.Pick(candidates, ThreadRandom(), now)].Start();
          if (i % 5 == 0) continue;  // dropped
          token.Settle(i % 7 == 0 ? Outcome::kFailure : Outcome::kSuccess, 5ms, now);
        }
      });
    }
  }
  for (const Load& load : loads) {
    EXPECT_EQ(load.in_flight(), 0U);
    EXPECT_NEAR(Seconds(load.Latency(TimePoint(1h) + 200ms)), 0.005, 1e-4);
    EXPECT_LE(load.FailureShare(TimePoint(1h) + 200ms), 0.9);
  }
}

}  // namespace
}  // namespace hale::policy
