#include "hale/policy/fallback.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

const FallbackOptions kDefault;

TEST(FallbackTest, CoversByDefaultWhateverSaysThatTheServiceIsNotAvailable) {
  const FallbackRule rule(kDefault);
  for (const Reason reason :
       {Reason::kCircuitOpen, Reason::kNoInstance, Reason::kUpstreamConnect, Reason::kUpstreamReset,
        Reason::kUpstreamTimeout, Reason::kUpstreamProtocol, Reason::kDeadline, Reason::kQueueFull,
        Reason::kQueueTimeout, Reason::kConcurrency, Reason::kShed, Reason::kThrottled}) {
    EXPECT_TRUE(rule.Covers(reason)) << Word(reason);
  }
}

TEST(FallbackTest, LeavesItToTheClientThatItIsOverItsRate) {
  EXPECT_FALSE(FallbackRule(kDefault).Covers(Reason::kRateLimited));
  EXPECT_TRUE(FallbackRule({.after = {Reason::kRateLimited}}).Covers(Reason::kRateLimited));
  for (const auto& name : Names(Type<Reason>{})) EXPECT_NE(name.value, Reason::kRateLimited);
}

TEST(FallbackTest, NeverCoversTheClientsOwnFault) {
  const FallbackRule rule({.after = {Reason::kClientAbort, Reason::kProtocol}});
  EXPECT_FALSE(rule.Covers(Reason::kClientAbort));
  EXPECT_FALSE(rule.Covers(Reason::kProtocol));
}

TEST(FallbackTest, CoversNothingWhereNothingFailed) {
  EXPECT_FALSE(FallbackRule(kDefault).Covers(Reason::kNone));
  EXPECT_FALSE(FallbackRule({.after = {Reason::kNone}}).Covers(Reason::kNone));
}

TEST(FallbackTest, CoversOnlyTheReasonsThatAreListed) {
  const FallbackRule rule({.after = {Reason::kCircuitOpen, Reason::kDeadline}});
  EXPECT_TRUE(rule.Covers(Reason::kCircuitOpen));
  EXPECT_TRUE(rule.Covers(Reason::kDeadline));
  EXPECT_FALSE(rule.Covers(Reason::kNoInstance));
}

TEST(FallbackTest, TakesAStatusOfTheServiceOnlyIfItSaysNotAvailable) {
  const FallbackRule rule(kDefault);
  EXPECT_TRUE(rule.Covers(Reason::kUpstreamStatus, 503));
  EXPECT_FALSE(rule.Covers(Reason::kUpstreamStatus, 500));
  EXPECT_TRUE(FallbackRule({.after_status = {500}}).Covers(Reason::kUpstreamStatus, 500));
}

TEST(FallbackTest, HoldsAStatusAgainstNoOtherReason) {
  EXPECT_TRUE(FallbackRule(kDefault).Covers(Reason::kUpstreamReset, 200));
}

TEST(FallbackTest, GoesByTheReasonOfAnErrorThatHasOne) {
  const FallbackRule rule({.after = {Reason::kCircuitOpen}});
  EXPECT_TRUE(rule.Covers(Error(Reason::kCircuitOpen, Executed::kNo)));
  EXPECT_FALSE(rule.Covers(Error(Reason::kNoInstance, Executed::kNo)));
}

TEST(FallbackTest, CoversAnErrorWithoutAReasonIfItSaysNotAvailable) {
  const FallbackRule rule(kDefault);
  EXPECT_TRUE(rule.Covers(Error(Code::kUnavailable, "")));
  EXPECT_TRUE(rule.Covers(Error(Code::kDeadlineExceeded, "")));
  EXPECT_FALSE(rule.Covers(Error(Code::kNotFound, "")));
  EXPECT_FALSE(rule.Covers(Error(Code::kInternal, "")));
  EXPECT_TRUE(rule.Covers(Error(Reason::kCircuitOpen, Executed::kNo)));
}

TEST(FallbackTest, TakesAnErrorWithoutAReasonForTheServicesOwn) {
  const FallbackRule status({.after = {Reason::kUpstreamStatus}});
  EXPECT_TRUE(status.Covers(Error(Code::kUnavailable, "")));
  EXPECT_FALSE(status.Covers(Error(Code::kDeadlineExceeded, "")));
  const FallbackRule timeout({.after = {Reason::kUpstreamTimeout}});
  EXPECT_FALSE(timeout.Covers(Error(Code::kUnavailable, "")));
  EXPECT_TRUE(timeout.Covers(Error(Code::kDeadlineExceeded, "")));
}

TEST(FallbackTest, CoversNothingWhenOff) {
  EXPECT_FALSE(FallbackRule({.mode = Mode::kOff}).Covers(Reason::kCircuitOpen));
  EXPECT_FALSE(FallbackRule().Covers(Reason::kCircuitOpen));
}

TEST(FallbackTest, InShadowSaysThatItWouldHave) {
  const TimePoint now{1h};
  EXPECT_EQ(FellBack(Mode::kShadow, Reason::kDeadline, "static", now).kind,
            EventKind::kWouldRefuse);
  const Event event = FellBack(Mode::kEnforce, Reason::kDeadline, "static", now);
  EXPECT_EQ(event.kind, EventKind::kFellBack);
  EXPECT_EQ(event.reason, Reason::kDeadline);
  EXPECT_EQ(event.detail, "static");
  EXPECT_EQ(event.at, now);
}

TEST(FallbackTest, NamesReasonsByTheirWords) {
  for (const auto& name : Names(Type<Reason>{})) EXPECT_EQ(name.word, Word(name.value));
}

}  // namespace
}  // namespace hale::policy
