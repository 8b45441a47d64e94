#include "hale/policy/circuit_breaker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace hale::policy {
namespace {

/// Keeps what it is told, and may call back.
class Journal final : public EventSink {
 public:
  void On(const Event& event) noexcept override {
    kinds.push_back(event.kind);
    last = event;
    detail = event.detail;
    if (then) then();
  }
  int Count(EventKind kind) const { return static_cast<int>(std::ranges::count(kinds, kind)); }

  std::vector<EventKind> kinds;
  Event last;
  std::string detail;
  std::function<void()> then;
};

/// Opens at 2 bad of 4, rests 5 s without jitter, 2 probes, no ramp: what a test is about, it sets.
class CircuitBreakerTest : public testing::Test {
 protected:
  CircuitBreaker& breaker() {
    if (!breaker_) {
      breaker_ = std::make_unique<CircuitBreaker>(
          options_, CircuitBreakerContext{.service = "ledger",
                                          .instance = "127.0.0.1:9001",
                                          .events = journal_,
                                          .clock = clock_,
                                          .random = &random_});
    }
    return *breaker_;
  }
  CircuitPermit Enter() {
    auto permit = breaker().Admit();
    EXPECT_TRUE(permit.has_value());
    return permit ? std::move(*permit) : CircuitPermit();
  }
  void Fail(int times = 1) {
    for (int i = 0; i < times; ++i) Enter().Settle(Outcome::kFailure);
  }
  void Pass(int times = 1) {
    for (int i = 0; i < times; ++i) Enter().Settle(Outcome::kSuccess);
  }
  /// The generation of a call that went well.
  std::uint32_t EnterAndPass() {
    CircuitPermit permit = Enter();
    permit.Settle(Outcome::kSuccess);
    return permit.ticket().generation;
  }
  void Trip() { Fail(4); }
  CircuitState state() { return breaker().state(); }
  CircuitTotals totals() { return breaker().Status().totals; }

  CircuitBreakerOptions options_{.minimum_calls = 4,
                                 .consecutive_failures = 0,
                                 .hung_after = 0s,
                                 .jitter = 0,
                                 .probes = 2,
                                 .ramp = 0s};
  SimClock clock_;
  Journal journal_;
  SeededRandom random_{1};
  std::unique_ptr<CircuitBreaker> breaker_;
};

TEST_F(CircuitBreakerTest, IgnoresAVerdictFromAnEarlierGeneration) {
  CircuitPermit late = Enter();
  Trip();
  clock_.Advance(5s);
  const CircuitPermit probe = Enter();
  late.Settle(Outcome::kFailure);
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  EXPECT_EQ(totals().late, 1U);
}

TEST_F(CircuitBreakerTest, APermitSettlesOnce) {
  options_.minimum_calls = 3;
  CircuitPermit permit = Enter();
  for (int i = 0; i < 10; ++i) permit.Settle(Outcome::kFailure);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(totals().failed, 1U);
}

TEST_F(CircuitBreakerTest, AMovedPermitSettlesOnce) {
  CircuitPermit first = Enter();
  CircuitPermit second = std::move(first);
  second.Settle(Outcome::kSuccess);
  EXPECT_EQ(totals().succeeded, 1U);
  EXPECT_EQ(totals().ignored, 0U);
}

TEST_F(CircuitBreakerTest, AssigningToAPermitSettlesTheOldOneAsIgnored) {
  CircuitPermit permit = Enter();
  permit = Enter();
  EXPECT_EQ(totals().ignored, 1U);
  EXPECT_EQ(totals().admitted, 2U);
}

TEST_F(CircuitBreakerTest, AForgottenProbeGivesItsPlaceBack) {
  options_.probes = 1;
  Trip();
  clock_.Advance(5s);
  {
    const CircuitPermit cancelled = Enter();
  }
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  Pass(1);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerTest, AThrowingCallerReturnsItsPermit) {
  const auto call = [&] {
    const CircuitPermit permit = Enter();
    throw std::runtime_error("the caller's own");
  };
  EXPECT_THROW(call(), std::runtime_error);
  const CircuitTotals after = totals();
  EXPECT_EQ(after.admitted, after.ignored);
}

TEST_F(CircuitBreakerTest, CountsAreConserved) {
  CircuitPermit out = Enter();
  Pass(4);
  Trip();
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(breaker().Admit().has_value());
  out.Settle(Outcome::kSuccess);
  const CircuitTotals t = totals();
  EXPECT_EQ(t.admitted, t.succeeded + t.failed + t.slow + t.ignored + t.late);
  EXPECT_EQ(t.refused, 7U);
}

TEST_F(CircuitBreakerTest, ARefusalSaysWhyAndForHowLong) {
  Trip();
  clock_.Advance(2s);
  const auto refused = breaker().Admit();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kCircuitOpen);
  EXPECT_EQ(refused.error().retry_after, 3s);
  EXPECT_DOUBLE_EQ(refused.error().observed, 1.0);
  EXPECT_DOUBLE_EQ(refused.error().threshold, 0.5);
  EXPECT_EQ(refused.error().detail, "failure_rate");
}

