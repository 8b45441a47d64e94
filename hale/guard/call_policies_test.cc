#include "hale/guard/call_policies.h"

#include <gtest/gtest.h>

namespace hale::guard {
namespace {

class PerTryTest : public ::testing::Test {
 protected:
  Duration Of(std::uint32_t number) {
    const CallPolicies policies{bulkhead_, retry_, budget_, ThreadRandom(), per_try_};
    const CallSpec spec{.deadline = deadline_,
                        .whole = whole_,
                        .idempotent = idempotent_,
                        .service = {},
                        .trail = NullSink()};
    return PerTry(policies, spec, number);
  }

  policy::Bulkhead bulkhead_;
  policy::RetryOptions retry_;
  policy::RetryBudget budget_;
  Duration per_try_{0};
  Duration whole_ = 6s;
  TimePoint deadline_ = TimePoint(1h);
  bool idempotent_ = true;
};

TEST_F(PerTryTest, IsWhatWasSaid) {
  per_try_ = 7s;
  EXPECT_EQ(Of(1), 7s);
  EXPECT_EQ(Of(3), 7s);
}

TEST_F(PerTryTest, IsAnEqualShareAsLongAsAnotherAttemptMayFollow) {
  EXPECT_EQ(Of(1), 2s);  // three attempts of an idempotent call
  EXPECT_EQ(Of(2), 2s);
  EXPECT_EQ(Of(3), kForever);
}

TEST_F(PerTryTest, IsAtMostFiveSeconds) {
  whole_ = 1h;
  EXPECT_EQ(Of(1), 5s);
}

TEST_F(PerTryTest, IsFiveSecondsWithoutADeadline) {
  deadline_ = kNever;
  EXPECT_EQ(Of(1), 5s);
}

TEST_F(PerTryTest, IsTheWholeOfACallThatIsNotRepeatedOnceItWasSent) {
  idempotent_ = false;
  EXPECT_EQ(Of(1), kForever);
}

TEST_F(PerTryTest, IsTheWholeWhenNothingIsRetried) {
  retry_.mode = policy::Mode::kShadow;
  EXPECT_EQ(Of(1), kForever);
}

Outcome Of(const Error& error) { return OutcomeOf(policy::Facts(error)); }

TEST(OutcomeOfTest, AnAnswerIsASuccess) { EXPECT_EQ(OutcomeOf(std::nullopt), Outcome::kSuccess); }

TEST(OutcomeOfTest, AFailureOfTheUpstreamIsOne) {
  EXPECT_EQ(Of(Error(Reason::kUpstreamReset, Executed::kMaybe)), Outcome::kFailure);
  EXPECT_EQ(Of(Error(Reason::kUpstreamTimeout, Executed::kMaybe)), Outcome::kFailure);
  EXPECT_EQ(Of(Error(Reason::kDeadline, Executed::kMaybe)), Outcome::kFailure);
  EXPECT_EQ(Of(Error(Code::kUnavailable, "")), Outcome::kFailure);
  EXPECT_EQ(Of(Error(Code::kInternal, "")), Outcome::kFailure);
}

TEST(OutcomeOfTest, TheCallersFaultIsNeutral) {
  EXPECT_EQ(Of(Error(Reason::kClientAbort, Executed::kMaybe)), Outcome::kIgnored);
  EXPECT_EQ(Of(Error(Reason::kBodyTooLarge, Executed::kNo)), Outcome::kIgnored);
  EXPECT_EQ(Of(Error(Code::kInvalidArgument, "")), Outcome::kIgnored);
  EXPECT_EQ(Of(Error(Code::kNotFound, "")), Outcome::kIgnored);
  EXPECT_EQ(Of(Error(Code::kCancelled, "")), Outcome::kIgnored);
}

TEST(OutcomeOfTest, AnInstanceThatShedsLoadHasNotFailed) {
  policy::FailedAttempt failure{.reason = Reason::kUpstreamStatus, .status = 503, .shed = true};
  EXPECT_EQ(OutcomeOf(failure), Outcome::kIgnored);
  failure.shed = false;
  EXPECT_EQ(OutcomeOf(failure), Outcome::kFailure);
}

TEST(OutcomeOfTest, WhatAPolicyRefusedIsNeutral) {
  EXPECT_EQ(Of(Error(Reason::kConcurrency, Executed::kNo)), Outcome::kIgnored);
  EXPECT_EQ(Of(Error(Reason::kCircuitOpen, Executed::kNo)), Outcome::kIgnored);
  EXPECT_EQ(Of(Error(Reason::kRateLimited, Executed::kNo)), Outcome::kIgnored);
  policy::FailedAttempt turned_down = policy::Facts(Error(Reason::kEjected, Executed::kNo));
  turned_down.failed = policy::Failed::kInstance;
  EXPECT_EQ(OutcomeOf(turned_down), Outcome::kIgnored);
}

TEST(AdmissionOfTest, WhoWaitsHasTheTrailOfItsCall) {
  const CallSpec spec{.service = "s", .trail = NullSink()};
  EXPECT_EQ(AdmissionOf(spec, TimePoint(1h)).trail, &NullSink());
}

}  // namespace
}  // namespace hale::guard
