#include <gtest/gtest.h>

#include "hale/mesh/sim_fleet.h"

namespace hale::mesh {
namespace {

/// Three attempts with a budget of a tenth, of which a fleet of ten has one reserve.
ServiceOptions Budgeted() {
  ServiceOptions options = Trying(3);
  options.retry.budget = {.fleet_size = 10};
  return options;
}

/// Servers with four workers and calls of 40 ms, so that each does 100 a second, seven tenths of
/// them asked for; until something happens for a while. Expected is what a simulator of the field
/// found of ten such servers and 50 clients, within its tolerances; here is a fifth of that.
class StormTest : public ::testing::Test {
 protected:
  static constexpr double kUsers = 140;
  static constexpr Duration kHorizon = 100s;  // what is not over by then lasts for ever

  void Use(const ServiceOptions& service, const policy::BulkheadOptions& queue,
           bool knows_deadlines = false) {
    fleet_ = std::make_unique<SimFleet>(
        SimFleet::Options{.clients = 10,
                          .servers = 2,
                          .server = {.queue = queue, .knows_deadlines = knows_deadlines},
                          .service = service});
    fleet_->Load(kUsers, 10s);
  }
  /// No server begins anything for ten seconds.
  void Pause() {
    for (SimServer& server : fleet_->servers()) server.Pause(10s);
    Happen(kUsers, 10s);
  }
  /// So many times as many users come.
  void Spike(double times, Duration span) { Happen(times * kUsers, span); }

  /// How long after its end all is well again.
  Duration Recovery() const { return fleet_->Recovery(end_); }
  SimFleet::Seen During() const { return fleet_->Between(begin_, end_); }
  SimFleet::Seen WithTheMinuteAfter() const { return fleet_->Between(begin_, end_ + 60s); }
  /// Of those who came last, but for those whose calls may be out yet.
  SimFleet::Seen Last() const { return fleet_->Between(fleet_->Now() - 30s, fleet_->Now() - 5s); }

 private:
  void Happen(double users, Duration span) {
    begin_ = fleet_->Now();
    fleet_->Load(users, span);
    end_ = fleet_->Now();
    fleet_->Load(kUsers, kHorizon);
  }

  std::unique_ptr<SimFleet> fleet_;
  TimePoint begin_;
  TimePoint end_;
};

TEST_F(StormTest, LastsForEverWhenRetriesMeetAQueueWithoutABound) {
  Use(Trying(3), Endless());
  Pause();
  EXPECT_EQ(Recovery(), kForever);
  EXPECT_NEAR(Last().ok(), 0, 0.03);
  EXPECT_NEAR(Last().attempts_each(), 3.0, 0.15);
}

TEST_F(StormTest, IsOverWhenWhatWaitedIsDoneIfNobodyTriesAgain) {
  Use(Trying(1), Endless());
  Pause();
  EXPECT_NEAR(Seconds(Recovery()), 21, 4);
}

TEST_F(StormTest, LastsLongerByWhatABudgetAllows) {
  Use(Budgeted(), Endless());
  Pause();
  EXPECT_NEAR(Seconds(Recovery()), 31, 6);
  EXPECT_NEAR(WithTheMinuteAfter().attempts_each(), 1.07, 0.05);
}

TEST_F(StormTest, IsOverAtOnceWhenNobodyWaitsLongerThanClientsDo) {
  Use(Trying(3), Places(40));  // 0.4 s
  Pause();
  EXPECT_LE(Recovery(), 3s);
  EXPECT_NEAR(WithTheMinuteAfter().attempts_each(), 1.29, 0.06);
}

TEST_F(StormTest, LastsForEverWhenTheQueueIsLongerThanClientsWait) {
  Use(Trying(3), Places(150));  // 1.5 s
  Pause();
  EXPECT_EQ(Recovery(), kForever);
}

TEST_F(StormTest, IsOverAtOnceWithTheQueueThatIsThereByDefault) {
  Use(Trying(3), {});
  Pause();
  EXPECT_LE(Recovery(), 3s);
}

TEST_F(StormTest, IsOverAtOnceWhenAQueueWithoutABoundKnowsDeadlines) {
  Use(Trying(3), Endless(), true);
  Pause();
  EXPECT_LE(Recovery(), 4s);
}

TEST_F(StormTest, DoesNotFollowASpikeThatIsShort) {
  Use(Trying(3), Endless());
  Spike(1.5, 10s);
  EXPECT_LE(Recovery(), 3s);
}

TEST_F(StormTest, FollowsASpikeOfTwiceTheLoad) {
  Use(Trying(3), Endless());
  Spike(2, 20s);
  EXPECT_EQ(Recovery(), kForever);
}

TEST_F(StormTest, DoesNotFollowASpikeWhenTheQueueIsShort) {
  Use(Budgeted(), Places(16));
  Spike(2, 20s);
  EXPECT_LE(Recovery(), 4s);
  EXPECT_NEAR(During().ok(), 0.731, 0.03);
  EXPECT_NEAR(During().good / 20, 1011 / 5.0, 9);
}

TEST_F(StormTest, ServesAsMuchInASpikeWithTheQueueThatIsThereByDefault) {
  Use(Budgeted(), {});
  Spike(2, 20s);
  EXPECT_LE(Recovery(), 4s);
  EXPECT_NEAR(During().ok(), 0.731, 0.03);
}

}  // namespace
}  // namespace hale::mesh