TEST_F(CircuitBreakerTest, WouldAdmitFollowsTheRestAndThePlacesOfProbes) {
  EXPECT_TRUE(breaker().WouldAdmit());
  Trip();
  EXPECT_FALSE(breaker().WouldAdmit(clock_.Now() + 5s - 1ns));
  EXPECT_TRUE(breaker().WouldAdmit(clock_.Now() + 5s));
  clock_.Advance(5s);
  const CircuitPermit first = Enter();
  EXPECT_TRUE(breaker().WouldAdmit());
  const CircuitPermit second = Enter();
  EXPECT_FALSE(breaker().WouldAdmit());
  EXPECT_EQ(breaker().Admit().error().reason, Reason::kProbing);
}

TEST_F(CircuitBreakerTest, TellsEachChangeOnceWithItsFigures) {
  Trip();
  EXPECT_EQ(journal_.last.reason, Reason::kFailureRate);
  EXPECT_EQ(journal_.last.span, 5s);
  EXPECT_EQ(journal_.last.service, "ledger");
  EXPECT_EQ(journal_.last.instance, "127.0.0.1:9001");
  clock_.Advance(5s);
  Pass(2);
  EXPECT_EQ(journal_.last.reason, Reason::kRecovered);
  using enum EventKind;
  EXPECT_EQ(journal_.kinds, (std::vector{kOpened, kHalfOpened, kClosed}));
}

TEST_F(CircuitBreakerTest, AnAnswerThatBreaksOffCountsAsOneMoreFailure) {
  const auto generation = EnterAndPass();
  Fail(2);
  breaker().Fail(generation, clock_.Now());
  EXPECT_EQ(state(), CircuitState::kOpen);
  EXPECT_EQ(totals().admitted, 4U);
  EXPECT_EQ(totals().failed, 3U);
}

TEST_F(CircuitBreakerTest, AnAnswerThatBreaksOffIsNoProbeOfACircuitThatHasRested) {
  const auto generation = EnterAndPass();
  Fail(3);
  clock_.Advance(6s);
  const CircuitStatus rested = breaker().Status();
  breaker().Fail(generation, clock_.Now());
  EXPECT_EQ(breaker().Status().generation, rested.generation);
  EXPECT_EQ(breaker().Status().until, rested.until);
  EXPECT_EQ(totals().failed, 3U);
}

TEST_F(CircuitBreakerTest, AnAnswerThatBreaksOffSaysNothingOfTheProbesThatAreOut) {
  const auto generation = EnterAndPass();
  Fail(3);
  clock_.Advance(5s);
  const CircuitPermit probe = Enter();
  breaker().Fail(generation, clock_.Now());
  breaker().Fail(probe.ticket().generation, clock_.Now());  // nor one of theirs
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  EXPECT_EQ(totals().admitted, 5U);
}

TEST_F(CircuitBreakerTest, AnAnswerThatBreaksOffCountsNotInALaterGeneration) {
  const auto generation = EnterAndPass();
  breaker().Reset();
  breaker().Fail(generation, clock_.Now());
  EXPECT_EQ(totals().failed, 0U);
}

