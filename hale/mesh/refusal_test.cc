#include "hale/mesh/refusal.h"

#include <gtest/gtest.h>

namespace hale::mesh {
namespace {

Refusal Of(Reason reason, Duration retry_after = Duration::zero(),
           HopRetry retry = HopRetry::kMay) {
  Error error(reason, Executed::kNo);
  error.retry_after = retry_after;
  return MakeRefusal(error, "id-1", retry);
}

TEST(RefusalTest, SaysItsReasonInStatusFieldAndBody) {
  const Refusal refusal = Of(Reason::kCircuitOpen);
  EXPECT_EQ(refusal.head.status, 503);
  EXPECT_EQ(refusal.head.fields.Find("hale-reason"), "circuit_open");
  EXPECT_EQ(refusal.head.fields.Find("x-request-id"), "id-1");
  EXPECT_EQ(refusal.body,
            "{\"reason\":\"circuit_open\",\"message\":\"the circuit is open: recent calls "
            "failed\",\"request_id\":\"id-1\"}\n");
}

TEST(RefusalTest, RoundsRetryAfterUpToWholeSeconds) {
  EXPECT_EQ(Of(Reason::kRateLimited, 1ns).head.fields.Find("retry-after"), "1");
  EXPECT_EQ(Of(Reason::kRateLimited, 2s).head.fields.Find("retry-after"), "2");
  EXPECT_EQ(Of(Reason::kRateLimited, 2001ms).head.fields.Find("retry-after"), "3");
}

TEST(RefusalTest, SaysNothingOfATimeThatIsNotKnownOrNeverComes) {
  EXPECT_FALSE(Of(Reason::kRateLimited).head.fields.Has("retry-after"));
  EXPECT_FALSE(Of(Reason::kRateLimited, kForever).head.fields.Has("retry-after"));
}

TEST(RefusalTest, TellsTheHopAboveNotToRetry) {
  EXPECT_EQ(Of(Reason::kDeadline, {}, HopRetry::kNo).head.fields.Find("hale-retry"), "no");
  EXPECT_FALSE(Of(Reason::kDeadline).head.fields.Has("hale-retry"));
}

TEST(RefusalTest, EachReasonThatEndsACallHasItsStatus) {
  EXPECT_EQ(Of(Reason::kRateLimited).head.status, 429);
  EXPECT_EQ(Of(Reason::kNoRoute).head.status, 404);
  EXPECT_EQ(Of(Reason::kDeadline).head.status, 504);
  EXPECT_EQ(Of(Reason::kUpstreamConnect).head.status, 502);
  EXPECT_EQ(Of(Reason::kLoop).head.status, 508);
}

TEST(RefusalTest, AnErrorWithoutAReasonIsAFaultOfOurs) {
  EXPECT_EQ(MakeRefusal(Error(Code::kInternal, "x"), "id", HopRetry::kMay).head.status, 500);
}

}  // namespace
}  // namespace hale::mesh
