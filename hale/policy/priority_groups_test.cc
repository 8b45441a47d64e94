#include "hale/policy/priority_groups.h"

#include <gtest/gtest.h>

#include <vector>

namespace hale::policy {
namespace {

class PriorityGroupsTest : public testing::Test {
 protected:
  void Add(std::uint32_t group, int count, int dead = 0) {
    for (int i = 0; i < count; ++i) places_.push_back({.group = group, .usable = i >= dead});
  }
  /// The part of the calls that goes to a group.
  double To(std::uint32_t group) {
    const auto shares = GroupShares(places_, options_);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].group == group) return shares[i];
    }
    return -1;
  }

  std::vector<Place> places_;
  PriorityOptions options_{.metadata = "priority"};
};

TEST_F(PriorityGroupsTest, GivesAllToTheFirst) {
  Add(0, 4);
  Add(1, 4);
  EXPECT_DOUBLE_EQ(To(0), 1);
  EXPECT_DOUBLE_EQ(To(1), 0);
}

TEST_F(PriorityGroupsTest, LetsTheFirstLoseWhatItHasOver) {
  Add(0, 10, 3);
  Add(1, 4);
  EXPECT_DOUBLE_EQ(To(1), 0);
}

TEST_F(PriorityGroupsTest, SpillsWhatTheFirstCannotTake) {
  Add(0, 10, 6);
  Add(1, 4);
  EXPECT_NEAR(To(0), 0.4 / 0.7, 1e-9);
  EXPECT_NEAR(To(1), 1 - 0.4 / 0.7, 1e-9);
}

TEST_F(PriorityGroupsTest, GoesToTheNextWhenTheFirstIsDead) {
  Add(0, 3, 3);
  Add(5, 3);
  EXPECT_DOUBLE_EQ(To(0), 0);
  EXPECT_DOUBLE_EQ(To(5), 1);
}

TEST_F(PriorityGroupsTest, SharesInProportionWhenAllTogetherAreTooFew) {
  Add(0, 10, 9);
  Add(1, 10, 8);
  EXPECT_NEAR(To(0), 1.0 / 3, 1e-9);
  EXPECT_NEAR(To(1), 2.0 / 3, 1e-9);
}

TEST_F(PriorityGroupsTest, GivesNothingWhenNobodyIsUsable) {
  Add(0, 2, 2);
  EXPECT_DOUBLE_EQ(To(0), 0);
}

TEST_F(PriorityGroupsTest, SpillsAtItsThreshold) {
  Add(0, 10, 3);
  Add(1, 4);
  options_.threshold = 1;
  EXPECT_NEAR(To(1), 0.3, 1e-9);
}

TEST_F(PriorityGroupsTest, CountsWeightNotHeads) {
  Add(0, 2, 1);
  Add(1, 1);
  places_[1].weight = 9;
  EXPECT_DOUBLE_EQ(To(0), 1);
  places_[0].weight = 81;
  EXPECT_NEAR(To(0), 0.1 / 0.7, 1e-9);
}

TEST_F(PriorityGroupsTest, PassesOverAGroupWithoutWeight) {
  Add(0, 2);
  Add(1, 2);
  places_[0].weight = places_[1].weight = 0;
  EXPECT_DOUBLE_EQ(To(0), 0);
  EXPECT_DOUBLE_EQ(To(1), 1);
}

TEST_F(PriorityGroupsTest, IsOffWithoutAWord) {
  Add(0, 2);
  Add(1, 2);
  options_.metadata = "";
  EXPECT_EQ(GroupShares(places_, options_), std::vector<double>(4, 1.0));
}

TEST_F(PriorityGroupsTest, PutsWhoNamesNoGroupLast) {
  EXPECT_EQ(ParseGroup("0"), 0U);
  EXPECT_EQ(ParseGroup("12"), 12U);
  EXPECT_EQ(ParseGroup(""), kLastGroup);
  EXPECT_EQ(ParseGroup("1x"), kLastGroup);
  EXPECT_EQ(ParseGroup("-1"), kLastGroup);
  EXPECT_EQ(ParseGroup("1000001"), kLastGroup);
  EXPECT_EQ(ParseGroup("99999999999"), kLastGroup);
}

}  // namespace
}  // namespace hale::policy