TEST_F(CircuitBreakerTest, FailuresThatArriveWhileOpenTellNothing) {
  std::vector<CircuitPermit> out;
  for (int i = 0; i < 8; ++i) out.push_back(Enter());
  for (CircuitPermit& permit : out) permit.Settle(Outcome::kFailure);
  EXPECT_EQ(journal_.Count(EventKind::kOpened), 1);
  EXPECT_EQ(totals().opened, 1U);
  EXPECT_EQ(totals().failed, 4U);
  EXPECT_EQ(totals().late, 4U);
}

TEST_F(CircuitBreakerTest, ASinkMayCallBackAndSeesTheNewState) {
  CircuitState seen{};
  journal_.then = [&] {
    if (journal_.last.kind != EventKind::kOpened) return;
    seen = state();
    breaker().Reset();
    Pass(1);
  };
  Trip();
  EXPECT_EQ(seen, CircuitState::kOpen);
  EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerTest, ProbesThatAreLostAreTold) {
  Trip();
  clock_.Advance(5s);
  const CircuitPermit lost = Enter();
  clock_.Advance(5s);
  const CircuitPermit fresh = Enter();
  EXPECT_EQ(journal_.last.kind, EventKind::kHalfOpened);
  EXPECT_EQ(journal_.last.reason, Reason::kProbeLost);
}

TEST_F(CircuitBreakerTest, ShadowDecidesAndTellsButRefusesNothing) {
  options_.mode = Mode::kShadow;
  Trip();
  EXPECT_TRUE(breaker().WouldAdmit());
  Pass(3);
  EXPECT_EQ(state(), CircuitState::kOpen);
  EXPECT_EQ(journal_.Count(EventKind::kOpened), 1);
  EXPECT_EQ(journal_.Count(EventKind::kWouldRefuse), 3);
  EXPECT_EQ(totals().would_refuse, 3U);
  EXPECT_EQ(totals().refused, 0U);
}

TEST_F(CircuitBreakerTest, ShadowTellsTheTrailOfTheCallAndNobodyElse) {
  options_.mode = Mode::kShadow;
  Trip();
  Journal trail;
  EXPECT_TRUE(breaker().Admit(clock_.Now(), 0ms, &trail));
  EXPECT_EQ(trail.kinds, std::vector{EventKind::kWouldRefuse});
  EXPECT_EQ(trail.last.instance, "127.0.0.1:9001");
  EXPECT_EQ(journal_.kinds, std::vector{EventKind::kOpened});
}

TEST_F(CircuitBreakerTest, AChangeOfStateConcernsEverybodyWhicheverCallBringsIt) {
  options_.mode = Mode::kShadow;
  Trip();
  clock_.Advance(5s);
  Journal trail;
  EXPECT_TRUE(breaker().Admit(clock_.Now(), 0ms, &trail));
  EXPECT_EQ(journal_.last.kind, EventKind::kHalfOpened);
  EXPECT_TRUE(trail.kinds.empty());
}

TEST_F(CircuitBreakerTest, ShadowSaysWhatOpenedTheCircuitThatWouldRefuse) {
  options_.mode = Mode::kShadow;
  Trip();
  Pass(1);
  EXPECT_EQ(journal_.last.reason, Reason::kCircuitOpen);
  EXPECT_EQ(journal_.last.detail, Word(breaker().Status(clock_.Now()).trip.reason));
}

TEST_F(CircuitBreakerTest, ShadowProbesAfterTheRestAsEnforceWould) {
  options_.mode = Mode::kShadow;
  Trip();
  clock_.Advance(5s);
  Pass(2);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(journal_.Count(EventKind::kWouldRefuse), 0);
}

TEST_F(CircuitBreakerTest, InShadowOthersFollowNothingButAnOrder) {
  options_.mode = Mode::kShadow;
  Trip();
  EXPECT_EQ(state(), CircuitState::kOpen);
  EXPECT_EQ(breaker().state_in_force(clock_.Now()), CircuitState::kClosed);
  breaker().Force({.state = CircuitState::kForcedOpen, .ttl = 1min, .why = ""});
  EXPECT_EQ(breaker().state_in_force(clock_.Now()), CircuitState::kForcedOpen);
  clock_.Advance(1min);
  EXPECT_EQ(breaker().state_in_force(clock_.Now()), CircuitState::kClosed);
}

