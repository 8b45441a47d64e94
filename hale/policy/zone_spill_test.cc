#include "hale/policy/zone_spill.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string_view>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class ZoneSpillTest : public testing::Test {
 protected:
  void Add(std::string_view zone, int count, int dead = 0) {
    for (int i = 0; i < count; ++i) places_.push_back({.zone = zone, .usable = i >= dead});
  }
  std::vector<double> Shares(std::string_view own = "a") {
    return ZoneShares(places_, options_, own);
  }
  /// The calls of zone `own` that go to `zone`.
  double To(std::string_view zone, std::string_view own = "a") {
    const auto shares = Shares(own);
    double sum = 0;
    for (std::size_t i = 0; i < places_.size(); ++i) sum += places_[i].zone == zone ? shares[i] : 0;
    return sum;
  }

  std::vector<Place> places_;
  ZoneOptions options_{.prefer = ZonePreference::kOwn};
};

TEST_F(ZoneSpillTest, StaysInItsZoneWhileThatHasItsShare) {
  for (const std::string_view zone : {"a", "b", "c"}) Add(zone, 3);
  EXPECT_DOUBLE_EQ(To("a"), 1);
  EXPECT_EQ(Shares()[4], 0);
}

TEST_F(ZoneSpillTest, SpillsAsMuchAsItsZoneLacks) {
  Add("a", 3, 1);
  Add("b", 3);
  Add("c", 3);
  EXPECT_NEAR(To("a"), 0.75, 1e-9);  // it has 2/8 of the weight for 1/3 of the calls
  EXPECT_NEAR(To("b"), 0.125, 1e-9);
  EXPECT_NEAR(To("c"), 0.125, 1e-9);
}

TEST_F(ZoneSpillTest, GivesEachInstanceTheSameInAll) {
  Add("a", 2);
  Add("b", 6);
  Add("c", 4);
  for (const std::string_view to : {"a", "b", "c"}) {
    const double load = To(to, "a") + To(to, "b") + To(to, "c");
    EXPECT_NEAR(load / 3, to == "a" ? 2.0 / 12 : to == "b" ? 6.0 / 12 : 4.0 / 12, 1e-9) << to;
  }
}

TEST_F(ZoneSpillTest, SpillsOnlyToWhoHasSomethingOver) {
  Add("a", 2);
  Add("b", 6);
  Add("c", 4);  // just what its own calls need
  EXPECT_NEAR(To("a"), 0.5, 1e-9);
  EXPECT_NEAR(To("b"), 0.5, 1e-9);
  EXPECT_NEAR(To("c"), 0, 1e-9);
}

TEST_F(ZoneSpillTest, GoesElsewhereWhenItsZoneIsDead) {
  Add("a", 3, 3);
  Add("b", 3);
  EXPECT_DOUBLE_EQ(To("a"), 0);
  EXPECT_DOUBLE_EQ(To("b"), 1);
}

TEST_F(ZoneSpillTest, NeverDividesAmongTheDead) {
  Add("a", 2);
  Add("b", 2, 2);
  EXPECT_DOUBLE_EQ(To("a"), 1);
  Add("a", 0);
  places_[0].usable = places_[1].usable = false;
  EXPECT_EQ(Shares(), std::vector<double>(4, 0.0));
}

TEST_F(ZoneSpillTest, CountsWeightNotHeads) {
  Add("a", 1);
  Add("b", 2);
  places_[0].weight = 2;
  EXPECT_DOUBLE_EQ(To("a"), 1);
  places_[0].weight = 1;
  EXPECT_NEAR(To("a"), 2.0 / 3, 1e-9);
}

TEST_F(ZoneSpillTest, BelievesTheShareOfCallsThatItIsTold) {
  Add("a", 2);
  Add("b", 6);
  options_.share = 0.25;  // as the instances, so are the callers
  EXPECT_DOUBLE_EQ(To("a"), 1);
  options_.share = 1;
  EXPECT_NEAR(To("a"), 0.25, 1e-9);
  EXPECT_NEAR(To("b"), 0.75, 1e-9);
}

TEST_F(ZoneSpillTest, LeavesTheOthersTheRestOfTheCalls) {
  Add("a", 2);
  Add("b", 6);
  Add("c", 4);
  options_.share = 0.5;                 // so each other zone makes a quarter
  EXPECT_NEAR(To("b"), 0.5, 1e-9);      // it has a quarter over,
  EXPECT_NEAR(To("c"), 1.0 / 6, 1e-9);  // and this a twelfth
}

TEST_F(ZoneSpillTest, DividesByWeightWhereItsZoneHasNobody) {
  Add("b", 1);
  Add("c", 3);
  EXPECT_NEAR(To("b"), 0.25, 1e-9);
  EXPECT_NEAR(To("c", ""), 0.75, 1e-9);
}

TEST_F(ZoneSpillTest, TakesNoUnknownZoneForItsOwn) {
  Add("", 1);
  Add("c", 3);
  EXPECT_NEAR(To("", ""), 0.25, 1e-9);
}

TEST_F(ZoneSpillTest, DividesByWeightWhenItIsNotAsked) {
  Add("a", 1);
  Add("b", 3);
  options_.prefer = ZonePreference::kNone;
  EXPECT_NEAR(To("a"), 0.25, 1e-9);
}

TEST_F(ZoneSpillTest, DividesAllCallsWhateverIsLeft) {
  SeededRandom random(2);
  constexpr std::string_view kZones[] = {"a", "b", "c", "d"};
  for (int round = 0; round < 2000; ++round) {
    places_.clear();
    double usable = 0;
    for (std::uint64_t i = 0; i < 1 + random.Below(12); ++i) {
      places_.push_back({.zone = kZones[random.Below(4)],
                         .weight = static_cast<double>(random.Below(4)),
                         .usable = random.Below(3) > 0});
      usable += places_.back().usable ? places_.back().weight : 0;
    }
    const auto shares = Shares();
    ASSERT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), usable > 0 ? 1 : 0, 1e-9);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      ASSERT_TRUE(places_[i].usable || shares[i] == 0);
    }
  }
}

}  // namespace
}  // namespace hale::policy
