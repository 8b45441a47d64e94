#include "hale/policy/subset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "hale/base/random.h"
#include "hale/policy/maglev.h"

namespace hale::policy {
namespace {

std::vector<std::uint64_t> Ids(std::size_t count) {
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(MaglevId("b" + std::to_string(i)));
  return ids;
}

/// With a node whose own place would be another one.
std::vector<bool> Of(const std::vector<std::uint64_t>& ids, std::uint32_t size,
                     std::uint32_t client, std::uint32_t clients) {
  return Subset(ids, {.size = size, .client = client, .clients = clients}, std::uint64_t{3} << 62);
}

/// How many of the clients use each instance.
std::vector<int> ClientsOf(std::size_t instances, std::uint32_t size, std::uint32_t clients) {
  const auto ids = Ids(instances);
  std::vector<int> counts(instances);
  for (std::uint32_t client = 0; client < clients; ++client) {
    const auto used = Of(ids, size, client, clients);
    for (std::size_t i = 0; i < instances; ++i) counts[i] += used[i] ? 1 : 0;
  }
  return counts;
}

/// The most that one client gives up, beside what is gone, when the instances change.
int MostGivenUp(const std::vector<std::uint64_t>& before, const std::vector<std::uint64_t>& after) {
  constexpr std::uint32_t kClients = 60;
  int most = 0;
  for (std::uint32_t client = 0; client < kClients; ++client) {
    const auto was = Of(before, 10, client, kClients);
    const auto is = Of(after, 10, client, kClients);
    std::map<std::uint64_t, bool> now;
    for (std::size_t i = 0; i < after.size(); ++i) now[after[i]] = is[i];
    int given_up = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      given_up += was[i] && now.contains(before[i]) && !now[before[i]] ? 1 : 0;
    }
    most = std::max(most, given_up);
  }
  return most;
}

TEST(SubsetTest, IsAllWhenItIsNotBounded) {
  EXPECT_EQ(std::ranges::count(Of(Ids(5), 0, 0, 3), true), 5);
  EXPECT_EQ(std::ranges::count(Of(Ids(5), 9, 0, 3), true), 5);
  EXPECT_TRUE(Of({}, 3, 0, 3).empty());
}

TEST(SubsetTest, HasItsSize) {
  for (std::uint32_t client = 0; client < 7; ++client) {
    EXPECT_EQ(std::ranges::count(Of(Ids(10), 4, client, 7), true), 4);
  }
}

TEST(SubsetTest, GivesEachInstanceTheSameNumberOfClientsOneMoreOrLess) {
  SeededRandom random(1);
  for (int round = 0; round < 300; ++round) {
    const std::size_t instances = 1 + random.Below(60);
    const auto size = static_cast<std::uint32_t>(1 + random.Below(instances));
    const auto clients = static_cast<std::uint32_t>(1 + random.Below(100));
    const auto counts = ClientsOf(instances, size, clients);
    const auto [least, most] = std::ranges::minmax(counts);
    ASSERT_LE(most - least, 1) << instances << " " << size << " " << clients;
  }
}

TEST(SubsetTest, ExchangesAtMostTwoWhenAnInstanceLeaves) {
  const auto before = Ids(50);
  for (std::size_t gone = 0; gone < before.size(); ++gone) {
    auto after = before;
    after.erase(after.begin() + static_cast<std::ptrdiff_t>(gone));
    ASSERT_LE(MostGivenUp(before, after), 2);
  }
}

TEST(SubsetTest, ExchangesAtMostTwoWhenAnInstanceJoins) {
  EXPECT_LE(MostGivenUp(Ids(50), Ids(51)), 2);
}

TEST(SubsetTest, DoesNotDependOnTheOrderOfItsInstances) {
  auto ids = Ids(20);
  const auto one = Of(ids, 5, 3, 10);
  std::ranges::reverse(ids);
  auto other = Of(ids, 5, 3, 10);
  std::reverse(other.begin(), other.end());
  EXPECT_EQ(one, other);
}

TEST(SubsetTest, PutsNeighboursByAddressIntoDifferentSubsets) {
  const auto used = Of(Ids(100), 10, 0, 10);
  int together = 0;
  for (std::size_t i = 0; i + 1 < used.size(); ++i) together += used[i] && used[i + 1] ? 1 : 0;
  EXPECT_LE(together, 3);
}

TEST(SubsetTest, TakesAPlaceByTheNodeWhenTheFleetIsNotKnown) {
  std::vector<int> counts(20);
  const auto ids = Ids(20);
  for (int node = 0; node < 1000; ++node) {
    const auto used = Subset(ids, {.size = 5}, MaglevId("node" + std::to_string(node)));
    for (std::size_t i = 0; i < ids.size(); ++i) counts[i] += used[i] ? 1 : 0;
  }
  for (const int count : counts) EXPECT_NEAR(count, 250, 70);
}

}  // namespace
}  // namespace hale::policy
