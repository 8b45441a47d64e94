#include "hale/policy/retry.h"

#include <gtest/gtest.h>

#include <vector>

namespace hale::policy {
namespace {

using Verdict = RetryDecision::Verdict;

constexpr TimePoint kNow{1h};

class RetryTest : public testing::Test {
 protected:
  /// A connection that broke before an answer, of an idempotent request with time left.
  static FailedAttempt Reset() {
    FailedAttempt failure;
    failure.reason = Reason::kUpstreamReset;
    failure.executed = Executed::kMaybe;
    failure.idempotent = true;
    failure.remaining = 10s;
    return failure;
  }
  static FailedAttempt Status(int status) {
    FailedAttempt failure = Reset();
    failure.reason = Reason::kUpstreamStatus;
    failure.status = status;
    failure.executed = Executed::kYes;
    return failure;
  }
  RetryDecision Decide(const FailedAttempt& failure) {
    return policy::Decide(options_, failure, random_);
  }
  RetryPlan Plan(const FailedAttempt& failure) {
    return PlanRetry(options_, failure, budget_, kNow, random_);
  }

  RetryOptions options_;
  RetryBudget budget_{{.ratio = 0, .reserve = 2}};
  SeededRandom random_{1};
};

TEST_F(RetryTest, SendsAnIdempotentRequestAgain) {
  const RetryDecision decision = Decide(Reset());
  EXPECT_EQ(decision.verdict, Verdict::kRetry);
  EXPECT_EQ(decision.reason, Reason::kUpstreamReset);
  EXPECT_GT(decision.delay, 0ns);
  EXPECT_LE(decision.delay, 25ms);
}

TEST_F(RetryTest, DoesNotSendAgainWhatMayHaveBeenExecuted) {
  FailedAttempt failure = Reset();
  failure.idempotent = false;
  for (const Executed executed : {Executed::kMaybe, Executed::kYes}) {
    failure.executed = executed;
    EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal);
    EXPECT_EQ(Decide(failure).reason, Reason::kNotReplayable);
  }
}

TEST_F(RetryTest, SendsAgainWhateverWasNotExecuted) {
  FailedAttempt failure = Reset();
  failure.reason = Reason::kUpstreamConnect;
  failure.idempotent = false;
  failure.executed = Executed::kNo;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
}

TEST_F(RetryTest, DoesNotSendABodyThatIsGone) {
  FailedAttempt failure = Reset();
  failure.replayable = false;
  failure.executed = Executed::kNo;
  EXPECT_EQ(Decide(failure).reason, Reason::kNotReplayable);
}

TEST_F(RetryTest, NeverTakesBackAnAnswerThatHasBegun) {
  FailedAttempt failure = Reset();
  failure.answer_begun = true;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(failure).reason, Reason::kNotReplayable);
}

TEST_F(RetryTest, TriesTheListedStatusesOnly) {
  for (const int status : {502, 503, 504}) {
    EXPECT_EQ(Decide(Status(status)).verdict, Verdict::kRetry) << status;
  }
  for (const int status : {400, 404, 429, 500, 501}) {
    EXPECT_EQ(Decide(Status(status)).verdict, Verdict::kFinal) << status;
    EXPECT_EQ(Decide(Status(status)).reason, Reason::kUpstreamStatus) << status;
  }
  options_.retry_on_status = {500};
  EXPECT_EQ(Decide(Status(500)).verdict, Verdict::kRetry);
  EXPECT_EQ(Decide(Status(503)).verdict, Verdict::kFinal);
}

TEST_F(RetryTest, LeavesAPermanentErrorAsItIs) {
  FailedAttempt failure = Facts(Error(Code::kNotFound, "no such order"));
  failure.idempotent = true;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(failure).reason, Reason::kNone);
}

TEST_F(RetryTest, TriesACallablesPassingError) {
  FailedAttempt failure = Facts(Error(Code::kUnavailable, "try later"));
  failure.idempotent = true;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
}

TEST_F(RetryTest, NeverRepeatsARefusalOfOurOwn) {
  for (const Reason reason :
       {Reason::kRateLimited, Reason::kCircuitOpen, Reason::kConcurrency, Reason::kQueueFull,
        Reason::kQueueTimeout, Reason::kDeadline, Reason::kBudgetExhausted, Reason::kNoInstance,
        Reason::kDraining, Reason::kForced, Reason::kClientAbort}) {
    FailedAttempt failure = Facts(Error(reason, Executed::kNo));
    failure.idempotent = true;
    EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal) << Word(reason);
    EXPECT_EQ(Decide(failure).reason, reason);
  }
}

