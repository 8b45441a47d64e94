#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hale/policy/outlier_verdict.h"

namespace hale::policy {
namespace {

TEST(PublishedVerdictStressTest, GivesTheProbeOfARestToOneThread) {
  const OutlierOptions options;
  SeededRandom random(1);
  PublishedVerdict published;
  TimePoint now{1h};
  published.Publish({.use = Use::kOut}, options, random, now);
  for (int rest = 0; rest < 100; ++rest) {
    now = published.probe_at();
    std::atomic<int> taken{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
          if (published.TakeProbe(options, ThreadRandom(), now)) ++taken;
        });
      }
    }
    ASSERT_EQ(taken, 1);
  }
}

}  // namespace
}  // namespace hale::policy
