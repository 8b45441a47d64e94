#include "hale/policy/circuit_breaker_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hale::policy {
namespace {

/// Opens at 2 bad of 4, rests 5 s without jitter, 2 probes, no ramp: what a test is about, it sets.
class CircuitBreakerCoreTest : public testing::Test {
 protected:
  CircuitBreakerCore& core() {
    if (!core_) core_.emplace(options_, random_);
    return *core_;
  }
  Ticket Enter(Duration timeout = Duration::zero()) {
    const auto ticket = core().Admit(now_, timeout);
    EXPECT_TRUE(ticket.has_value());
    return ticket.value_or(Ticket{});
  }
  void Call(Outcome outcome, int times = 1) {
    for (int i = 0; i < times; ++i) core().Record(Enter(), outcome, now_);
  }
  void Fail(int times = 1) { Call(Outcome::kFailure, times); }
  void Pass(int times = 1) { Call(Outcome::kSuccess, times); }
  void Trip() {
    for (int i = 0; i < 10'000 && state() == CircuitState::kClosed; ++i) Fail();
    EXPECT_EQ(state(), CircuitState::kOpen);
  }
  void TripAndRest() {
    Trip();
    now_ = core().open_until();
  }
  void Settle(Ticket ticket, Outcome outcome) { core().Record(ticket, outcome, now_); }
  CircuitState state() { return core().state(now_); }
  bool Refuses() { return !core().Admit(now_).has_value(); }
  Duration rest() { return core().open_until() - now_; }

  CircuitBreakerOptions options_{.failure_rate = 0.5,
                                 .minimum_calls = 4,
                                 .consecutive_failures = 0,
                                 .hung_after = 0s,
                                 .jitter = 0,
                                 .probes = 2,
                                 .ramp = 0s};
  SeededRandom random_{1};
  TimePoint now_{1h};

 private:
  std::optional<CircuitBreakerCore> core_;
};

TEST_F(CircuitBreakerCoreTest, OpensWhenTheShareOfFailuresMeetsTheThresholdExactly) {
  Pass(2);
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kClosed);  // 1 of 3, and below the minimum
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kOpen);  // 2 of 4
  EXPECT_EQ(core().trip().reason, Reason::kFailureRate);
  EXPECT_DOUBLE_EQ(core().trip().observed, 0.5);
}

TEST_F(CircuitBreakerCoreTest, StaysClosedOneCallBelowTheMinimumWhateverTheShare) {
  Fail(3);
  EXPECT_EQ(state(), CircuitState::kClosed);
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerCoreTest, BehavesAsTheArticlesExample) {
  options_ = {.failure_rate = 0.6,
              .minimum_calls = 10,
              .consecutive_failures = 0,
              .window = 5s,
              .open_for = 10s,
              .jitter = 0,
              .probes = 3,
              .ramp = 0s};
  Pass(4);
  Fail(5);
  EXPECT_EQ(state(), CircuitState::kClosed);
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kOpen);  // 6 of 10
  EXPECT_EQ(rest(), 10s);
  now_ += 10s;
  Pass(3);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, RefusesOneTickBeforeTheRestEndsAndProbesAtItsEnd) {
  TripAndRest();
  now_ -= 1ns;
  const auto refused = core().Admit(now_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kCircuitOpen);
  EXPECT_EQ(refused.error().retry_after, 1ns);
  EXPECT_DOUBLE_EQ(refused.error().threshold, 0.5);
  now_ += 1ns;
  EXPECT_TRUE(core().Admit(now_).has_value());
}

TEST_F(CircuitBreakerCoreTest, LetsExactlyItsProbesThroughWhenFiftyArrive) {
  options_.probes = 10;
  TripAndRest();
  int admitted = 0;
  for (int i = 0; i < 50; ++i) {
    const auto ticket = core().Admit(now_);
    admitted += ticket.has_value() ? 1 : 0;
    EXPECT_TRUE(ticket || ticket.error().reason == Reason::kProbing);
  }
  EXPECT_EQ(admitted, 10);
}

TEST_F(CircuitBreakerCoreTest, ClosesOnlyWhenAllProbesHavePassed) {
  TripAndRest();
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, ForgetsTheFailuresOfTheOldEraWhenItCloses) {
  TripAndRest();
  Pass(2);
  Fail(3);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, IgnoresASuccessFromAnEarlierGeneration) {
  options_.probes = 1;
  const Ticket late = Enter();
  TripAndRest();
  Enter();  // the probe
  Settle(late, Outcome::kSuccess);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  EXPECT_TRUE(Refuses());
}

