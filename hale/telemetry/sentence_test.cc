#include "hale/telemetry/sentence.h"

#include <gtest/gtest.h>

namespace hale::telemetry {
namespace {

TEST(SentenceTest, ARefusalNamesTheRuleItsFiguresAndTheWayOut) {
  Event event;
  event.reason = Reason::kRateLimited;
  event.policy = "rate_limiter";
  event.service = "orders";
  event.observed = 10.2;
  event.threshold = 10;
  event.span = 300ms;
  EXPECT_EQ(Sentence(event),
            "refused by rate_limiter of orders: rate_limited, 10.2 of 10 permits, retry after "
            "300ms");
}

TEST(SentenceTest, AShadowsRefusalIsNone) {
  Event event;
  event.kind = EventKind::kWouldRefuse;
  event.reason = Reason::kConcurrency;
  event.policy = "bulkhead";
  event.service = "orders";
  event.observed = 1024;
  event.threshold = 1024;
  EXPECT_EQ(Sentence(event),
            "would be refused by bulkhead of orders: concurrency, 1024 of 1024 in flight");
}

TEST(SentenceTest, AnOpenedCircuitSaysWhyAndForHowLong) {
  Event event;
  event.kind = EventKind::kOpened;
  event.reason = Reason::kFailureRate;
  event.service = "orders";
  event.instance = "127.0.0.1:9001";
  event.observed = 0.625;
  event.threshold = 0.5;
  event.span = 5s;
  EXPECT_EQ(Sentence(event),
            "circuit of orders 127.0.0.1:9001 opened: failure_rate, 62.5% of 50% failed, for 5s");
}

TEST(SentenceTest, ARetrySaysWhichAttemptFailed) {
  Event event;
  event.kind = EventKind::kRetried;
  event.reason = Reason::kUpstreamConnect;
  event.policy = "retry";
  event.instance = "127.0.0.1:9001";
  event.observed = 1;
  event.threshold = 3;
  event.span = 25ms;
  EXPECT_EQ(Sentence(event),
            "retried by retry at 127.0.0.1:9001: upstream_connect, after attempt 1 of 3, after "
            "25ms");
}

TEST(SentenceTest, ARecoveryNeedsNoReason) {
  Event event;
  event.kind = EventKind::kReturned;
  event.reason = Reason::kRecovered;
  event.service = "orders";
  event.instance = "a:1";
  EXPECT_EQ(Sentence(event), "orders a:1 back in");
}

TEST(SentenceTest, ForeverIsAWord) {
  Event event;
  event.reason = Reason::kRateLimited;
  event.span = kForever;
  EXPECT_EQ(Sentence(event), "refused: rate_limited, do not ask again");
}

TEST(SentenceTest, TimesAreToldAsTimes) {
  Event event;
  event.reason = Reason::kDeadline;
  event.observed = 0.05;
  event.threshold = 1.5;
  EXPECT_EQ(Figures(event), "50ms against 1.5s");
}

TEST(SentenceTest, WithoutFiguresNoneAreMadeUp) {
  Event event;
  event.kind = EventKind::kConfigRejected;
  event.detail = "hale.yaml:3:1 unknown key";
  EXPECT_EQ(Figures(event), "");
  EXPECT_EQ(Sentence(event),
            "configuration rejected, the old one stays: hale.yaml:3:1 unknown key");
}

TEST(SentenceTest, AChangeOfTheProcessIsSaidOnce) {
  Event event;
  event.kind = EventKind::kLifecycle;
  event.reason = Reason::kDraining;
  event.detail = "draining";
  EXPECT_EQ(Sentence(event), "this process: draining");
}

TEST(SentenceTest, EveryKindHasAHead) {
  for (unsigned i = 0; i < static_cast<unsigned>(EventKind::kCount); ++i) {
    Event event;
    event.kind = static_cast<EventKind>(i);
    EXPECT_FALSE(Sentence(event).starts_with("event")) << Word(event.kind);
  }
}

TEST(RoundedTest, ThreeDigitsAndAUnit) {
  EXPECT_EQ(Rounded(0ns), "0ns");
  EXPECT_EQ(Rounded(999ns), "999ns");
  EXPECT_EQ(Rounded(1500us), "1.5ms");
  EXPECT_EQ(Rounded(312415627ns), "312ms");
  EXPECT_EQ(Rounded(999600us), "1s");
  EXPECT_EQ(Rounded(-25ms), "-25ms");
  EXPECT_EQ(Rounded(2h), "7200s");
}

}  // namespace
}  // namespace hale::telemetry
