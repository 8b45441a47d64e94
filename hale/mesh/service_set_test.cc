#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "hale/mesh/service.h"

namespace hale::mesh {
namespace {

class ServiceSetTest : public ::testing::Test {
 protected:
  void Add(const char* address, const char* zone = "", const char* group = "") {
    all_.push_back({.address = address, .zone = zone, .metadata = {{"priority", group}}});
  }
  /// Publishes what was added, balanced so.
  void Use(const policy::BalanceOptions& balance) {
    ServiceOptions options;
    options.balance = balance;
    service_.Apply(options, clock_.Now());
    service_.SetInstances(cluster::Instances(all_), clock_.Now());
  }
  std::string Pick(std::uint64_t key = 0, const guard::Tried& tried = {}) {
    const auto lease = service_.Pick({tried, clock_.Now(), Duration::zero(), random_, key});
    return lease ? std::string(lease->instance()) : std::string(Word(lease.error().reason));
  }
  /// Of 300 picks, how many go to each.
  std::map<std::string, int> Picks() {
    std::map<std::string, int> picks;
    for (int i = 0; i < 300; ++i) ++picks[Pick()];
    return picks;
  }
  Member& Of(std::string_view address) {
    for (const auto& member : service_.members()->members) {
      if (member->address() == address) return *member;
    }
    std::abort();
  }
  void Kill(std::string_view address) {
    service_.OnRefused(Of(address), clock_.Now());
    service_.Judge(clock_.Now(), random_);
  }
  void Open(std::string_view address) {
    for (int i = 0; i < 5; ++i) {
      auto permit = Of(address).breaker().Admit(clock_.Now());
      if (permit) permit->Settle(Outcome::kFailure, clock_.Now());
    }
  }

