#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "hale/guard/scripted_call.h"

namespace hale::guard {
namespace {

/// Governed calls that meet at a bulkhead with one place.
class GovernedAdmissionTest : public ::testing::Test, protected ScriptedCall {
 protected:
  void TearDown() override {
    held_.Release();
    EXPECT_EQ(Remains(), "");
  }
  void Occupy(policy::BulkheadOptions options = {}) {
    options.limit = 1;
    bulkhead_.Apply(options);
    held_ = std::move(*bulkhead_.TryEnter(executor_.Now()));
  }
  void LeaveAt(Duration after) {
    At(after, [this] { held_.Release(); });
  }

  policy::Bulkhead::Permit held_;
};

TEST_F(GovernedAdmissionTest, TeachesTheBulkheadHowLongCallsTake) {
  sender_.script = {{.takes = 40ms}};
  EXPECT_TRUE(Finish().result);
  EXPECT_EQ(bulkhead_.mean_call(), 40ms);
}

TEST_F(GovernedAdmissionTest, CountsTheWaitForNoPartOfACall) {
  Occupy();
  LeaveAt(50ms);
  sender_.script = {{.takes = 40ms}};
  EXPECT_TRUE(Finish().result);
  EXPECT_EQ(bulkhead_.mean_call(), 40ms);
}

TEST_F(GovernedAdmissionTest, LearnsNothingFromACallThatItsCallerGaveUp) {
  sender_.script = {{.takes = 10s}};
  StopAt(20ms);
  EXPECT_FALSE(Finish().result);
  EXPECT_EQ(bulkhead_.mean_call(), 0ms);
}

TEST_F(GovernedAdmissionTest, LearnsNothingFromACallWhoseLastAttemptWasGivenUp) {
  idempotent_ = true;
  sender_.script = {{.result = Fail(Code::kUnavailable, "broken"), .takes = 1s}, {.takes = 10s}};
  StopAt(3s);
  EXPECT_FALSE(Finish().result);
  EXPECT_EQ(sender_.sent.size(), 2U);
  EXPECT_EQ(bulkhead_.mean_call(), 0ms);
}

// Law 3: it would be served in vain.
TEST_F(GovernedAdmissionTest, IsRefusedAtOnceWhenTooLittleWouldBeLeftAfterAWait) {
  bulkhead_.Served(100ms);
  Occupy();
  deadline_ = 150ms;
  const Ended& ended = Finish();
  ASSERT_FALSE(ended.result);
  EXPECT_EQ(ended.result.error().reason, Reason::kDeadline);
  EXPECT_EQ(ended.at - start_, 0ms);
  EXPECT_TRUE(HasTold(EventKind::kRefused, Reason::kDeadline));
}

TEST_F(GovernedAdmissionTest, IsToldAtOnceThatItMakesPlaceForOneThatCountsMore) {
  Occupy({.queue = 1});
  priority_ = policy::Priority::kSheddable;
  class Waiter final : public policy::Bulkhead::Waiter {
    void Wake() noexcept override {}
  } other;
  At(20ms, [&] { EXPECT_TRUE(bulkhead_.Enter(other, {}, executor_.Now())); });
  const Ended& ended = Finish();
  ASSERT_FALSE(ended.result);
  EXPECT_EQ(ended.result.error().reason, Reason::kShed);
  EXPECT_EQ(ended.at - start_, 20ms);
  EXPECT_TRUE(bulkhead_.Abandon(other));
}

TEST_F(GovernedAdmissionTest, UsesThePlacesOfItsPartition) {
  Occupy({.partitions = {.by = "route", .shares = {{"a", 0.5}}, .lend = 0}});
  bulkhead_.Apply({.limit = 2, .partitions = {.by = "route", .shares = {{"a", 0.5}}, .lend = 0}});
  partition_ = "a";
  EXPECT_TRUE(Finish().result);
}

TEST_F(GovernedAdmissionTest, InShadowItsTrailSaysThatThereWasNoPlace) {
  Occupy({.mode = policy::Mode::kShadow});
  EXPECT_TRUE(Finish().result);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(told_[0].policy, "bulkhead");
}

TEST_F(GovernedAdmissionTest, InShadowItsTrailSaysWhichCircuitWasOpen) {
  UseTargets({"a"}, {.mode = policy::Mode::kShadow, .consecutive_failures = 1});
  Lease::Take(targets_->targets[0], executor_.Now())->Settle(Outcome::kFailure, executor_.Now());
  EXPECT_TRUE(Finish().result);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].kind, EventKind::kWouldRefuse);
  EXPECT_EQ(told_[0].instance, "a");
}

}  // namespace
}  // namespace hale::guard