TEST_F(CircuitBreakerTest, OffOthersFollowNothing) {
  Trip();
  EXPECT_EQ(breaker().state_in_force(clock_.Now()), CircuitState::kOpen);
  options_.mode = Mode::kOff;
  breaker().Apply(options_);
  EXPECT_EQ(breaker().state_in_force(clock_.Now()), CircuitState::kClosed);
  breaker().Force({.state = CircuitState::kForcedOpen, .ttl = 1min, .why = ""});
  EXPECT_EQ(breaker().state_in_force(clock_.Now()), CircuitState::kClosed);
}

TEST_F(CircuitBreakerTest, OffIsNotAsked) {
  options_.mode = Mode::kOff;
  Fail(100);
  EXPECT_EQ(state(), CircuitState::kClosed);
  EXPECT_EQ(totals().admitted, 0U);
  EXPECT_TRUE(journal_.kinds.empty());
}

TEST_F(CircuitBreakerTest, AnOrderIsJournalledWithItsWordsAndItsTime) {
  breaker().Force({.state = CircuitState::kForcedOpen, .ttl = 1h, .why = "drill 7"});
  EXPECT_EQ(journal_.last.kind, EventKind::kForced);
  EXPECT_EQ(journal_.last.span, 1h);
  EXPECT_EQ(journal_.detail, "open: drill 7");
  EXPECT_EQ(breaker().Status().why, "drill 7");
  const auto refused = breaker().Admit();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::kForced);
  EXPECT_EQ(refused.error().retry_after, 1h);
}

TEST_F(CircuitBreakerTest, AnOrderRefusesInShadowToo) {
  options_.mode = Mode::kShadow;
  breaker().Force({.state = CircuitState::kForcedOpen, .ttl = 1h, .why = ""});
  EXPECT_FALSE(breaker().WouldAdmit());
  EXPECT_FALSE(breaker().Admit().has_value());
}

TEST_F(CircuitBreakerTest, AnOrderWithoutAnEndIsRefusedForEver) {
  breaker().Force({.state = CircuitState::kForcedOpen, .why = "gone"});
  clock_.Advance(24h * 365);
  ASSERT_FALSE(breaker().Admit().has_value());
  EXPECT_EQ(breaker().Admit().error().retry_after, kForever);
}

TEST_F(CircuitBreakerTest, AnOrderThatRunsOutIsJournalled) {
  breaker().Force({.state = CircuitState::kForcedOpen, .ttl = 1min, .why = ""});
  clock_.Advance(1min);
  Pass(2);
  using enum EventKind;
  EXPECT_EQ(journal_.kinds, (std::vector{kForced, kForced, kHalfOpened, kClosed}));
  EXPECT_EQ(totals().opened, 0U);
}

TEST_F(CircuitBreakerTest, ReleaseLiftsAnOrder) {
  breaker().Force({.state = CircuitState::kForcedClosed, .why = "trust me"});
  Fail(20);
  breaker().Release();
  EXPECT_EQ(state(), CircuitState::kClosed);
  Trip();
  EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerTest, EvidenceOfLifeLetsPickersTryAtOnce) {
  Trip();
  breaker().EvidenceOfLife();
  EXPECT_TRUE(breaker().WouldAdmit());
  const CircuitPermit probe = Enter();
  EXPECT_EQ(journal_.last.kind, EventKind::kHalfOpened);
  EXPECT_EQ(journal_.last.reason, Reason::kRecovered);
}

TEST_F(CircuitBreakerTest, ApplyKeepsTheRestAndChangesTheMode) {
  Trip();
  options_.open_for = 1min;
  breaker().Apply(options_);
  EXPECT_EQ(breaker().Admit().error().retry_after, 5s);
  options_.mode = Mode::kShadow;
  breaker().Apply(options_);
  EXPECT_TRUE(breaker().Admit().has_value());
}

TEST_F(CircuitBreakerTest, CallsThatAreOutDuringApplyAreCountedOnce) {
  CircuitPermit out = Enter();
  options_.window = 1min;
  options_.buckets = 30;
  breaker().Apply(options_);
  out.Settle(Outcome::kFailure);
  EXPECT_EQ(breaker().Status().evidence.failed, 1U);
  EXPECT_EQ(totals().late, 0U);
}

