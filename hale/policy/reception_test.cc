#include "hale/policy/reception.h"

#include <gtest/gtest.h>

namespace hale::policy {
namespace {

FailedAttempt Answer(int status, Duration retry_after = {}) {
  return {.reason = Reason::kUpstreamStatus, .status = status, .retry_after = retry_after};
}

FailedAttempt Because(Reason reason, Executed executed = Executed::kMaybe) {
  return {.reason = reason, .executed = executed};
}

FailedAttempt Says(Code code, Duration retry_after = {}) {
  return {.code = code, .retry_after = retry_after};
}

TEST(ReceptionTest, TakesAnAnswerForWorkWhateverItSays) {
  EXPECT_EQ(ReceptionOf(std::nullopt), Reception::kTaken);
  EXPECT_EQ(ReceptionOf(Answer(500)), Reception::kTaken);
  EXPECT_EQ(ReceptionOf(Answer(500, 1s)), Reception::kTaken);
  EXPECT_EQ(ReceptionOf(Answer(503)), Reception::kTaken);
  EXPECT_EQ(ReceptionOf(Says(Code::kInternal)), Reception::kTaken);
  EXPECT_EQ(ReceptionOf(Says(Code::kNotFound)), Reception::kTaken);
}

TEST(ReceptionTest, TakesARefusalThatSaysWhenToComeBackForPushBack) {
  EXPECT_EQ(ReceptionOf(Answer(503, 1s)), Reception::kTurnedAway);
  EXPECT_EQ(ReceptionOf(Answer(429, 1s)), Reception::kTurnedAway);
  EXPECT_EQ(ReceptionOf(Says(Code::kUnavailable, 1s)), Reception::kTurnedAway);
  EXPECT_EQ(ReceptionOf(Says(Code::kResourceExhausted)), Reception::kTurnedAway);
}

TEST(ReceptionTest, BelievesAHopThatSaysItIsOverloaded) {
  FailedAttempt shed = Answer(503);
  shed.shed = true;
  EXPECT_EQ(ReceptionOf(shed), Reception::kTurnedAway);
  for (const Reason reason : {Reason::kConcurrency, Reason::kQueueFull, Reason::kQueueTimeout,
                              Reason::kShed, Reason::kThrottled}) {
    EXPECT_EQ(ReceptionOf(Because(reason)), Reception::kTurnedAway) << Word(reason);
  }
}

TEST(ReceptionTest, TakesNoAnswerInTimeForOverload) {
  EXPECT_EQ(ReceptionOf(Because(Reason::kUpstreamTimeout)), Reception::kTurnedAway);
  EXPECT_EQ(ReceptionOf(Because(Reason::kDeadline)), Reception::kTurnedAway);
  EXPECT_EQ(ReceptionOf(Says(Code::kDeadlineExceeded)), Reception::kTurnedAway);
}

TEST(ReceptionTest, LearnsNothingFromACallThatWasNotSent) {
  EXPECT_EQ(ReceptionOf(Because(Reason::kDeadline, Executed::kNo)), Reception::kUnknown);
  EXPECT_EQ(ReceptionOf(Because(Reason::kNoInstance)), Reception::kUnknown);
  EXPECT_EQ(ReceptionOf(Because(Reason::kCircuitOpen)), Reception::kUnknown);
  FailedAttempt full = Because(Reason::kConcurrency);
  full.failed = Failed::kInstance;
  EXPECT_EQ(ReceptionOf(full), Reception::kUnknown);
  full.shed = true;
  EXPECT_EQ(ReceptionOf(full), Reception::kUnknown);
}

TEST(ReceptionTest, TakesADeadInstanceForNoOverload) {
  EXPECT_EQ(ReceptionOf(Because(Reason::kUpstreamConnect)), Reception::kUnknown);
  EXPECT_EQ(ReceptionOf(Because(Reason::kUpstreamReset)), Reception::kUnknown);
  EXPECT_EQ(ReceptionOf(Says(Code::kUnavailable)), Reception::kUnknown);
  EXPECT_EQ(ReceptionOf(Says(Code::kUnknown)), Reception::kUnknown);
}

TEST(ReceptionTest, LearnsNothingFromACallerThatWentAway) {
  EXPECT_EQ(ReceptionOf(Because(Reason::kClientAbort)), Reception::kUnknown);
  EXPECT_EQ(ReceptionOf(Says(Code::kCancelled)), Reception::kUnknown);
}

}  // namespace
}  // namespace hale::policy
