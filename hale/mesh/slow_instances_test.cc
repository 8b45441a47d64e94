#include <gtest/gtest.h>

#include "hale/mesh/sim_fleet.h"

namespace hale::mesh {
namespace {

using policy::BalanceKind;
using policy::Mode;

/// 20 servers with four workers and calls of 20 ms, half of what they can do asked for, once. One
/// server becomes ten times as slow: it can do 20 of the 100 calls a second that are its share.
/// Expected are the errors that a simulator of the field found, within its tolerances.
class SlowServerTest : public ::testing::Test {
 protected:
  static double Errors(std::size_t clients, const policy::BalanceOptions& balance,
                       Duration span = 20s) {
    SimFleet::Options options{.clients = clients,
                              .servers = 20,
                              .server = {.takes = 20ms, .queue = Endless()},
                              .service = Trying(1),
                              .deadline = 1s};
    options.service.balance = balance;
    SimFleet fleet(options);
    fleet.Load(2000, 10s);
    fleet.server(0).Slow(10);
    const TimePoint begin = fleet.Now();
    fleet.Load(2000, span + 1s);
    return 1 - fleet.Between(begin, begin + span).ok();
  }
};

TEST_F(SlowServerTest, CostsItsShareWhenServersTakeTurns) {
  EXPECT_NEAR(Errors(50, {.kind = BalanceKind::kRoundRobin}), 0.050, 0.005);
}

TEST_F(SlowServerTest, CostsNothingWhenClientsSeeThatItIsSlow) {
  EXPECT_LE(Errors(5, {}), 0.003);
  EXPECT_LE(Errors(50, {}), 0.003);
}

TEST_F(SlowServerTest, CostsSomethingWhenEachClientSeesLittle) {
  EXPECT_NEAR(Errors(500, {}, 60s), 0.010, 0.005);
}

TEST_F(SlowServerTest, CostsNothingWhenServersSayHowLoadedTheyAre) {
  EXPECT_LE(Errors(500, {.kind = BalanceKind::kLeastRequest, .reports = policy::Reports::kUse}),
            0.003);
}

TEST_F(SlowServerTest, CostsLittleWhenEachClientCallsFewServers) {
  EXPECT_LE(Errors(500, {.subset = {.size = 5}}), 0.005);
}

/// Ten servers, eight tenths of what they can do asked for, of which two become eight times as slow
/// for a minute: three failures in a row open a circuit for 30 s. A fifth of the calls is more than
/// the others have room for: leaving out is safe below 1 - 0.8 / 0.95, a sixth.
class SlowFifthTest : public ::testing::Test {
 protected:
  static ServiceOptions Clients() {
    ServiceOptions options = Trying(2, 300ms);
    options.retry.budget = {.fleet_size = 50};
    return options;
  }
  static ServiceOptions LeavingOut(double max_sick, double panic = 0) {
    ServiceOptions options = Clients();
    options.breaker = {.minimum_calls = 1000,
                       .consecutive_failures = 3,
                       .hung_after = 0s,
                       .open_for = 30s,
                       .jitter = 0,
                       .probes = 1,
                       .ramp = 0s};
    options.outlier = {.max_sick = max_sick, .panic = panic, .interval = 0s, .peers_slower = 100};
    options.outlier.deviation.mode = Mode::kOff;
    return options;
  }
  struct Seen {
    double ok = 0;         ///< while they were slow
    Duration recovery{0};  ///< how long after that all was well
  };
  static Seen SlowDown(const ServiceOptions& service, const SimServer::Options& server,
                       Duration watched = 20s) {
    SimFleet fleet({.server = server, .service = service, .deadline = 1s});
    const auto slow = [&](double times, Duration span) {
      for (const std::size_t i : {0, 1}) fleet.server(i).Slow(times);
      fleet.Load(800, span);
    };
    slow(1, 10s);
    const TimePoint begin = fleet.Now();
    slow(8, 60s);
    const TimePoint end = fleet.Now();
    slow(1, watched);
    return {fleet.Between(begin, end).ok(), fleet.Recovery(end)};
  }
};

TEST_F(SlowFifthTest, MakesNothingWorseWhenNoMoreAreLeftOutThanThereIsRoomFor) {
  const Seen none = SlowDown(Clients(), {.queue = Places(32)}, 0s);
  const Seen tenth = SlowDown(LeavingOut(0.1), {.queue = Places(32)});
  EXPECT_GE(tenth.ok, none.ok - 0.03);
  EXPECT_LE(tenth.recovery, 10s);
}

TEST_F(SlowFifthTest, BecomesAnOutageWhenMoreAreLeftOut) {
  const Seen third = SlowDown(LeavingOut(0.3), {.queue = Places(32)}, 60s);
  EXPECT_LE(third.ok, 0.872 - 0.1);  // of those who leave nobody out
  EXPECT_NEAR(Seconds(third.recovery), 34, 7);
}

TEST_F(SlowFifthTest, IsNoOutageWhenPanicBringsThemBack) {
  EXPECT_NEAR(SlowDown(LeavingOut(1, 0.5), {.queue = Places(32)}, 0s).ok, 0.882, 0.03);
}

TEST_F(SlowFifthTest, LastsForEverWhenAllMayBeLeftOutAndQueuesHaveNoBound) {
  EXPECT_EQ(SlowDown(LeavingOut(1), {.queue = Endless()}, 100s).recovery, kForever);
}

TEST_F(SlowFifthTest, CostsNoMoreByDefaultThanWithTheBestOfCaps) {
  ServiceOptions service;
  service.timeout.per_try = 300ms;
  const Seen seen = SlowDown(service, {.says_shed = true});
  EXPECT_GE(seen.ok, 0.937);
  EXPECT_LE(seen.recovery, 3s);
}

}  // namespace
}  // namespace hale::mesh
