#include <gtest/gtest.h>

#include "hale/policy/judged_set.h"

namespace hale::policy {
namespace {

/// Sick by comparison: circuits are closed, and one is unlike the others.
class UnlikePeersTest : public testing::Test, protected JudgedSet {
 protected:
  void Make(std::size_t count) {
    JudgedSet::Make(count);
    for (std::size_t i = 0; i < count; ++i) Takes(i, 5ms);
  }
  void Takes(std::size_t i, Duration usual) {
    set_[i].figures = {.latency = usual, .failures = 0, .calls = 1000};
  }
  Use UseOf(std::size_t i) { return Judge().verdicts[i].use; }
};

TEST_F(UnlikePeersTest, LeavesOutTheSlowOneOfThree) {
  Make(3);
  Takes(1, 100ms);
  const InstanceVerdict verdict = Judge().verdicts[1];
  EXPECT_EQ(verdict.standing, Standing::kSick);
  EXPECT_EQ(verdict.use, Use::kAside);
  EXPECT_EQ(verdict.reason, Reason::kSlowRate);
  EXPECT_TRUE(verdict.left_out);
  EXPECT_EQ(verdict.until, now_ + 10s);
}

TEST_F(UnlikePeersTest, LeavesOutTheOneThatFailsMore) {
  Make(3);
  set_[2].figures.failures = 0.4;
  EXPECT_EQ(Judge().verdicts[2].reason, Reason::kFailureRate);
  EXPECT_EQ(set_[2].before.use, Use::kAside);
}

TEST_F(UnlikePeersTest, LeavesOutNobodyOfASlowSet) {
  Make(3);
  for (std::size_t i = 0; i < 3; ++i) Takes(i, 5s);
  EXPECT_EQ(LeftOut(JudgeFor(30s)), 0U);
}

TEST_F(UnlikePeersTest, LeavesOutTheFarthestFirstAndOneAtATime) {
  Make(10);
  Takes(3, 100ms);
  Takes(6, 1s);
  EXPECT_EQ(UseOf(6), Use::kAside);
  EXPECT_EQ(set_[3].before.use, Use::kNormal);
  now_ += 1s;
  EXPECT_EQ(UseOf(3), Use::kAside);
}

TEST_F(UnlikePeersTest, LeavesOutAFifthAtMostTogetherWithOpenCircuits) {
  Make(10);
  Takes(0, 1s);
  Takes(1, 1s);
  Sicken(2);
  const Judgement judgement = JudgeFor(5s);
  EXPECT_EQ(LeftOut(judgement), 2U);
  EXPECT_TRUE(judgement.verdicts[2].left_out);  // it comes first: its breaker refuses anyway
}

TEST_F(UnlikePeersTest, KeepsItsPlaceWhenItsCircuitOpens) {
  Make(3);
  Takes(1, 100ms);
  Judge();
  now_ += 500ms;
  Sicken(1);
  EXPECT_EQ(UseOf(1), Use::kNormal);  // its breaker refuses
  EXPECT_TRUE(set_[1].before.left_out);
}

TEST_F(UnlikePeersTest, BringsItBackAfterItsRestByARamp) {
  Make(3);
  Takes(1, 100ms);
  Judge();
  now_ += 9999ms;
  EXPECT_EQ(UseOf(1), Use::kAside);
  now_ += 1ms;
  EXPECT_EQ(UseOf(1), Use::kNormal);
  EXPECT_EQ(set_[1].before.ramp_from, now_);
}

TEST_F(UnlikePeersTest, BringsTheDeadBackByARampThoughItIsUnlike) {
  Make(5);
  Takes(0, 2s);
  set_[1].health = Opinion::kBad;
  Judge();
  now_ += 2s;
  Takes(1, 1s);  // and the one place is taken
  set_[1].health = Opinion::kGood;
  EXPECT_EQ(UseOf(1), Use::kNormal);
  EXPECT_TRUE(set_[1].before.unlike);
  EXPECT_EQ(set_[1].before.ramp_from, now_);
}

TEST_F(UnlikePeersTest, RestsTwiceAsLongTheNextTimeUpToItsMost) {
  Make(3);
  options_.deviation.max_rest = 15s;
  Takes(1, 100ms);
  Judge();
  now_ += 10s;
  Judge();
  EXPECT_EQ(Judge().verdicts[1].until, now_ + 15s);
}

TEST_F(UnlikePeersTest, ForgivesWhoHasBeenWellBetween) {
  Make(3);
  Takes(1, 100ms);
  Judge();
  now_ += 10s;
  Judge();
  Takes(1, 5ms);
  Judge();
  Takes(1, 100ms);
  EXPECT_EQ(Judge().verdicts[1].until, now_ + 10s);
}

TEST_F(UnlikePeersTest, ForgivesNobodyBeforeItHasBeenCompared) {
  Make(3);
  Takes(1, 100ms);
  Judge();
  now_ += 10s;
  set_[1].figures.calls = 10;
  Judge();
  set_[1].figures.calls = 50;
  EXPECT_EQ(Judge().verdicts[1].until, now_ + 20s);
}

TEST_F(UnlikePeersTest, UndoesItWhenThePeersGrowSlow) {
  Make(5);
  Takes(0, 100ms);
  Judge();
  for (InstanceFacts& facts : set_) facts.latency = 100ms;
  EXPECT_EQ(UseOf(0), Use::kNormal);
  EXPECT_TRUE(set_[0].before.undone);
  now_ += 9999ms;
  EXPECT_EQ(UseOf(0), Use::kNormal);
  now_ += 1ms;
  EXPECT_EQ(UseOf(0), Use::kAside);
}

TEST_F(UnlikePeersTest, LeavesNobodyElseOutForAWhileAfterAnUndoing) {
  Make(5);
  Takes(0, 100ms);
  Judge();
  for (InstanceFacts& facts : set_) facts.latency = 100ms;
  Judge();
  set_[0].figures = {};  // forgotten, as it was aside
  Takes(1, 1s);
  now_ += 9999ms;
  EXPECT_EQ(LeftOut(Judge()), 0U);
  now_ += 1ms;
  EXPECT_EQ(UseOf(1), Use::kAside);
}

TEST_F(UnlikePeersTest, UsesItWhenTooFewAreLeft) {
  Make(4);
  Takes(0, 1s);
  Judge();
  Refuse(1);
  Refuse(2);
  Refuse(3);
  EXPECT_EQ(UseOf(0), Use::kNormal);
  EXPECT_EQ(set_[0].before.ramp_from, TimePoint::min());
}

TEST_F(UnlikePeersTest, UsesItRatherThanNobody) {
  Make(4);
  options_.panic = 0;
  Takes(0, 1s);
  Judge();
  for (std::size_t i = 1; i < 4; ++i) Refuse(i);
  EXPECT_TRUE(Judge().panic);
  EXPECT_EQ(set_[0].before.use, Use::kNormal);
  EXPECT_FALSE(set_[0].before.left_out);
}

TEST_F(UnlikePeersTest, UsesItRatherThanOneWhoseCircuitIsOpen) {
  Make(4);
  options_.panic = 0;
  options_.max_sick = 0.5;
  Takes(0, 1s);
  Judge();
  now_ += 1s;
  Sicken(1);
  Judge();
  Refuse(2);
  Refuse(3);
  EXPECT_EQ(UseOf(0), Use::kNormal);
  EXPECT_TRUE(set_[1].before.left_out);
}

TEST_F(UnlikePeersTest, ComparesNobodyWithTheDead) {
  Make(4);
  Takes(0, 100ms);
  Refuse(1);
  Sicken(2);
  EXPECT_EQ(UseOf(0), Use::kNormal);  // only two are left to compare
}

TEST_F(UnlikePeersTest, OnlyTellsTheDistanceInShadow) {
  Make(3);
  options_.deviation.mode = Mode::kShadow;
  Takes(1, 100ms);
  const Judgement judgement = Judge();
  EXPECT_GE(judgement.deviations[1].worse(), 1);
  EXPECT_EQ(judgement.verdicts[1].use, Use::kNormal);
  EXPECT_EQ(LeftOut(judgement), 0U);
}

TEST_F(UnlikePeersTest, EndsWhenItIsSwitchedOff) {
  Make(3);
  Takes(1, 100ms);
  Judge();
  options_.deviation.mode = Mode::kOff;
  EXPECT_EQ(UseOf(1), Use::kNormal);
}

TEST_F(UnlikePeersTest, TellsHowFarItWasAndForHowLong) {
  Make(3);
  Takes(1, 100ms);
  const auto event = Told(1);
  EXPECT_EQ(event->kind, EventKind::kEjected);
  EXPECT_EQ(event->detail, "unlike its peers");
  EXPECT_EQ(event->observed, set_[1].before.distance);
  EXPECT_EQ(event->threshold, 1);
  EXPECT_EQ(event->span, 10s);
}

}  // namespace
}  // namespace hale::policy
