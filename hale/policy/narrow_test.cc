#include "hale/policy/narrow.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

class NarrowTest : public testing::Test {
 protected:
  void Add(std::string_view zone, std::uint32_t group = 0, bool usable = true, double weight = 1) {
    places_.push_back({.zone = zone, .group = group, .weight = weight, .usable = usable});
  }
  Narrowed Run() { return Narrow(places_, used_, {priority_, zone_, "a"}); }

  std::vector<Place> places_;
  std::vector<bool> used_;
  PriorityOptions priority_;
  ZoneOptions zone_;
};

TEST_F(NarrowTest, LeavesAllAsTheyAreWhenThereIsNothingToNarrowBy) {
  Add("a", 0, true, 0.3);
  Add("b", 1, true, 0.1);
  const Narrowed narrowed = Run();
  EXPECT_EQ(narrowed.factors, (std::vector<double>{1, 1}));
  EXPECT_EQ(narrowed.first, 1);
  EXPECT_FALSE(narrowed.narrow);
}

TEST_F(NarrowTest, KeepsOnlyTheSubset) {
  for (int i = 0; i < 4; ++i) Add("a");
  used_ = {true, false, false, true};
  EXPECT_EQ(Run().factors, (std::vector<double>{1, 0, 0, 1}));
  EXPECT_TRUE(Run().narrow);
}

TEST_F(NarrowTest, DividesTheSubsetByZone) {
  zone_.prefer = ZonePreference::kOwn;
  for (const std::string_view zone : {"a", "a", "b", "b"}) Add(zone);
  used_ = {false, true, true, false};
  EXPECT_EQ(Run().factors, (std::vector<double>{0, 1, 0, 0}));
}

TEST_F(NarrowTest, CountsOnlyTheSubsetOfAGroup) {
  priority_.metadata = "priority";
  Add("a", 0);
  Add("a", 0, false);
  Add("a", 1);
  used_ = {true, false, true};  // what there is of the first group is all usable
  EXPECT_EQ(Run().factors, (std::vector<double>{1, 0, 0}));
}

TEST_F(NarrowTest, DividesAGroupByZone) {
  zone_.prefer = ZonePreference::kOwn;
  priority_.metadata = "priority";
  Add("a", 1);
  Add("b", 0);
  Add("a", 0);
  EXPECT_EQ(Run().factors, (std::vector<double>{0, 0, 1}));
}

TEST_F(NarrowTest, TakesNoZoneOfAnotherGroupForItsOwn) {
  zone_.prefer = ZonePreference::kOwn;
  priority_.metadata = "priority";
  Add("b", 0, true, 1);
  Add("c", 0, true, 3);
  Add("a", 1);
  EXPECT_EQ(Run().factors, (std::vector<double>{1, 1, 0}));
}

TEST_F(NarrowTest, TellsWhatStays) {
  zone_.prefer = ZonePreference::kOwn;
  priority_.metadata = "priority";
  for (int i = 0; i < 4; ++i) Add(i % 2 == 0 ? "a" : "b", 0, i < 2);
  Add("a", 1);
  const Narrowed narrowed = Run();  // half of the first group is usable, of 0.7
  EXPECT_NEAR(narrowed.first, 0.5 / 0.7, 1e-9);
  EXPECT_NEAR(narrowed.local, 1, 1e-9);
}

TEST_F(NarrowTest, TellsWhatLeavesItsZone) {
  zone_.prefer = ZonePreference::kOwn;
  for (const std::string_view zone : {"a", "b", "b", "b"}) Add(zone);
  EXPECT_NEAR(Run().local, 0.5, 1e-9);  // a quarter of the weight for half of the calls
}

TEST_F(NarrowTest, TellsOfTheFirstGroupThereIs) {
  priority_.metadata = "priority";
  Add("a", 3);
  Add("a", 7);
  EXPECT_EQ(Run().first, 1);
}

TEST_F(NarrowTest, UsesAllWhenNobodyIsUsable) {
  zone_.prefer = ZonePreference::kOwn;
  Add("a", 0, false);
  Add("b", 0, false);
  const Narrowed narrowed = Run();
  EXPECT_EQ(narrowed.factors, (std::vector<double>{1, 1}));
  EXPECT_EQ(narrowed.local, 1);
  EXPECT_EQ(narrowed.first, 1);
  places_.clear();
  EXPECT_TRUE(Run().factors.empty());
}

TEST_F(NarrowTest, LeavesWhoIsLeftOutToItsVerdict) {
  Add("a");
  Add("a", 0, false);
  EXPECT_FALSE(Run().narrow);
  zone_.prefer = ZonePreference::kOwn;
  Add("b");
  EXPECT_EQ(Run().factors[1], 1);
  used_ = {true, false, true};
  EXPECT_EQ(Run().factors[1], 0);
}

TEST_F(NarrowTest, DividesByFactorsAsTheSharesSay) {
  zone_.prefer = ZonePreference::kOwn;
  Add("a", 0, true, 2);
  Add("b", 0, true, 3);
  Add("b", 0, true, 3);  // a has a quarter of the weight for half of the calls
  const auto factors = Run().factors;
  EXPECT_EQ(factors[0], 1);
  EXPECT_NEAR(factors[1] * 3 / (factors[1] * 6 + 2), 0.25, 1e-9);
}

TEST_F(NarrowTest, AlwaysLeavesSomebodyWithAWholeFactor) {
  SeededRandom random(4);
  zone_.prefer = ZonePreference::kOwn;
  priority_.metadata = "priority";
  constexpr std::string_view kZones[] = {"a", "b", "c"};
  for (int round = 0; round < 2000; ++round) {
    places_.clear();
    used_.clear();
    for (std::uint64_t i = 0; i < 1 + random.Below(9); ++i) {
      Add(kZones[random.Below(3)], static_cast<std::uint32_t>(random.Below(3)),
          random.Below(2) == 0, static_cast<double>(random.Below(4)));
      used_.push_back(random.Below(4) > 0);
    }
    double most = 0;
    for (const double factor : Run().factors) {
      ASSERT_TRUE(factor >= 0 && factor <= 1);
      most = std::max(most, factor);
    }
    ASSERT_EQ(most, 1);
  }
}

}  // namespace
}  // namespace hale::policy
