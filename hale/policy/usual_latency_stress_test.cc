#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "hale/policy/load.h"

namespace hale::policy {
namespace {

constexpr TimePoint kNow{1h};

TEST(UsualLatencyStressTest, StaysBetweenWhatItIsTold) {
  Load load;
  std::vector<std::thread> threads;
  for (const Duration latency : {Duration(2ms), Duration(40ms)}) {
    threads.emplace_back([&load, latency] {
      for (int i = 0; i < 20'000; ++i) {
        load.Start().Settle(Outcome::kSuccess, latency, kNow);
        load.reported().Report(latency == 2ms ? 0.5 : 2, kNow);
      }
    });
  }
  for (int i = 0; i < 20'000; ++i) {
    const auto usual = load.usual().Read(kNow);
    ASSERT_TRUE(usual.calls == 0 || (usual.latency >= 1900us && usual.latency <= 41ms));
    const auto reading = load.reported().Read(kNow);
    ASSERT_TRUE(reading.left == 0 || reading.load == 0.5 || reading.load == 2);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hale::policy