TEST_F(RetryTest, ReportsTheBreakerThatOpenedBetweenAttempts) {
  FailedAttempt failure = Facts(Error(Reason::kCircuitOpen, Executed::kNo));
  failure.attempt = 2;
  const RetryDecision decision = Decide(failure);
  EXPECT_EQ(decision.verdict, Verdict::kFinal);
  EXPECT_EQ(decision.reason, Reason::kCircuitOpen);
}

TEST_F(RetryTest, MovesOnAtOnceFromAnInstanceThatRefused) {
  FailedAttempt failure = Facts(Error(Reason::kCircuitOpen, Executed::kNo));
  failure.failed = Failed::kInstance;
  failure.retry_after = 5s;  // of that instance's breaker
  const RetryDecision decision = Decide(failure);
  EXPECT_EQ(decision.verdict, Verdict::kRetry);
  EXPECT_EQ(decision.delay, 0ns);
}

TEST_F(RetryTest, CountsTwoAttemptsAndThreeIfIdempotent) {
  FailedAttempt failure = Reset();
  failure.attempt = 2;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
  failure.attempt = 3;
  EXPECT_EQ(Decide(failure).reason, Reason::kAttemptsExhausted);
  failure.idempotent = false;
  failure.executed = Executed::kNo;
  failure.attempt = 1;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
  failure.attempt = 2;
  EXPECT_EQ(Decide(failure).reason, Reason::kAttemptsExhausted);
}

TEST_F(RetryTest, DoesNotRetryWithOneAttempt) {
  options_.attempts = 1;
  EXPECT_EQ(Decide(Reset()).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(Reset()).reason, Reason::kAttemptsExhausted);
}

TEST_F(RetryTest, GivesUpAtOnceWhenTheDeadlineLeavesNoRoomForTheWait) {
  FailedAttempt failure = Status(503);
  failure.retry_after = 3s;
  failure.remaining = 3s;
  const RetryDecision decision = Decide(failure);
  EXPECT_EQ(decision.verdict, Verdict::kFinal);
  EXPECT_EQ(decision.reason, Reason::kDeadline);
  EXPECT_EQ(decision.delay, 0ns);
  EXPECT_EQ(decision.observed, 3);
  EXPECT_EQ(decision.threshold, 3);
}

TEST_F(RetryTest, SaysWhatRemainsAndWhatTheWaitAndAnAttemptNeed) {
  FailedAttempt failure = Status(503);
  failure.retry_after = 1s;
  failure.needed = 2s;
  failure.remaining = 3s + 1ns;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
  failure.remaining = 3s;
  const RetryDecision decision = Decide(failure);
  EXPECT_EQ(decision.reason, Reason::kDeadline);
  EXPECT_EQ(decision.observed, 3);
  EXPECT_EQ(decision.threshold, 3);
}

TEST_F(RetryTest, MaxElapsedIsForWaitsNotForAttempts) {
  FailedAttempt failure = Status(503);
  options_.max_elapsed = 2s;
  failure.retry_after = 1s;
  failure.needed = 5s;
  failure.remaining = 10s;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
}

TEST_F(RetryTest, WaitsAsLongAsTheServerAsked) {
  FailedAttempt failure = Status(503);
  failure.retry_after = 3s;
  EXPECT_EQ(Decide(failure).delay, 3s);
}

TEST_F(RetryTest, WaitsItsOwnTimeWhenTheServerAskedForLess) {
  FailedAttempt failure = Status(503);
  options_.backoff_base = options_.backoff_max = 10s;
  failure.remaining = kForever;
  failure.retry_after = 1ms;
  EXPECT_GT(Decide(failure).delay, 1ms);
}

TEST_F(RetryTest, TakesARetryAfterInThePastAsNone) {
  FailedAttempt failure = Status(503);
  failure.retry_after = -1h;
  EXPECT_GT(Decide(failure).delay, 0ns);
  EXPECT_LE(Decide(failure).delay, 25ms);
}

TEST_F(RetryTest, StopsWhenItWouldTakeTooLongInAll) {
  options_.max_elapsed = 1s;
  FailedAttempt failure = Reset();
  failure.elapsed = 900ms;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
  failure.elapsed = 1s;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(failure).reason, Reason::kDeadline);
}

