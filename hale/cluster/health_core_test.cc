#include "hale/cluster/health_core.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hale::cluster {
namespace {

class HealthCoreTest : public testing::Test {
 protected:
  /// Records `+` as a pass and `-` as a failure.
  void Checks(std::string_view results) {
    for (const char c : results) turns_ += core_.Record(c == '+') ? 1 : 0;
  }
  std::pair<Duration, Duration> RestBounds() {
    Duration least = kForever;
    Duration most{0};
    for (int i = 0; i < 10'000; ++i) {
      const Duration rest = core_.Rest(random_);
      least = std::min(least, rest);
      most = std::max(most, rest);
    }
    return {least, most};
  }
  void ExpectRests(Duration low, Duration high) {
    const auto [least, most] = RestBounds();
    const Duration slack = (high - low) / 20;
    EXPECT_GE(least, low);
    EXPECT_LE(least, low + slack);
    EXPECT_LE(most, high);
    EXPECT_GE(most, high - slack);
  }

  SeededRandom random_{7};
  HealthCore core_{HealthOptions{}};  // rise 2, fall 3, every 2 s
  int turns_ = 0;
};

TEST_F(HealthCoreTest, KnowsNothingBeforeTheFirstCheck) {
  EXPECT_EQ(core_.health(), Health::kUnknown);
}

TEST_F(HealthCoreTest, TheFirstCheckDecides) {
  Checks("+");
  EXPECT_EQ(core_.health(), Health::kHealthy);
  HealthCore other{HealthOptions{}};
  EXPECT_TRUE(other.Record(false));
  EXPECT_EQ(other.health(), Health::kUnhealthy);
}

TEST_F(HealthCoreTest, FallsAtTheThirdFailureInARow) {
  Checks("+--");
  EXPECT_EQ(core_.health(), Health::kHealthy);
  Checks("-");
  EXPECT_EQ(core_.health(), Health::kUnhealthy);
  EXPECT_EQ(core_.streak(), 3U);
  EXPECT_EQ(turns_, 2);
}

TEST_F(HealthCoreTest, RisesAtTheSecondPassInARow) {
  Checks("-+");
  EXPECT_EQ(core_.health(), Health::kUnhealthy);
  Checks("+");
  EXPECT_EQ(core_.health(), Health::kHealthy);
}

TEST_F(HealthCoreTest, AnInterruptedRowCountsFromTheStart) {
  Checks("+--+--+--");
  EXPECT_EQ(core_.health(), Health::kHealthy);
  Checks("---+-+-+");
  EXPECT_EQ(core_.health(), Health::kUnhealthy);
  EXPECT_EQ(turns_, 2);
}

TEST_F(HealthCoreTest, NewThresholdsKeepTheVerdictAndTheCount) {
  Checks("+-");
  core_.Apply({.fall = 2});
  EXPECT_EQ(core_.health(), Health::kHealthy);
  Checks("-");
  EXPECT_EQ(core_.health(), Health::kUnhealthy);
}

TEST_F(HealthCoreTest, AfterAResetTheFirstCheckDecidesAgain) {
  Checks("+");
  core_.Reset();
  Checks("-");
  EXPECT_EQ(core_.health(), Health::kUnhealthy);
  EXPECT_EQ(core_.streak(), 1U);
}

TEST_F(HealthCoreTest, BeginsWithinATenthOfTheInterval) {
  Duration most{0};
  for (int i = 0; i < 1000; ++i) most = std::max(most, core_.First(random_));
  EXPECT_LE(most, 200ms);
  EXPECT_GT(most, 190ms);
}

TEST_F(HealthCoreTest, SpreadsTheSecondCheckOverTheInterval) {
  Checks("+");
  ExpectRests(200ms, 2s);
}

TEST_F(HealthCoreTest, ThenKeepsTheIntervalWithinATenth) {
  Checks("++");
  ExpectRests(1800ms, 2200ms);
}

TEST_F(HealthCoreTest, LooksAgainSoonWhileAVerdictIsInDoubt) {
  Checks("++-");
  ExpectRests(450ms, 550ms);
  Checks("-");
  ExpectRests(450ms, 550ms);
}

TEST_F(HealthCoreTest, LooksAgainSoonWhenAFailureWasNotRepeated) {
  Checks("++-+");
  ExpectRests(450ms, 550ms);
  Checks("+");
  ExpectRests(1800ms, 2200ms);
}

TEST_F(HealthCoreTest, IsInNoHurryWithAnInstanceThatStaysDown) {
  Checks("+----");
  EXPECT_EQ(core_.health(), Health::kUnhealthy);
  ExpectRests(1800ms, 2200ms);
}

}  // namespace
}  // namespace hale::cluster
