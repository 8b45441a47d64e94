#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "hale/policy/stall.h"

namespace hale::policy {
namespace {

TEST(StallStressTest, AlwaysKnowsOfASilenceWhileACallIsOut) {
  for (int round = 0; round < 2000; ++round) {
    Pulse pulse;
    Pulse::Call kept;
    {
      std::vector<std::jthread> threads;
      for (int thread = 0; thread < 2; ++thread) {
        threads.emplace_back([&, thread] {
          TimePoint now{1h};
          for (int i = 0; i < 20; ++i) {
            now += 1ms;
            auto call = pulse.OnSent(now);
            if (i % 3 != 0) call.Answered(now);
          }
          if (thread == 0) kept = pulse.OnSent(now);
        });
      }
    }
    // Whatever met, a call is out, and so there is a silence to be measured.
    ASSERT_GE(pulse.Read().unanswered, 1U);
    ASSERT_NE(pulse.Read().waiting_since, kNever);
  }
}

TEST(StallStressTest, EndsCountedToZero) {
  Pulse pulse;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        TimePoint now{1h};
        for (int i = 0; i < 50'000; ++i) {
          now += 1us;
          auto call = pulse.OnSent(now);
          if (i % 2 == 0) call.Answered(now);
          if (i % 64 == 0) pulse.MarkStalled(pulse.Read());
        }
      });
    }
  }
  pulse.OnBytes(TimePoint(2h));
  EXPECT_EQ(pulse.Read().unanswered, 0U);
  EXPECT_EQ(pulse.Read().waiting_since, kNever);
  EXPECT_FALSE(pulse.stalled());
}

}  // namespace
}  // namespace hale::policy