TEST_F(CircuitBreakerCoreTest, IgnoresAFailureFromAnEarlierGeneration) {
  const Ticket late = Enter();
  TripAndRest();
  Enter();
  Settle(late, Outcome::kFailure);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
}

TEST_F(CircuitBreakerCoreTest, ALateCallGivesNoExtraPlaceForAProbe) {
  const Ticket late_failure = Enter();
  const Ticket late_ignored = Enter();
  TripAndRest();
  Enter();
  Enter();
  Settle(late_ignored, Outcome::kIgnored);
  EXPECT_TRUE(Refuses());
  Settle(late_failure, Outcome::kFailure);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  EXPECT_TRUE(Refuses());
}

TEST_F(CircuitBreakerCoreTest, CountsALateAnswerInTheBucketOfItsAdmission) {
  options_.minimum_calls = 3;
  const Ticket early = Enter();
  now_ += 9s;
  Settle(early, Outcome::kFailure);
  Fail(1);
  now_ += 1s;  // the first bucket leaves, and with it what was answered 1 s ago
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(core().evidence(now_).failed, 2U);
}

TEST_F(CircuitBreakerCoreTest, DoesNotCountAnAnswerWhoseBucketHasLeftTheWindow) {
  const Ticket early = Enter();
  now_ += 10s;
  Settle(early, Outcome::kFailure);
  EXPECT_EQ(core().evidence(now_).failed, 0U);
}

TEST_F(CircuitBreakerCoreTest, AnIgnoredProbeGivesItsPlaceBack) {
  options_.probes = 1;
  TripAndRest();
  Settle(Enter(), Outcome::kIgnored);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, IgnoredCallsAreNeitherCountedNorDoTheyEndARow) {
  options_.consecutive_failures = 3;
  options_.minimum_calls = 100;
  Fail(2);
  Call(Outcome::kIgnored, 200);
  EXPECT_EQ(state(), CircuitState::kClosed);
  Fail(1);
  EXPECT_EQ(core().trip().reason, Reason::kConsecutiveFailures);
}

TEST_F(CircuitBreakerCoreTest, ProbesThatNeverAnswerAreReplacedAtTheDeadline) {
  TripAndRest();
  const Ticket lost = Enter();
  Enter();
  now_ += 5s - 1ns;
  EXPECT_TRUE(Refuses());
  now_ += 1ns;
  Enter();
  Settle(lost, Outcome::kSuccess);  // of the earlier episode
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
}

TEST_F(CircuitBreakerCoreTest, AProbesVerdictPastTheDeadlineDoesNotCount) {
  options_.probes = 1;
  TripAndRest();
  const Ticket probe = Enter();
  now_ += 5s;
  Settle(probe, Outcome::kFailure);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
}

TEST_F(CircuitBreakerCoreTest, AnEpisodeLastsAsLongAsItsCallMay) {
  options_.probes = 1;
  TripAndRest();
  const Ticket probe = Enter(30s);
  now_ += 29s;
  EXPECT_TRUE(Refuses());
  Settle(probe, Outcome::kSuccess);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, LostProbesDoNotLengthenTheRest) {
  TripAndRest();
  Enter();
  now_ += 5s;
  Fail(1);  // the first that answers
  EXPECT_EQ(rest(), 10s);
}

TEST_F(CircuitBreakerCoreTest, ARefusalGivesTheFiguresAsTheyWereWritten) {
  options_.failure_rate = 0.6;
  options_.minimum_calls = 7;
  Pass(2);
  Fail(5);
  const auto refused = core().Admit(now_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().threshold, 0.6);
  EXPECT_NEAR(refused.error().observed, 5.0 / 7, 1e-6);
}

TEST_F(CircuitBreakerCoreTest, FailuresWhileOpenChangeNothing) {
  std::vector<Ticket> out;
  for (int i = 0; i < 10; ++i) out.push_back(Enter());
  for (int i = 0; i < 4; ++i) Settle(out[i], Outcome::kFailure);
  const CircuitWord opened = core().word();
  now_ += 1s;
  for (int i = 4; i < 10; ++i) Settle(out[i], Outcome::kFailure);
  EXPECT_EQ(core().word(), opened);
}

TEST_F(CircuitBreakerCoreTest, AllSlowSuccessesOpenIt) {
  options_.slow_call = 1s;
  for (int i = 0; i < 4; ++i) {
    const Ticket ticket = Enter();
    now_ += 1s;
    Settle(ticket, Outcome::kSuccess);
  }
  EXPECT_EQ(state(), CircuitState::kOpen);
  EXPECT_EQ(core().trip().reason, Reason::kSlowRate);
}