TEST_F(RetryTest, TakesTheHopsNoAsFinal) {
  FailedAttempt failure = Status(503);
  failure.hop_final = true;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(failure).reason, Reason::kHopFinal);
  EXPECT_TRUE(Decide(failure).final_for_caller);
}

TEST_F(RetryTest, DoesNotRetryACallersRetryUnlessToldTo) {
  FailedAttempt failure = Reset();
  failure.incoming_attempt = 2;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(failure).reason, Reason::kAttemptsExhausted);
  options_.retried_request = RetriedRequest::kRetry;
  EXPECT_EQ(Decide(failure).verdict, Verdict::kRetry);
}

TEST_F(RetryTest, TellsItsCallerNotToRetryWhatItHasRetried) {
  FailedAttempt failure = Status(404);
  EXPECT_FALSE(Decide(failure).final_for_caller);
  failure = Reset();
  failure.attempt = 3;
  EXPECT_TRUE(Decide(failure).final_for_caller);
}

TEST_F(RetryTest, OnlySaysSoInShadow) {
  options_.mode = Mode::kShadow;
  const RetryPlan plan = Plan(Reset());
  EXPECT_EQ(plan.decision.verdict, Verdict::kWouldRetry);
  EXPECT_EQ(budget_.balance(kNow), 2);
  EXPECT_EQ(ToEvent(plan.decision, kNow).kind, EventKind::kWouldRefuse);
}

TEST_F(RetryTest, DecidesNothingWhenOff) {
  options_.mode = Mode::kOff;
  EXPECT_EQ(Decide(Reset()).verdict, Verdict::kFinal);
  EXPECT_EQ(Decide(Reset()).reason, Reason::kUpstreamReset);
}

TEST_F(RetryTest, PaysBeforeItWaits) {
  RetryPlan plan = Plan(Reset());
  EXPECT_EQ(plan.decision.verdict, Verdict::kRetry);
  EXPECT_EQ(budget_.balance(kNow), 1);
}

TEST_F(RetryTest, ReturnsTheLastErrorAtOnceWhenTheBudgetIsSpent) {
  std::vector<RetryPlan> paid;
  for (int i = 0; i < 2; ++i) paid.push_back(Plan(Reset()));
  const RetryPlan plan = Plan(Reset());
  EXPECT_EQ(plan.decision.verdict, Verdict::kFinal);
  EXPECT_EQ(plan.decision.reason, Reason::kBudgetExhausted);
  EXPECT_EQ(plan.decision.delay, 0ns);
  EXPECT_TRUE(plan.decision.final_for_caller);
  const Event event = ToEvent(plan.decision, kNow);
  EXPECT_EQ(event.kind, EventKind::kRetryDenied);
  EXPECT_EQ(event.reason, Reason::kBudgetExhausted);
}

TEST_F(RetryTest, GivesTheTokenBackWhenTheWaitIsCancelled) {
  {
    const RetryPlan plan = Plan(Reset());
    EXPECT_EQ(budget_.balance(kNow), 1);
  }
  EXPECT_EQ(budget_.balance(kNow), 2);
}

TEST_F(RetryTest, PaysNothingForMovingOnToAnotherInstance) {
  FailedAttempt failure = Facts(Error(Reason::kProbing, Executed::kNo));
  failure.failed = Failed::kInstance;
  const RetryPlan plan = Plan(failure);
  EXPECT_EQ(plan.decision.verdict, Verdict::kRetry);
  EXPECT_EQ(budget_.balance(kNow), 2);
}

TEST_F(RetryTest, TellsARetryAsAnEvent) {
  const Event event = ToEvent(Decide(Reset()), kNow);
  EXPECT_EQ(event.kind, EventKind::kRetried);
  EXPECT_EQ(event.reason, Reason::kUpstreamReset);
  EXPECT_EQ(event.policy, "retry");
  EXPECT_EQ(event.observed, 1);
  EXPECT_EQ(event.threshold, 3);
}

TEST_F(RetryTest, HasARowForEachOption) {
  constexpr auto kFields = CheckedFields<RetryOptions>();
  EXPECT_EQ(std::get<1>(kFields).name, "attempts");
}

}  // namespace
}  // namespace hale::policy
