#include "hale/guard/lease.h"

#include <gtest/gtest.h>

#include <vector>

#include "hale/base/random.h"
#include "hale/guard/one_target.h"

namespace hale::guard {
namespace {

class LeaseTest : public ::testing::Test {
 protected:
  std::shared_ptr<Target> Make(policy::CircuitBreakerOptions options = {}) {
    return std::make_shared<Target>(
        options,
        policy::CircuitBreakerContext{.instance = "a", .clock = clock_, .random = &random_});
  }
  Lease Take() { return std::move(*Lease::Take(target_, clock_.Now())); }
  policy::CircuitTotals Totals() const { return target_->breaker().Status(clock_.Now()).totals; }

  SimClock clock_;
  SeededRandom random_{1};
  std::shared_ptr<Target> target_ = Make();
};

TEST_F(LeaseTest, GivesAllBackWhenItIsForgotten) {
  {
    Lease lease = Take();
    lease.OnSent(clock_.Now());
    EXPECT_EQ(target_->load().in_flight(), 1U);
    EXPECT_EQ(target_->pulse().Read().unanswered, 1U);
  }
  EXPECT_EQ(target_->load().in_flight(), 0U);
  EXPECT_EQ(target_->pulse().Read().unanswered, 0U);
  EXPECT_EQ(Totals().ignored, 1U);
}

TEST_F(LeaseTest, SettlesOnce) {
  Lease lease = Take();
  lease.Settle(Outcome::kSuccess, clock_.Now());
  lease.Settle(Outcome::kFailure, clock_.Now());
  EXPECT_EQ(Totals().succeeded, 1U);
  EXPECT_EQ(Totals().failed, 0U);
}

TEST_F(LeaseTest, TellsTheLoadHowLongTheCallTook) {
  Lease lease = Take();
  clock_.Advance(80ms);
  lease.Settle(Outcome::kSuccess, clock_.Now());
  EXPECT_NEAR(Seconds(target_->load().Latency(clock_.Now())), 0.08, 1e-4);
}

TEST_F(LeaseTest, TheLoadLastsAsLongAsTheAnswerFlows) {
  Lease lease = Take();
  lease.Settle(Outcome::kSuccess, clock_.Now());
  EXPECT_EQ(target_->load().in_flight(), 1U);
  lease = Lease();
  EXPECT_EQ(target_->load().in_flight(), 0U);
}

TEST_F(LeaseTest, AnAnswerThatBreaksOffCountsAsOneMoreFailure) {
  Lease lease = Take();
  lease.Settle(Outcome::kSuccess, clock_.Now());
  lease.Broke(clock_.Now());
  EXPECT_EQ(Totals().succeeded, 1U);
  EXPECT_EQ(Totals().failed, 1U);
  EXPECT_GT(target_->load().FailureShare(clock_.Now()), 0);
}

TEST_F(LeaseTest, AnAnswerThatBreaksOffRefusesNobody) {
  for (const auto mode : {policy::Mode::kEnforce, policy::Mode::kShadow}) {
    target_ = Make({.mode = mode, .consecutive_failures = 1});
    Lease lease = Take();
    lease.Settle(Outcome::kSuccess, clock_.Now());
    Take().Settle(Outcome::kFailure, clock_.Now());
    lease.Broke(clock_.Now());
    EXPECT_EQ(target_->breaker().state(clock_.Now()), policy::CircuitState::kOpen);
    EXPECT_EQ(Totals().refused + Totals().would_refuse, 0U);
    EXPECT_EQ(Totals().failed, 1U);
  }
}

TEST_F(LeaseTest, AnAnswerThatBreaksOffDoesNotLengthenARestThatIsOver) {
  target_ = Make({.consecutive_failures = 1, .open_for = 1s, .jitter = 0});
  Lease lease = Take();
  lease.Settle(Outcome::kSuccess, clock_.Now());
  Take().Settle(Outcome::kFailure, clock_.Now());
  clock_.Advance(1s);
  lease.Broke(clock_.Now());
  EXPECT_TRUE(target_->breaker().WouldAdmit(clock_.Now()));
  EXPECT_GT(target_->load().FailureShare(clock_.Now()), 0);
}

TEST_F(LeaseTest, AnAnswerThatBreaksOffCountsNothingOfACircuitThatClosedMeanwhile) {
  Lease lease = Take();
  lease.Settle(Outcome::kSuccess, clock_.Now());
  target_->breaker().Reset(clock_.Now());
  lease.Broke(clock_.Now());
  EXPECT_EQ(Totals().failed, 0U);
}

TEST_F(LeaseTest, CannotBreakOffBeforeItHasBegunWell) {
  Lease lease = Take();
  lease.Broke(clock_.Now());
  EXPECT_EQ(Totals().failed, 0U);
}

TEST_F(LeaseTest, IsRefusedWithTheBreakersReason) {
  target_->breaker().Force({.ttl = 1h, .why = "test"}, clock_.Now());
  const auto lease = Lease::Take(target_, clock_.Now());
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().reason, Reason::kForced);
  EXPECT_EQ(target_->load().in_flight(), 0U);
}

TEST_F(LeaseTest, IsRefusedWhereThereIsNoRoomAndTheBreakerIsNotAsked) {
  target_->load().Apply(1);
  const Lease one = Take();
  EXPECT_EQ(Lease::Take(target_, clock_.Now()).error().reason, Reason::kConcurrency);
  EXPECT_EQ(Lease::TakeAnyway(target_, clock_.Now()).error().reason, Reason::kConcurrency);
  EXPECT_EQ(Totals().admitted, 1U);
}

TEST_F(LeaseTest, TakenAnywayItCountsForTheLoadAlone) {
  target_->breaker().Force({.ttl = 1h, .why = "test"}, clock_.Now());
  Lease lease = std::move(*Lease::TakeAnyway(target_, clock_.Now()));
  EXPECT_EQ(target_->load().in_flight(), 1U);
  lease.Settle(Outcome::kFailure, clock_.Now());
  EXPECT_GT(target_->load().FailureShare(clock_.Now()), 0);
  EXPECT_EQ(Totals().admitted, 0U);
}

TEST_F(LeaseTest, AProbeLastsAsLongAsItsCall) {
  target_ = Make({.consecutive_failures = 1, .open_for = 1s, .jitter = 0, .probes = 1});
  Take().Settle(Outcome::kFailure, clock_.Now());
  clock_.Advance(1s);
  const auto probe = Lease::Take(target_, clock_.Now(), 20s);
  clock_.Advance(10s);
  const auto other = Lease::Take(target_, clock_.Now());
  ASSERT_TRUE(probe);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().reason, Reason::kProbing);
}