  SimClock clock_;
  SeededRandom random_{5};
  std::vector<cluster::Instance> all_;
  Service service_{"orders", ServiceOptions(), {clock_, NullSink(), "a", 7}};
};

TEST_F(ServiceSetTest, StaysInItsZone) {
  Add("a:1", "a");
  Add("a:2", "a");
  Add("b:1", "b");
  Use({.zone = {.prefer = policy::ZonePreference::kOwn}});
  EXPECT_EQ(Picks()["b:1"], 0);
  EXPECT_EQ(service_.members()->local, 1);
}

TEST_F(ServiceSetTest, SpillsWhenItsZoneLosesSome) {
  for (const char* address : {"a:1", "a:2"}) Add(address, "a");
  for (const char* address : {"b:1", "b:2"}) Add(address, "b");
  Use({.zone = {.prefer = policy::ZonePreference::kOwn}});
  Kill("a:1");
  EXPECT_NEAR(service_.members()->local, 2.0 / 3,
              1e-9);  // a third of the weight for half the calls
  auto picks = Picks();
  EXPECT_NEAR(picks["b:1"] + picks["b:2"], 100, 30);
}

TEST_F(ServiceSetTest, AsksOtherZonesBeforeItRefuses) {
  Add("a:1", "a");
  Add("b:1", "b");
  Use({.zone = {.prefer = policy::ZonePreference::kOwn}});
  Open("a:1");  // and not judged yet
  EXPECT_EQ(Pick(), "b:1");
}

TEST_F(ServiceSetTest, TriesAnotherZoneRatherThanTheSameAgain) {
  Add("a:1", "a");
  Add("b:1", "b");
  Use({.zone = {.prefer = policy::ZonePreference::kOwn}});
  guard::Tried tried;
  tried.Add(Of("a:1"));
  EXPECT_EQ(Pick(0, tried), "b:1");
}

TEST_F(ServiceSetTest, LetsProbesThroughToTheSickWhateverIsPreferred) {
  Add("a:1", "", "0");
  for (const char* address : {"b:1", "b:2", "b:3"}) Add(address, "", "1");
  Use({.priority = {.metadata = "priority"}});
  Open("a:1");
  service_.Judge(clock_.Now(), random_);
  EXPECT_EQ(Picks()["a:1"], 0);
  clock_.Advance(10s);
  EXPECT_GE(Picks()["a:1"], 1);
}

TEST_F(ServiceSetTest, UsesTheNextGroupWhenTheFirstIsDown) {
  Add("a:1", "", "0");
  Add("b:1", "", "1");
  Use({.priority = {.metadata = "priority"}});
  EXPECT_EQ(Picks()["a:1"], 300);
  Kill("a:1");
  EXPECT_EQ(Picks()["b:1"], 300);
}

TEST_F(ServiceSetTest, UsesTheFirstGroupAgainWhenItIsDownInShadowOnly) {
  Add("a:1", "", "0");
  Add("b:1", "", "1");
  ServiceOptions options;
  options.balance.priority.metadata = "priority";
  Use(options.balance);
  Kill("a:1");
  options.outlier.mode = policy::Mode::kShadow;
  service_.Apply(options, clock_.Now());
  service_.Judge(clock_.Now(), random_);
  EXPECT_EQ(Picks()["a:1"], 300);
}

TEST_F(ServiceSetTest, CallsOnlyItsSubset) {
  for (int i = 0; i < 200; ++i) Add(("h:" + std::to_string(100 + i)).c_str());
  Use({.subset = {.size = 4, .client = 1, .clients = 50}});
  EXPECT_EQ(service_.members()->narrowed.size(), 4U);
  EXPECT_EQ(Picks().size(), 4U);
}

TEST_F(ServiceSetTest, TakesASubsetByItsNodeWhenTheFleetIsNotKnown) {
  for (int i = 0; i < 20; ++i) Add(("h:" + std::to_string(100 + i)).c_str());
  Use({.subset = {.size = 4}});
  EXPECT_EQ(service_.members()->narrowed.size(), 4U);
}

TEST_F(ServiceSetTest, KeepsAKeyAtItsInstance) {
  for (const char* address : {"a:1", "b:1", "c:1"}) Add(address);
  Use({.kind = policy::BalanceKind::kMaglev, .key = "client_ip"});
  for (const std::uint64_t key : {1, 2, 3, 4}) {
    const std::string home = Pick(key);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(Pick(key), home);
  }
}

TEST_F(ServiceSetTest, KeepsKeysWhereTheyAreWhenAnotherInstanceFails) {
  for (const char* address : {"a:1", "b:1", "c:1"}) Add(address);
  Use({.kind = policy::BalanceKind::kMaglev, .key = "client_ip"});
  std::map<std::uint64_t, std::string> homes;
  for (std::uint64_t key = 1; key < 200; ++key) homes[key] = Pick(key);
  Kill("b:1");
  for (const auto& [key, home] : homes) {
    EXPECT_EQ(Pick(key) == home, home != "b:1") << key;
  }
}

TEST_F(ServiceSetTest, KeepsAKeyInALargeSet) {
  for (int i = 0; i < 300; ++i) Add(("h:" + std::to_string(100 + i)).c_str());
  Use({.kind = policy::BalanceKind::kMaglev, .key = "client_ip"});
  for (std::uint64_t key = 1; key < 50; ++key) {
    const std::string home = Pick(key);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(Pick(key), home);
    Open(home);
    const std::string next = Pick(key);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(Pick(key), next);
  }
}

TEST_F(ServiceSetTest, MakesATableOnlyWhenTheSetChanges) {
  Add("a:1");
  Add("b:1");
  Use({.kind = policy::BalanceKind::kMaglev, .key = "client_ip"});
  const auto table = service_.members()->table;
  Kill("a:1");
  EXPECT_EQ(service_.members()->table, table);
  Add("c:1");
  service_.SetInstances(cluster::Instances(all_), clock_.Now());
  EXPECT_NE(service_.members()->table, table);
}

TEST_F(ServiceSetTest, ChangesItsKindWhileItRuns) {
  Add("a:1");
  Add("b:1");
  Use({.kind = policy::BalanceKind::kMaglev, .key = "client_ip"});
  ServiceOptions options;
  service_.Apply(options, clock_.Now());
  EXPECT_EQ(service_.members()->table, nullptr);
  EXPECT_EQ(Picks().size(), 2U);
}

TEST_F(ServiceSetTest, PrefersWhoReportsLess) {
  Add("a:1");
  Add("b:1");
  Use({.reports = policy::Reports::kUse});
  Of("a:1").load().reported().Report(0.9, clock_.Now());
  Of("b:1").load().reported().Report(0.2, clock_.Now());
  EXPECT_EQ(Picks()["b:1"], 300);
  Use({.reports = policy::Reports::kIgnore});
  EXPECT_NEAR(Picks()["b:1"], 150, 50);
}

TEST_F(ServiceSetTest, LeavesOutWhoIsSlowerThanItsPeersAndTriesItAnew) {
  for (const char* address : {"a:1", "b:1", "c:1"}) Add(address);
  Use({.kind = policy::BalanceKind::kRoundRobin, .slow_start = 0s});
  for (int i = 0; i < 50; ++i) {
    for (const char* address : {"a:1", "b:1", "c:1"}) {
      const Duration latency = address[0] == 'c' ? 300ms : 5ms;
      Of(address).load().Start().Settle(Outcome::kSuccess, latency, clock_.Now());
    }
  }
  service_.Judge(clock_.Now(), random_);
  EXPECT_EQ(Picks()["c:1"], 0);
  EXPECT_GE(service_.DeviationOf("c:1").worse(), 1);
  clock_.Advance(10s);
  service_.Judge(clock_.Now(), random_);
  EXPECT_EQ(Picks()["c:1"], 100);
  EXPECT_EQ(Of("c:1").load().usual().Read(clock_.Now()).calls, 0U);
}

}  // namespace
}  // namespace hale::mesh