TEST_F(CircuitBreakerTest, AGoodCallThatIsOutDuringApplyIsCounted) {
  Pass(1);  // begins the bucket, so that the next one is counted by its thread
  CircuitPermit out = Enter();
  options_.buckets = 20;
  breaker().Apply(options_);
  out.Settle(Outcome::kSuccess);
  EXPECT_EQ(breaker().Status().evidence.good, 2U);
}

TEST_F(CircuitBreakerTest, ApplyKeepsWhatThreadsHaveCounted) {
  Pass(1);
  CircuitPermit out = Enter();
  clock_.Advance(1s);
  Pass(1);
  out.Settle(Outcome::kSuccess);  // in the bucket before
  options_.buckets = 20;
  breaker().Apply(options_);
  EXPECT_EQ(breaker().Status().evidence.good, 3U);
}

TEST_F(CircuitBreakerTest, ForgetsGoodCallsOneBucketAtATime) {
  for (int i = 0; i < 10; ++i, clock_.Advance(1s)) Pass(i + 1);
  EXPECT_EQ(breaker().Status().evidence.good, 54U);  // 55 less the first bucket's one
  clock_.Advance(1s);
  EXPECT_EQ(breaker().Status().evidence.good, 52U);
}

TEST_F(CircuitBreakerTest, AnAnswerAfterFourBucketsCountsWhereItsCallWasSent) {
  Pass(1);  // the first of a bucket is settled under the lock
  CircuitPermit out = Enter();
  for (int i = 0; i < 4; ++i, clock_.Advance(1s)) Pass(1);
  Pass(1);
  out.Settle(Outcome::kSuccess);
  EXPECT_EQ(breaker().Status(clock_.Now() + 5s).evidence.good, 7U);
  EXPECT_EQ(breaker().Status(clock_.Now() + 6s).evidence.good, 4U);
}

TEST_F(CircuitBreakerTest, ResetForgetsWhatThreadsHaveCounted) {
  Pass(3);
  breaker().Reset();
  EXPECT_EQ(breaker().Status().evidence.good, 0U);
  EXPECT_EQ(totals().succeeded, 3U);
}

TEST_F(CircuitBreakerTest, ASuccessEndsARowOfFailures) {
  options_.consecutive_failures = 3;
  options_.minimum_calls = 100;
  for (int i = 0; i < 10; ++i) {
    Fail(2);
    Pass(1);
  }
  Fail(2);
  EXPECT_EQ(state(), CircuitState::kClosed);
  Fail(1);
  EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerTest, ASlowSuccessIsBad) {
  options_.slow_call = 100ms;
  Pass(1);  // the first of a bucket is settled under the lock
  CircuitPermit slow = Enter();
  clock_.Advance(100ms);
  slow.Settle(Outcome::kSuccess);
  EXPECT_EQ(breaker().Status().evidence.slow, 1U);
}

TEST_F(CircuitBreakerTest, TheRampAdmitsAShareAndThenAll) {
  options_.ramp = 10s;
  Trip();
  clock_.Advance(5s);
  Pass(2);
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += breaker().Admit().has_value() ? 1 : 0;
  EXPECT_NEAR(admitted, 100, 30);
  clock_.Advance(10s);
  Pass(1000);
}

TEST_F(CircuitBreakerTest, StatusShowsTheWindowAndTheState) {
  Pass(3);
  Fail(1);
  const CircuitPermit out = Enter();
  const CircuitStatus status = breaker().Status();
  EXPECT_EQ(status.state, CircuitState::kClosed);
  EXPECT_EQ(status.evidence.good, 3U);
  EXPECT_EQ(status.evidence.failed, 1U);
  EXPECT_EQ(status.evidence.bad_in_row, 1U);
  EXPECT_EQ(status.totals.admitted, 5U);
  EXPECT_DOUBLE_EQ(status.admit_share, 1);
}

TEST_F(CircuitBreakerTest, ReadingTheStatusDoesNotHideHungCalls) {
  options_.hung_after = 2s;
  std::vector<CircuitPermit> out;
  for (int i = 0; i < 4; ++i) out.push_back(Enter());
  clock_.Advance(3s);
  EXPECT_EQ(breaker().Status().evidence.hung, 4U);
  EXPECT_FALSE(breaker().Admit().has_value());
  EXPECT_EQ(journal_.last.reason, Reason::kHungCalls);
}

}  // namespace
}  // namespace hale::policy
