#include "hale/guard/lint.h"

#include <gtest/gtest.h>

namespace hale::guard {
namespace {

using policy::Mode;

std::string Complaint(const GuardOptions& options) { return Print(Lint(options)); }

/// Two guards that have nothing in common that could clash.
GuardOptions Outer() {
  return {.name = "outer",
          .bulkhead = {.mode = Mode::kOff},
          .breaker = {.mode = Mode::kOff},
          .retry = {.mode = Mode::kOff}};
}
GuardOptions Inner() {
  GuardOptions options = Outer();
  options.name = "inner";
  return options;
}

TEST(GuardLintTest, TheDefaultsAreWise) { EXPECT_EQ(Complaint({}), ""); }

TEST(GuardLintTest, AttemptsAndTheirWaitsFitIntoTheDeadline) {
  GuardOptions options{.retry = {.attempts = 3}, .deadline = 1s, .per_try = 600ms};
  EXPECT_EQ(Complaint(options),
            "deadline: 600ms of per_try × 3 attempts and up to 75ms of waits = 1875ms is above the "
            "deadline 1s: attempt 2 cannot run in full\n");
  options.deadline = 1874ms;
  EXPECT_EQ(Complaint(options),
            "deadline: 600ms of per_try × 3 attempts and up to 75ms of waits = 1875ms is above the "
            "deadline 1874ms: attempt 3 may not run in full\n");
  options.deadline = 1875ms;
  EXPECT_EQ(Complaint(options), "");
}

TEST(GuardLintTest, OneAttemptFitsIntoTheDeadline) {
  EXPECT_EQ(Complaint({.retry = {.mode = Mode::kOff}, .deadline = 1s, .per_try = 2s}),
            "deadline: 2s of per_try × 1 attempt = 2s is above the deadline 1s: attempt 1 cannot "
            "run in full\n");
}

TEST(GuardLintTest, RetriesHaveABudget) {
  EXPECT_EQ(Complaint({.retry = {.budget = {.mode = Mode::kOff}}, .idempotent = true}),
            "retry.budget.mode: without a budget each request may be sent 3 times: after a failure "
            "recovery is certain only below 33.33% of capacity\n");
  EXPECT_EQ(Complaint({.retry = {.attempts = 1, .budget = {.mode = Mode::kOff}}}), "");
}

TEST(GuardLintTest, ALimitLetsEnoughCallsThroughForTheBreakerToJudge) {
  EXPECT_EQ(
      Complaint({.limit = {.rate = {1, 1s}, .burst = 5}}),
      "breaker.minimum_calls: the limit lets at most 15 calls in 10s through, so 20 are never "
      "seen and no share is judged\n");
  EXPECT_EQ(Complaint({.limit = {.rate = {1, 1s}, .burst = 10}}), "");
  EXPECT_EQ(Complaint({.limit = {.mode = Mode::kShadow, .rate = {1, 1s}, .burst = 5}}), "");
}

TEST(GuardLintTest, OnlyWhatMayBeMadeTwiceIsHedged) {
  EXPECT_EQ(Complaint({.hedge = {.mode = Mode::kEnforce}}),
            "hedge.mode: nothing is hedged: idempotent is false, the call may not be made twice\n");
  EXPECT_EQ(Complaint({.hedge = {.mode = Mode::kEnforce}, .idempotent = true}), "");
}

TEST(GuardLintTest, WhatAGuardDoesNotUseIsSaid) {
  EXPECT_EQ(Complaint({.retry = {.retry_on_status = {500}}}),
            "retry.retry_on_status: is not used: a callable has no status, its error says what it "
            "is\n");
}

TEST(GuardLintTest, WhatDoesNotClashMayBeNested) {
  EXPECT_EQ(Print(LintNested(Outer(), Inner())), "");
}

TEST(GuardLintTest, RetriesDoNotMultiply) {
  GuardOptions outer = Outer();
  GuardOptions inner = Inner();
  outer.retry = {.attempts = 3};
  inner.retry = {.attempts = 2};
  EXPECT_EQ(
      Print(LintNested(outer, inner)),
      "retry.attempts: 3 attempts of outer × 2 of inner = 6 calls for one; let one of the two "
      "retry\n");
}

TEST(GuardLintTest, ALimitIsNotInsideOfWhatRetries) {
  GuardOptions outer = Outer();
  GuardOptions inner = Inner();
  outer.retry = {.attempts = 4};
  inner.limit = {.rate = {100, 1s}};
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "limit: each of the 4 attempts of outer takes a permit: 100/s are 25/s of its calls "
            "while they fail; limit outside of what retries\n");
}

TEST(GuardLintTest, ALimitInsideOfWhatDoesNotRetryIsFine) {
  GuardOptions inner = Inner();
  inner.limit = {.rate = {100, 1s}};
  inner.pace = {.rate = {100, 1s}};
  EXPECT_EQ(Print(LintNested(Outer(), inner)), "");
}

TEST(GuardLintTest, ABreakerIsNotOutsideOfWhatRetries) {
  GuardOptions outer = Outer();
  GuardOptions inner = Inner();
  outer.breaker = {};
  inner.retry = {.attempts = 3};
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "retry: the breaker of outer sees one outcome of up to 3 attempts: it opens after 20 "
            "calls, which are up to 60 here, and cannot end the attempts of one under way\n");
}

TEST(GuardLintTest, NothingIsJudgedTwice) {
  GuardOptions outer = Outer();
  GuardOptions inner = Inner();
  outer.breaker = inner.breaker = {};
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "breaker: judges the same calls as the breaker of outer; the inner one is enough\n");
}

TEST(GuardLintTest, TheInnerDeadlineIsTheEarlierOne) {
  GuardOptions outer = Outer();
  outer.deadline = 2s;
  GuardOptions inner = Inner();
  inner.deadline = 3s;
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "deadline: 3s is never waited for: outer gives up after 2s\n");
  outer.per_try = 500ms;
  inner.deadline = 501ms;
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "deadline: 501ms is never waited for: outer gives up after 500ms\n");
  inner.deadline = 500ms;
  EXPECT_EQ(Print(LintNested(outer, inner)), "");
}

TEST(GuardLintTest, TheInnerBulkheadIsTheNarrowerOne) {
  GuardOptions outer = Outer();
  GuardOptions inner = Inner();
  outer.bulkhead = {.limit = 10};
  inner.bulkhead = {.limit = 11};
  EXPECT_EQ(Print(LintNested(outer, inner)),
            "bulkhead.limit: 11 can never be in flight: outer lets 10 in\n");
}

TEST(GuardLintTest, NamesARuleOfRetriesThatAGuardCannotFollow) {
  const GuardOptions options{.retry = {.retried_request = policy::RetriedRequest::kRetry}};
  EXPECT_EQ(Print(Lint(options)),
            "retry.retried_request: is not used: no guard is told which attempt of its caller's a "
            "call is\n");
}

}  // namespace
}  // namespace hale::guard