TEST_F(CircuitBreakerCoreTest, SlowAndFailedTogetherMeetTheFailureRate) {
  options_.slow_call = 1s;
  options_.slow_rate = 1;
  Pass(2);
  const Ticket slow = Enter();
  now_ += 1s;
  Settle(slow, Outcome::kSuccess);
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerCoreTest, ASlowProbeDoesNotCloseIt) {
  options_.slow_call = 1s;
  options_.probes = 1;
  TripAndRest();
  const Ticket probe = Enter();
  now_ += 1s;
  Settle(probe, Outcome::kSuccess);
  EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerCoreTest, OpensWhileHungCallsAreOut) {
  options_.hung_after = 2s;
  for (int i = 0; i < 4; ++i) Enter();
  now_ += 2s;
  EXPECT_FALSE(Refuses());  // out for 2 s, but their bucket is not wholly older
  now_ += 1s;
  EXPECT_TRUE(Refuses());
  EXPECT_EQ(core().trip().reason, Reason::kHungCalls);
}

TEST_F(CircuitBreakerCoreTest, CallsOutLongerThanASlowAnswerCountAsHung) {
  options_.slow_call = 1s;
  options_.consecutive_failures = 3;
  options_.minimum_calls = 100;
  for (int i = 0; i < 3; ++i) Enter();
  now_ += 2s;
  EXPECT_TRUE(Refuses());
  EXPECT_EQ(core().trip().reason, Reason::kHungCalls);
}

TEST_F(CircuitBreakerCoreTest, HungCallsAreNoRowWhenALaterCallWentWell) {
  options_.hung_after = 2s;
  options_.consecutive_failures = 3;
  options_.minimum_calls = 100;
  for (int i = 0; i < 3; ++i) Enter();
  now_ += 1s;
  Pass(1);
  now_ += 2s;
  EXPECT_FALSE(Refuses());
}

TEST_F(CircuitBreakerCoreTest, AHungCallThatAnswersIsForgiven) {
  options_.hung_after = 2s;
  std::vector<Ticket> out;
  for (int i = 0; i < 4; ++i) out.push_back(Enter());
  now_ += 2s;
  for (const Ticket ticket : out) Settle(ticket, Outcome::kSuccess);
  now_ += 1s;
  EXPECT_FALSE(Refuses());
  EXPECT_EQ(core().evidence(now_).hung, 0U);
}

TEST_F(CircuitBreakerCoreTest, AForcedOpenCircuitStaysSoWhenItsRestWouldEnd) {
  Trip();
  core().Force(CircuitState::kForcedOpen, now_ + 1h);
  now_ += 30min;
  const auto refused = core().Admit(now_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kForced);
  EXPECT_EQ(refused.error().retry_after, 30min);
}

TEST_F(CircuitBreakerCoreTest, AForcedOpenCircuitProbesWhenTheOrderHasRunOut) {
  core().Force(CircuitState::kForcedOpen, now_ + 1h);
  now_ += 1h;
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, AForcedClosedCircuitAdmitsAllAndRecordsNothing) {
  core().Force(CircuitState::kForcedClosed, now_ + 1h);
  Fail(100);
  EXPECT_EQ(state(), CircuitState::kForcedClosed);
  EXPECT_EQ(core().evidence(now_).failed, 0U);
  now_ += 1h;
  Fail(3);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(core().evidence(now_).failed, 3U);
}

TEST_F(CircuitBreakerCoreTest, TheRestDoublesWithEachFailedProbeAndStartsAgainAfterAClose) {
  options_.open_max = 17s;
  TripAndRest();
  for (const Duration expected : {10s, 17s, 17s}) {
    Fail(1);
    EXPECT_EQ(rest(), expected);
    now_ = core().open_until();
  }
  Pass(2);
  Trip();
  EXPECT_EQ(rest(), 5s);
}

TEST_F(CircuitBreakerCoreTest, TheRestNeverOverflowsHoweverOftenProbesFail) {
  options_.open_for = 1h;
  options_.open_max = 24h;
  TripAndRest();
  for (int i = 0; i < 1000; ++i) {
    Fail(1);
    ASSERT_GE(rest(), 2h);
    ASSERT_LE(rest(), 24h);
    now_ = core().open_until();
  }
}

TEST_F(CircuitBreakerCoreTest, RestsOfAThousandBreakersSpreadOverTheJitterAndAreNeverShorter) {
  options_.jitter = 0.2;
  std::vector<Duration> rests;
  for (int i = 0; i < 1000; ++i) {
    CircuitBreakerCore core(options_, random_);
    for (int k = 0; k < 4; ++k) core.Record(*core.Admit(now_), Outcome::kFailure, now_);
    rests.push_back(core.open_until() - now_);
  }
  const auto [shortest, longest] = std::ranges::minmax(rests);
  EXPECT_GE(shortest, 5s);
  EXPECT_LE(longest, 6s);
  EXPECT_GE(longest - shortest, 900ms);
}

