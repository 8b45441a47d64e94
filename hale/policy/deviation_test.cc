#include "hale/policy/deviation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class DeviationTest : public testing::Test {
 protected:
  void Latencies(std::initializer_list<Duration> latencies) {
    set_.clear();
    for (const Duration latency : latencies) set_.push_back({.latency = latency, .calls = 1000});
  }
  void Failures(std::initializer_list<double> shares) {
    set_.clear();
    for (const double share : shares) {
      set_.push_back({.latency = 5ms, .failures = share, .calls = 1000});
    }
  }
  double Worse(std::size_t i) { return Deviations(set_, options_)[i].worse(); }
  bool Anybody() {
    bool any = false;
    for (std::size_t i = 0; i < set_.size(); ++i) any = any || Worse(i) >= 1;
    return any;
  }

  std::vector<PeerFigures> set_;
  DeviationOptions options_;
};

TEST_F(DeviationTest, FindsTheSlowOneOfThree) {
  Latencies({5ms, 6ms, 60ms});
  EXPECT_GE(Worse(2), 1);
  EXPECT_LT(Worse(0), 1);
  EXPECT_LT(Worse(1), 1);
}

TEST_F(DeviationTest, FindsTheFailingOneOfThree) {
  Failures({0, 0.02, 0.4});
  EXPECT_GE(Worse(2), 1);
  EXPECT_LT(Worse(1), 1);
}

TEST_F(DeviationTest, FindsNobodyOfTwo) {
  Latencies({5ms, 500ms});
  EXPECT_FALSE(Anybody());
  EXPECT_FALSE(Deviations(set_, options_)[1].compared);
}

TEST_F(DeviationTest, FindsNobodyWhenAllAreSlow) {
  Latencies({2s, 2100ms, 1900ms, 2s});
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, FindsNobodyWhenAllFail) {
  Failures({0.9, 1, 0.8, 1});
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, TakesTheMiddleOfTwoWhereTheNumberIsEven) {
  Failures({0, 0.1, 0.3, 0.5});
  EXPECT_NEAR(Worse(3), 0.3 / (1.4826 * 0.15) / 5, 1e-3);
}

TEST_F(DeviationTest, MeasuresByTheSpreadOfTheSet) {
  Latencies({100ms, 200ms, 400ms, 800ms, 1600ms});  // half of them within one power of two
  options_.threshold = options_.slower = 1;
  EXPECT_NEAR(Worse(4), 2 / 1.4826, 1e-3);
}

TEST_F(DeviationTest, FindsNobodyInASetThatIsWideByNature) {
  Latencies({5ms, 20ms, 80ms, 320ms});
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, FindsNobodyWhenHalfAreSlow) {
  Latencies({5ms, 5ms, 100ms, 100ms});
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, FindsNobodyForAFewMilliseconds) {
  Latencies({1ms, 1ms, 1ms, 25ms});
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, FindsNobodyBelowTheFactor) {
  Latencies({100ms, 100ms, 100ms, 290ms});
  EXPECT_FALSE(Anybody());
  Latencies({100ms, 100ms, 100ms, 301ms});
  EXPECT_TRUE(Anybody());
}

TEST_F(DeviationTest, CountsDeviationsBeyondTheFactor) {
  Latencies({100ms, 100ms, 100ms, 301ms});
  options_.threshold = 7;  // log2 3 ÷ 0.26 is 6.1
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, FindsNobodyForALittleMoreFailures) {
  options_.threshold = 2;  // 0.24 is beyond that
  Failures({0, 0, 0, 0.24});
  EXPECT_FALSE(Anybody());
  Failures({0, 0, 0, 0.26});
  EXPECT_TRUE(Anybody());
}

TEST_F(DeviationTest, CountsDeviationsBeyondALittleMoreFailures) {
  Failures({0, 0, 0, 0.3});
  options_.threshold = 7;  // 0.3 ÷ 0.05 is 6
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, AllowsForTheChanceInASharesFewCalls) {
  Failures({0.5, 0.5, 0.5, 0.8});  // 0.3 is 2.4 deviations of a half of 16 calls
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, NeedsThreeThatHaveHadEnoughCalls) {
  Latencies({5ms, 5ms, 500ms});
  set_[0].calls = 49;
  EXPECT_FALSE(Deviations(set_, options_)[2].compared);
}