TEST_F(LeaseTest, AssigningGivesBackWhatWasHeldAndKeepsItsTargetUntilThen) {
  Lease lease = std::move(*Lease::Take(Make(), clock_.Now()));  // the only one to hold its target
  lease.OnSent(clock_.Now());
  lease.Settle(Outcome::kSuccess, clock_.Now());
  lease = Take();  // seen by AddressSanitizer if the target goes first
  EXPECT_EQ(lease.target(), target_.get());
  EXPECT_EQ(target_->load().in_flight(), 1U);
}

TEST_F(LeaseTest, KnowsWhenItsTargetHasStopped) {
  Lease lease = Take();
  lease.OnSent(clock_.Now());
  target_->pulse().MarkStalled(target_->pulse().Read());
  EXPECT_TRUE(lease.Stalled());
  lease.OnAnswered(clock_.Now());
  EXPECT_FALSE(lease.Stalled());
}

TEST_F(LeaseTest, OfTheOnlyTargetTooTellsTheTrailOfTheCall) {
  struct Trail final : EventSink {
    void On(const Event& event) noexcept override { kinds.push_back(event.kind); }
    std::vector<EventKind> kinds;
  };
  OneTarget only(Make({.mode = policy::Mode::kShadow, .consecutive_failures = 1}));
  only.target().breaker().Admit()->Settle(Outcome::kFailure, clock_.Now());
  Trail trail;
  const Tried tried;
  EXPECT_TRUE(only.Pick({tried, clock_.Now(), 1s, random_, 0, &trail}));
  EXPECT_EQ(trail.kinds, std::vector{EventKind::kWouldRefuse});
}

}  // namespace
}  // namespace hale::guard