TEST_F(CircuitBreakerCoreTest, SparseFailuresFurtherApartThanTheWindowOpenByTheirRow) {
  options_.consecutive_failures = 5;
  for (int i = 0; i < 4; ++i, now_ += 1min) Fail(1);
  EXPECT_EQ(state(), CircuitState::kClosed);
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerCoreTest, ASuccessEndsARowOfFailures) {
  options_.consecutive_failures = 3;
  options_.minimum_calls = 100;
  for (int i = 0; i < 10; ++i) {
    Fail(2);
    Pass(1);
  }
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, ResetClosesItAndVerdictsOfProbesThatAreOutChangeNothing) {
  TripAndRest();
  const Ticket probe = Enter();
  core().Reset();
  EXPECT_EQ(state(), CircuitState::kClosed);
  Settle(probe, Outcome::kFailure);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(core().evidence(now_).failed, 0U);
}

TEST_F(CircuitBreakerCoreTest, EvidenceOfLifeEndsARestEarly) {
  Trip();
  now_ += 1s;
  EXPECT_TRUE(Refuses());
  core().EvidenceOfLife(now_);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  Pass(2);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerCoreTest, EvidenceOfLifeDoesNotLiftAnOrderNorTouchAnEpisode) {
  core().Force(CircuitState::kForcedOpen, now_ + 1h);
  core().EvidenceOfLife(now_);
  EXPECT_EQ(state(), CircuitState::kForcedOpen);
  core().Reset();
  const CircuitWord closed = core().word();
  core().EvidenceOfLife(now_);
  EXPECT_EQ(core().word(), closed);
}

TEST_F(CircuitBreakerCoreTest, AdmitsAGrowingShareAfterItCloses) {
  options_.ramp = 10s;
  TripAndRest();
  Pass(2);
  double before = 0;
  for (const double expected : {0.1, 0.325, 0.55, 0.775, 1.0}) {
    int admitted = 0;
    for (int i = 0; i < 10'000; ++i) admitted += Refuses() ? 0 : 1;
    EXPECT_NEAR(admitted / 10'000.0, expected, 0.02);
    EXPECT_GT(admitted, before);
    before = admitted;
    now_ += 2500ms;
  }
}

TEST_F(CircuitBreakerCoreTest, AFewFailuresInTheRampOpenItAgain) {
  options_.minimum_calls = 100;
  options_.ramp = 10s;
  TripAndRest();
  Pass(2);
  int asked = 0;
  for (; state() == CircuitState::kClosed && asked < 1000; ++asked) {
    if (const auto ticket = core().Admit(now_)) Settle(*ticket, Outcome::kFailure);
  }
  EXPECT_EQ(state(), CircuitState::kOpen);
  EXPECT_DOUBLE_EQ(core().trip().observed, 1);
  EXPECT_LT(asked, 300);  // 10 failures of calls that pass at 10 %
}

TEST_F(CircuitBreakerCoreTest, AClockThatStepsBackLosesNothingAndRecovers) {
  Fail(2);
  now_ -= 1s;
  Pass(1);
  EXPECT_EQ(core().evidence(now_).failed, 2U);
  EXPECT_EQ(core().evidence(now_).good, 1U);
  now_ += 11s;
  EXPECT_EQ(core().evidence(now_).good, 0U);  // and nothing stays for ever
  Trip();
}

TEST_F(CircuitBreakerCoreTest, AClockThatLeapsThirtyDaysForgetsAllAndGoesOn) {
  Fail(3);
  now_ += 24h * 30;
  Fail(3);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(core().evidence(now_).failed, 3U);
}

TEST_F(CircuitBreakerCoreTest, ApplyKeepsAnOpenCircuitOpenUntilItsTime) {
  Trip();
  const CircuitWord before = core().word();
  options_.open_for = 1min;
  options_.window = 30s;
  core().Apply(options_, now_);
  EXPECT_EQ(core().word(), before);
}

TEST_F(CircuitBreakerCoreTest, ApplyKeepsWhatTheWindowHoldsAndWhoIsOut) {
  const Ticket out = Enter();
  Fail(2);
  now_ += 3s;
  options_.window = 20s;
  options_.buckets = 20;
  core().Apply(options_, now_);
  Settle(out, Outcome::kFailure);
  EXPECT_EQ(core().evidence(now_).failed, 3U);
  EXPECT_EQ(out.generation, core().word().generation);
}

}  // namespace
}  // namespace hale::policy