TEST_F(DeviationTest, LeavesOutALatencyThatIsNotKnown) {
  Latencies({5ms, 6ms, 60ms, 0ms});
  EXPECT_GE(Worse(2), 1);
  EXPECT_EQ(Deviations(set_, options_)[3].latency, 0);
}

TEST_F(DeviationTest, ComparesNoLatencyWhereOnlyTwoAreKnown) {
  Latencies({5ms, 500ms, 0ms});
  EXPECT_EQ(Deviations(set_, options_)[1].latency, 0);
}

TEST_F(DeviationTest, ComparesOnlyWhoHasHadEnoughCalls) {
  Latencies({5ms, 5ms, 5ms, 500ms});
  set_[3].calls = 49;
  EXPECT_FALSE(Anybody());
  EXPECT_FALSE(Deviations(set_, options_)[3].compared);
  set_[3].calls = 50;
  EXPECT_TRUE(Anybody());
  EXPECT_TRUE(Deviations(set_, options_)[3].compared);
}

TEST_F(DeviationTest, NeverFindsTheFastOne) {
  Latencies({500ms, 500ms, 500ms, 1ms});
  EXPECT_LT(Deviations(set_, options_)[3].latency, 0);
}

TEST_F(DeviationTest, TellsHowFarItIs) {
  Latencies({100ms, 100ms, 100ms, 173ms});  // half of log2 3
  EXPECT_NEAR(Worse(3), 0.5, 0.01);
}

TEST_F(DeviationTest, TellsHowFarItIsInShadow) {
  Latencies({5ms, 5ms, 500ms});
  options_.mode = Mode::kShadow;
  EXPECT_TRUE(Anybody());
}

TEST_F(DeviationTest, ComparesNobodyWhenOff) {
  Latencies({5ms, 5ms, 500ms});
  options_.mode = Mode::kOff;
  EXPECT_FALSE(Anybody());
}

TEST_F(DeviationTest, DoesNotChangeWhenAllGrowSlowerAlike) {
  SeededRandom random(3);
  for (int round = 0; round < 500; ++round) {
    set_.clear();
    for (std::uint64_t i = 0; i < 3 + random.Below(20); ++i) {
      set_.push_back({.latency = random.Between(100ms, 400ms), .calls = 100});
    }
    std::vector<PeerFigures> slow = set_;
    for (PeerFigures& one : slow) one.latency *= 8;
    for (std::size_t i = 0; i < set_.size(); ++i) {
      const bool out = Worse(i) >= 1;
      // Only the 25 ms are no ratio, and here all differ by more where it matters.
      ASSERT_EQ(out, Deviations(slow, options_)[i].worse() >= 1);
    }
  }
}

TEST_F(DeviationTest, FindsFewerThanHalfWhateverTheyAre) {
  SeededRandom random(8);
  for (int round = 0; round < 5000; ++round) {
    set_.clear();
    for (std::uint64_t i = 0; i < random.Below(12); ++i) {
      const double exponent = 20 + 12 * random.Unit();
      set_.push_back({.latency = Duration(static_cast<std::int64_t>(std::exp2(exponent))),
                      .failures = random.Unit(),
                      .calls = static_cast<std::uint32_t>(random.Below(100))});
    }
    std::size_t slow = 0;
    std::size_t failing = 0;
    for (const Deviation& one : Deviations(set_, options_)) {
      slow += one.latency >= 1 ? 1 : 0;
      failing += one.failures >= 1 ? 1 : 0;
    }
    ASSERT_TRUE(2 * slow < set_.size() || slow == 0);
    ASSERT_TRUE(2 * failing < set_.size() || failing == 0);
  }
}

}  // namespace
}  // namespace hale::policy
