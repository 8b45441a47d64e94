#include "hale/policy/outlier.h"

#include <gtest/gtest.h>

#include "hale/base/random.h"
#include "hale/policy/judged_set.h"

namespace hale::policy {
namespace {

class OutlierTest : public testing::Test, protected JudgedSet {};

TEST_F(OutlierTest, LeavesTheWellAlone) {
  Make(3);
  const Judgement judgement = Judge();
  EXPECT_EQ(Count(judgement, Use::kNormal), 3U);
  EXPECT_EQ(LeftOut(judgement), 0U);
  EXPECT_FALSE(judgement.all_dead);
}

TEST_F(OutlierTest, LeavesOutWhoRefuses) {
  Make(3);
  Refuse(1);
  const InstanceVerdict verdict = Judge().verdicts[1];
  EXPECT_EQ(verdict.standing, Standing::kDead);
  EXPECT_EQ(verdict.use, Use::kOut);
  EXPECT_EQ(verdict.reason, Reason::kUpstreamConnect);
  EXPECT_EQ(verdict.since, now_);
}

TEST_F(OutlierTest, LeavesOutWhoHasStopped) {
  Make(2);
  set_[0].stalled = true;
  const Judgement judgement = Judge();
  EXPECT_EQ(judgement.verdicts[0].use, Use::kOut);
  EXPECT_EQ(judgement.verdicts[0].reason, Reason::kStalled);
  EXPECT_EQ(judgement.verdicts[1].use, Use::kNormal);
}

TEST_F(OutlierTest, LeavesOutTheDeadWithoutACap) {
  Make(10);
  for (std::size_t i = 0; i < 9; ++i) Refuse(i);
  const Judgement judgement = Judge();
  EXPECT_EQ(Count(judgement, Use::kOut), 9U);
  EXPECT_FALSE(judgement.panic);
}

TEST_F(OutlierTest, SaysWhenAllAreDead) {
  Make(2);
  Refuse(0);
  set_[1].stalled = true;
  EXPECT_TRUE(Judge().all_dead);
  Make(0);
  EXPECT_TRUE(Judge().all_dead);
}

TEST_F(OutlierTest, TakesAConnectOrAByteForLife) {
  Make(2);
  Refuse(0);
  Judge();
  now_ += 1s;
  set_[0].alive = now_;
  const InstanceVerdict verdict = Judge().verdicts[0];
  EXPECT_EQ(verdict.standing, Standing::kIn);
  EXPECT_EQ(verdict.use, Use::kNormal);
}

TEST_F(OutlierTest, LetsTheDeadReturnByARamp) {
  Make(2);
  Refuse(0);
  Judge();
  now_ += 1s;
  set_[0].alive = now_;
  EXPECT_EQ(Judge().verdicts[0].ramp_from, now_);
  const TimePoint returned = now_;
  now_ += 1s;
  EXPECT_EQ(Judge().verdicts[0].ramp_from, returned);
  EXPECT_EQ(Judge().verdicts[1].ramp_from, TimePoint::min());
}

TEST_F(OutlierTest, DoesNotTakeAConnectForTheLifeOfWhoHasStopped) {
  Make(2);
  set_[0].stalled = true;  // the kernel accepts for a stopped process
  set_[0].alive = now_;
  EXPECT_EQ(Judge().verdicts[0].use, Use::kOut);
}

TEST_F(OutlierTest, LeavesASickOneToItsBreaker) {
  Make(5);
  Sicken(2);
  const InstanceVerdict verdict = Judge().verdicts[2];
  EXPECT_EQ(verdict.standing, Standing::kSick);
  EXPECT_EQ(verdict.reason, Reason::kFailureRate);
  EXPECT_EQ(verdict.use, Use::kNormal);  // its breaker refuses, and later probes
  EXPECT_TRUE(verdict.left_out);
}

TEST_F(OutlierTest, LeavesOutOneSickOfFiveAtMost) {
  Make(5);
  for (std::size_t i = 0; i < 3; ++i) Sicken(i);
  const Judgement judgement = JudgeFor(30s);
  EXPECT_EQ(LeftOut(judgement), 1U);
  EXPECT_EQ(Count(judgement, Use::kAnyway), 2U);
  EXPECT_FALSE(judgement.panic);
}

TEST_F(OutlierTest, LeavesOutAFifthOfMany) {
  Make(20);
  for (std::size_t i = 0; i < 12; ++i) Sicken(i);
  EXPECT_EQ(LeftOut(JudgeFor(30s)), 4U);
}

TEST_F(OutlierTest, LeavesOutTheSickOneAtATime) {
  Make(20);
  for (std::size_t i = 0; i < 4; ++i) Sicken(i);
  EXPECT_EQ(LeftOut(Judge()), 1U);
  now_ += 999ms;
  EXPECT_EQ(LeftOut(Judge()), 1U);
  now_ += 1ms;
  EXPECT_EQ(LeftOut(Judge()), 2U);
}

TEST_F(OutlierTest, GivesThePlaceOfTheRecoveredToTheNextAfterAnInterval) {
  Make(5);
  Sicken(0);
  Sicken(1);
  Judge();
  set_[0].circuit = CircuitState::kClosed;
  now_ += 999ms;
  EXPECT_EQ(LeftOut(Judge()), 0U);
  now_ += 1ms;
  const Judgement judgement = Judge();
  EXPECT_EQ(judgement.verdicts[0].standing, Standing::kIn);
  EXPECT_TRUE(judgement.verdicts[1].left_out);
}

TEST_F(OutlierTest, LeavesOutTheSickOneOfTwo) {
  Make(2);
  Sicken(0);
  const Judgement judgement = Judge();
  EXPECT_TRUE(judgement.verdicts[0].left_out);
  EXPECT_FALSE(judgement.panic);
}

TEST_F(OutlierTest, LeavesTheOnlyOneToItsBreaker) {
  Make(1);
  Sicken(0);
  const Judgement judgement = Judge();
  EXPECT_EQ(judgement.verdicts[0].use, Use::kNormal);
  EXPECT_FALSE(judgement.panic);
  EXPECT_FALSE(judgement.all_dead);
}

TEST_F(OutlierTest, ExceptsNobodyWhenEveryCircuitIsOpen) {
  Make(5);
  for (std::size_t i = 0; i < 5; ++i) Sicken(i);
  set_[3].circuit = CircuitState::kHalfOpen;
  const Judgement judgement = Judge();
  EXPECT_EQ(Count(judgement, Use::kNormal), 5U);  // circuit_open, from the breakers
  EXPECT_FALSE(judgement.panic);
}

TEST_F(OutlierTest, CountsOnlyTheLivingForThat) {
  Make(3);
  Refuse(0);
  Sicken(1);
  Sicken(2);
  EXPECT_EQ(Count(Judge(), Use::kNormal), 2U);
}

TEST_F(OutlierTest, NeverPassesOverAnOperatorsOrder) {
  Make(5);
  for (std::size_t i = 0; i < 4; ++i) set_[i].circuit = CircuitState::kForcedOpen;
  const Judgement judgement = Judge();
  EXPECT_EQ(Count(judgement, Use::kNormal), 5U);
  EXPECT_EQ(LeftOut(judgement), 4U);
}

TEST_F(OutlierTest, KeepsAnOperatorsOrderInPanic) {
  Make(4);
  for (std::size_t i = 0; i < 3; ++i) set_[i].health = Opinion::kBad;
  set_[0].circuit = CircuitState::kForcedOpen;
  EXPECT_TRUE(Judge().panic);
  EXPECT_EQ(set_[0].before.use, Use::kNormal);  // its breaker refuses
  EXPECT_TRUE(set_[0].before.left_out);
}

TEST_F(OutlierTest, UndoesALeavingOutThatMakesThePeersSlow) {
  Make(5);
  Sicken(0);
  EXPECT_TRUE(Judge().verdicts[0].left_out);
  now_ += 2s;
  for (InstanceFacts& facts : set_) facts.latency = 100ms;
  const InstanceVerdict verdict = Judge().verdicts[0];
  EXPECT_EQ(verdict.use, Use::kAnyway);
  EXPECT_FALSE(verdict.left_out);
  EXPECT_TRUE(verdict.undone);
}

TEST_F(OutlierTest, UndoesNothingForOneSlowPeer) {
  Make(5);
  Sicken(0);
  Judge();
  set_[1].latency = 10s;
  EXPECT_TRUE(Judge().verdicts[0].left_out);
}

TEST_F(OutlierTest, UndoesNothingForAFewMilliseconds) {
  Make(5);
  Sicken(0);
  Judge();
  for (InstanceFacts& facts : set_) facts.latency = 29ms;
  EXPECT_TRUE(Judge().verdicts[0].left_out);
}

TEST_F(OutlierTest, LeavesNobodyOutForAWhileAfterAnUndoing) {
  Make(5);
  Sicken(0);
  Judge();
  for (InstanceFacts& facts : set_) facts.latency = 100ms;
  Judge();
  Sicken(1);
  now_ += 9999ms;
  EXPECT_EQ(LeftOut(Judge()), 0U);
  now_ += 1ms;
  EXPECT_EQ(LeftOut(Judge()), 1U);
}

TEST_F(OutlierTest, LeavesNobodyOutForAWhileThoughTheUndoneIsWell) {
  Make(5);
  Sicken(0);
  Judge();
  for (InstanceFacts& facts : set_) facts.latency = 100ms;
  Judge();
  set_[0].circuit = CircuitState::kClosed;
  Judge();
  Sicken(0);
  now_ += 9999ms;
  EXPECT_EQ(LeftOut(Judge()), 0U);
  now_ += 1ms;
  EXPECT_EQ(LeftOut(Judge()), 1U);
}

TEST_F(OutlierTest, LeavesOutWhoFailsItsHealthChecks) {
  Make(3);
  set_[0].health = Opinion::kBad;
  const InstanceVerdict verdict = Judge().verdicts[0];
  EXPECT_EQ(verdict.standing, Standing::kDead);
  EXPECT_EQ(verdict.use, Use::kOut);
  EXPECT_EQ(verdict.reason, Reason::kUnhealthy);
}

TEST_F(OutlierTest, UsesWhoIsOnlySaidToBeDownWhenTooFewAreLeft) {
  Make(3);
  set_[0].health = Opinion::kBad;
  set_[1].registry = Opinion::kBad;
  const Judgement judgement = Judge();
  EXPECT_TRUE(judgement.panic);
  EXPECT_EQ(Count(judgement, Use::kNormal), 3U);
}

TEST_F(OutlierTest, DoesNotPanicWithHalfLeft) {
  Make(4);
  set_[0].health = Opinion::kBad;
  set_[1].health = Opinion::kBad;
  const Judgement judgement = Judge();
  EXPECT_FALSE(judgement.panic);
  EXPECT_EQ(Count(judgement, Use::kOut), 2U);
}

TEST_F(OutlierTest, UsesTheSickWhenTooFewAreLeft) {
  Make(5);
  Refuse(0);
  Refuse(1);
  Sicken(2);
  const Judgement judgement = Judge();
  EXPECT_TRUE(judgement.panic);
  EXPECT_EQ(judgement.verdicts[2].use, Use::kAnyway);
  EXPECT_FALSE(judgement.verdicts[2].left_out);
}

TEST_F(OutlierTest, NeverBringsBackWhoRefusesOrHasStopped) {
  Make(4);
  Refuse(0);
  set_[1].stalled = true;
  set_[2].health = Opinion::kBad;
  const Judgement judgement = Judge();
  EXPECT_TRUE(judgement.panic);
  EXPECT_EQ(judgement.verdicts[0].use, Use::kOut);
  EXPECT_EQ(judgement.verdicts[1].use, Use::kOut);
  EXPECT_EQ(judgement.verdicts[2].use, Use::kNormal);
}

TEST_F(OutlierTest, BringsTheDoubtedBackWithoutARamp) {
  Make(3);
  set_[0].health = Opinion::kBad;
  Judge();
  Refuse(1);
  EXPECT_EQ(Judge().verdicts[0].use, Use::kNormal);
  EXPECT_EQ(set_[0].before.ramp_from, TimePoint::min());
}

TEST_F(OutlierTest, LeavesNobodyOutInShadow) {
  Make(3);
  options_.mode = Mode::kShadow;
  Refuse(0);
  EXPECT_EQ(Told(0)->kind, EventKind::kWouldRefuse);
  EXPECT_EQ(set_[0].before.use, Use::kNormal);
  EXPECT_TRUE(set_[0].before.left_out);
}

TEST_F(OutlierTest, PanicsForNobodyInShadow) {
  Make(4);
  for (std::size_t i = 0; i < 3; ++i) set_[i].health = Opinion::kBad;
  Sicken(3);
  ASSERT_TRUE(Judge().panic);
  options_.mode = Mode::kShadow;
  const Judgement judgement = Judge();
  EXPECT_FALSE(judgement.panic);
  EXPECT_EQ(Count(judgement, Use::kNormal), 4U) << "no breaker is passed over";
}

TEST_F(OutlierTest, TellsOfNoReturnOfWhoWasNeverOut) {
  Make(3);
  options_.mode = Mode::kShadow;
  Refuse(0);
  Judge();
  now_ += 3s;
  set_[0].alive = now_;
  EXPECT_FALSE(Told(0));
  EXPECT_FALSE(set_[0].before.left_out);
}

TEST_F(OutlierTest, TellsOfLeavingOutWhenShadowEnds) {
  Make(3);
  options_.mode = Mode::kShadow;
  Refuse(0);
  Judge();
  options_.mode = Mode::kEnforce;
  EXPECT_EQ(Told(0)->kind, EventKind::kEjected);
}

TEST_F(OutlierTest, TellsOfAReturnWhenShadowBegins) {
  Make(3);
  Refuse(0);
  Judge();
  options_.mode = Mode::kShadow;
  const auto event = Told(0);
  EXPECT_EQ(event->kind, EventKind::kReturned);
  EXPECT_EQ(event->detail, "in shadow");
}

TEST_F(OutlierTest, JudgesNobodyWhenOff) {
  Make(3);
  options_.mode = Mode::kOff;
  Refuse(0);
  EXPECT_EQ(LeftOut(Judge()), 0U);
}

TEST_F(OutlierTest, TellsOfLeavingOutAndOfReturn) {
  Make(3);
  Refuse(0);
  const auto left = Told(0);
  EXPECT_EQ(left->kind, EventKind::kEjected);
  EXPECT_EQ(left->reason, Reason::kUpstreamConnect);
  EXPECT_FALSE(Told(0));
  now_ += 3s;
  set_[0].alive = now_;
  const auto event = Told(0);
  EXPECT_EQ(event->kind, EventKind::kReturned);
  EXPECT_EQ(event->reason, Reason::kRecovered);
  EXPECT_EQ(event->span, 3s);
}

TEST_F(OutlierTest, TellsHowLongItWasOutForWhateverReasons) {
  Make(3);
  Refuse(0);
  Judge();
  now_ += 3s;
  set_[0].alive = now_;
  Sicken(0);
  Judge();
  now_ += 2s;
  set_[0].circuit = CircuitState::kClosed;
  EXPECT_EQ(Told(0)->span, 5s);
}

TEST_F(OutlierTest, TellsAStallByItsName) {
  Make(2);
  set_[0].stalled = true;
  EXPECT_EQ(Told(0)->kind, EventKind::kStalled);
}

TEST_F(OutlierTest, TellsAReturnByPanicByItsName) {
  Make(3);
  set_[0].health = Opinion::kBad;
  Judge();
  set_[1].health = Opinion::kBad;
  EXPECT_EQ(Told(0)->reason, Reason::kPanic);
}

TEST_F(OutlierTest, TellsNoPanicWhenTheDeadIsAliveButSick) {
  Make(5);
  Sicken(1);
  Refuse(0);
  Judge();
  now_ += 1s;
  set_[0].alive = now_;
  Sicken(0);
  EXPECT_EQ(Told(0)->reason, Reason::kRecovered);
}

/// Law 6 and its kin, over random sets.
TEST_F(OutlierTest, KeepsItsBoundsOverAnyHistory) {
  SeededRandom random(9);
  Make(10);
  for (int step = 0; step < 20'000; ++step) {
    InstanceFacts& facts = set_[random.Below(set_.size())];
    facts.circuit = static_cast<CircuitState>(random.Below(3));
    facts.health = static_cast<Opinion>(random.Below(3));
    facts.stalled = random.Below(4) == 0;
    (random.Below(2) == 0 ? facts.refused : facts.alive) = now_;
    facts.latency = Duration(static_cast<std::int64_t>(random.Below(200'000'000)));
    facts.figures = {.latency = random.Below(4) == 0 ? 2s : 5ms,
                     .failures = 0,
                     .calls = static_cast<std::uint32_t>(random.Below(100))};
    now_ += 100ms;
    const Judgement judgement = Judge();
    int places = 0;
    std::size_t aside = Count(judgement, Use::kAside);
    ASSERT_TRUE(aside == 0 || aside + Count(judgement, Use::kOut) < set_.size());
    for (std::size_t i = 0; i < set_.size(); ++i) {
      const InstanceVerdict& verdict = judgement.verdicts[i];
      places += verdict.has_place ? 1 : 0;
      const bool gone = set_[i].refused > set_[i].alive || set_[i].stalled;
      ASSERT_TRUE(!gone || verdict.use == Use::kOut);
      ASSERT_TRUE(verdict.use != Use::kAnyway || set_[i].circuit != CircuitState::kClosed);
    }
    ASSERT_LE(places, 2);
  }
}

}  // namespace
}  // namespace hale::policy
