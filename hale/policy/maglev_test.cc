#include "hale/policy/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "hale/base/random.h"

namespace hale::policy {
namespace {

std::vector<MaglevEntry> Entries(std::size_t count) {
  std::vector<MaglevEntry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({MaglevId("10.0.0." + std::to_string(i) + ":80"), 1});
  }
  return entries;
}

/// How many slots each entry has.
std::vector<double> SlotsOf(const MaglevTable& table, std::size_t entries) {
  std::vector<double> slots(entries);
  for (std::uint32_t slot = 0; slot < table.size(); ++slot) ++slots[table.At(slot)];
  return slots;
}

/// The share of slots that change hands when entry `gone` leaves; the least possible is its own.
double Moved(std::vector<MaglevEntry> entries, std::size_t gone) {
  const MaglevTable before(entries);
  entries[gone].weight = 0;
  const MaglevTable after(entries);
  double moved = 0;
  for (std::uint32_t slot = 0; slot < before.size(); ++slot) {
    moved += before.At(slot) != after.At(slot) ? 1 : 0;
  }
  return moved / before.size();
}

TEST(MaglevTest, IsEmptyWhenNobodyTakesKeys) {
  EXPECT_TRUE(MaglevTable().empty());
  EXPECT_TRUE(MaglevTable(std::vector<MaglevEntry>{{1, 0}, {2, 0}}).empty());
}

TEST(MaglevTest, GivesTheOnlyOneEverything) {
  const MaglevTable table(std::vector<MaglevEntry>{{1, 0}, {2, 0.3}});
  EXPECT_EQ(SlotsOf(table, 2)[1], table.size());
}

TEST(MaglevTest, GivesEqualsTheSameWithinAPercent) {
  const auto slots = SlotsOf(MaglevTable(Entries(100)), 100);
  const auto [least, most] = std::ranges::minmax(slots);
  EXPECT_LE(most, least * 1.01);
}

TEST(MaglevTest, SharesByWeight) {
  auto entries = Entries(4);
  entries[1].weight = 3;
  entries[2].weight = 0.5;
  entries[3].weight = 2;
  const auto slots = SlotsOf(MaglevTable(entries), 4);
  EXPECT_NEAR(slots[1] / slots[0], 3, 0.01);
  EXPECT_NEAR(slots[2] / slots[0], 0.5, 0.01);
  EXPECT_NEAR(slots[3] / slots[0], 2, 0.01);
}

TEST(MaglevTest, GivesNothingToMoreThanItCanName) {
  const MaglevTable table(Entries(65'537));
  std::uint32_t last = 0;
  for (std::uint32_t slot = 0; slot < table.size(); ++slot) last = std::max(last, table.At(slot));
  EXPECT_EQ(last, 65'534U);
}

TEST(MaglevTest, MovesLessThanTwiceWhatMustMoveWhenOneLeaves) {
  for (const std::size_t count : {3, 10, 64, 100}) {
    for (std::size_t gone = 0; gone < count; gone += 1 + count / 5) {
      EXPECT_LT(Moved(Entries(count), gone), 2.0 / static_cast<double>(count)) << count;
    }
  }
}

TEST(MaglevTest, MovesLittleWhenOneJoins) {
  const auto after = Entries(51);
  const MaglevTable fifty(Entries(50));
  const MaglevTable more(after);
  double moved = 0;
  for (std::uint32_t slot = 0; slot < fifty.size(); ++slot) {
    moved += fifty.At(slot) != more.At(slot) ? 1 : 0;
  }
  EXPECT_LT(moved / fifty.size(), 2.0 / 51);
}

TEST(MaglevTest, IsTheSameInEachProcess) {
  const MaglevTable table(Entries(5));
  EXPECT_EQ(MaglevId("user-7"), 8853000599902653744U);
  EXPECT_EQ(table.At(table.SlotOf(MaglevId("user-7"))), 2U);
  std::uint64_t sum = 0;
  for (std::uint32_t slot = 0; slot < table.size(); ++slot) sum = sum * 31 + table.At(slot);
  EXPECT_EQ(sum, 12102804864146483905U);
}

TEST(MaglevTest, SpreadsAKeysNextChoicesOverTheOthers) {
  const MaglevTable table(Entries(5));
  std::vector<double> next(5);
  for (std::uint32_t slot = 0; slot < table.size(); ++slot) {
    if (table.At(slot) == 0) ++next[table.At(table.Next(slot))];
  }
  const double most = *std::ranges::max_element(next);
  EXPECT_LT(most, 0.3 * std::accumulate(next.begin(), next.end(), 0.0));
}

TEST(MaglevTest, GoesRoundAtTheEnd) {
  const MaglevTable table(Entries(2), 7);
  EXPECT_EQ(table.Next(6), 0U);
  EXPECT_EQ(table.Next(0), 1U);
}

TEST(BoundedLoadTest, IsAQuarterAboveTheFairShare) {
  EXPECT_EQ(BoundedLoad(1.25, 99, 0.1), 13U);  // ⌈12.5⌉
  EXPECT_EQ(BoundedLoad(1.25, 999, 0.5), 625U);
}

TEST(BoundedLoadTest, CountsTheOneThatIsToBePlaced) {
  EXPECT_EQ(BoundedLoad(1.25, 96, 0.1), 13U);  // ⌈12.125⌉
}

TEST(BoundedLoadTest, HasAnEnd) { EXPECT_EQ(BoundedLoad(100, 1'000'000'000, 1), 4'000'000'000U); }

TEST(BoundedLoadTest, LetsAQuietServiceKeepItsKeys) { EXPECT_EQ(BoundedLoad(1.25, 0, 0.1), 4U); }

/// Each of the keys has one call in flight; whom they go to when they are placed by the bound.
TEST(BoundedLoadTest, KeepsEveryLoadWithinItAndMostKeysAtHome) {
  constexpr std::size_t kCount = 10;
  const MaglevTable table(Entries(kCount));
  SeededRandom random(3);
  std::vector<std::uint32_t> loads(kCount);
  int at_home = 0;
  for (std::uint64_t all = 0; all < 1000; ++all) {
    const std::uint32_t limit = BoundedLoad(1.25, all, 1.0 / kCount);
    std::uint32_t slot = table.SlotOf(random.Next());
    at_home += loads[table.At(slot)] < limit ? 1 : 0;
    while (loads[table.At(slot)] >= limit) slot = table.Next(slot);
    ++loads[table.At(slot)];
  }
  EXPECT_LE(*std::ranges::max_element(loads), 125U);
  EXPECT_GT(at_home, 950);
}

}  // namespace
}  // namespace hale::policy
