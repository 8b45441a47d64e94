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

TEST(SentenceTest, AFigureThatIsNearlyWholeIsWhole) {
  Event event;
  event.reason = Reason::kRateLimited;
  event.observed = 1.9999;
  event.threshold = 10.5;
  EXPECT_EQ(Figures(event), "2 of 10.5 permits");
}

TEST(SentenceTest, ALimitOfBytesIsToldInBytes) {
  Event event;
  event.reason = Reason::kRateLimited;
  event.observed = 5096;
  event.threshold = 4096;
  event.detail = "limit of the route (1000/s bytes by client_ip)";
  EXPECT_EQ(Figures(event), "5096 of 4096 bytes");
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

TEST(SentenceTest, AShadowThatRefusesNothingSaysWhatItWouldDo) {
  Event event;
  event.kind = EventKind::kWouldRefuse;
  event.service = "orders";
  event.policy = "single_flight";
  EXPECT_EQ(Sentence(event), "would wait for an identical call by single_flight of orders");
  event.policy = "fallback";
  event.reason = Reason::kNoInstance;
  EXPECT_EQ(Sentence(event),
            "would be answered with a fallback by fallback of orders: no_instance");
}

TEST(SentenceTest, AFallbackSaysWithWhatAndHowOldThatIs) {
  Event event;
  event.kind = EventKind::kFellBack;
  event.reason = Reason::kNoInstance;
  event.policy = "fallback";
  event.service = "all";
  event.detail = "service archive";
  EXPECT_EQ(Sentence(event),
            "answered with a fallback by fallback of all: no_instance, service archive");
  event.detail = "cached";
  event.span = 3s;
  EXPECT_EQ(Sentence(event),
            "answered with a fallback by fallback of all: no_instance, cached, 3s old");
}

TEST(SentenceTest, AWaitForAnAnswerThatIsNotSharedWasInVain) {
  Event event;
  event.kind = EventKind::kDelayed;
  event.policy = "single_flight";
  event.service = "orders";
  event.span = 300ms;
  EXPECT_EQ(Sentence(event),
            "waited for an identical call in vain by single_flight of orders: for 300ms");
  event.policy = "rate_limiter";
  EXPECT_EQ(Sentence(event), "delayed by rate_limiter of orders: for 300ms");
}

TEST(SentenceTest, AShadowSaysWhatItWouldHaveSentOnceMore) {
  Event event;
  event.kind = EventKind::kWouldRefuse;
  event.service = "orders";
  event.policy = "hedge";
  event.span = 11600us;
  EXPECT_EQ(Sentence(event), "would be sent to a second instance by hedge of orders: after 11.6ms");
  event.policy = "retry";
  event.reason = Reason::kUpstreamReset;
  event.observed = 1;
  event.threshold = 3;
  EXPECT_EQ(Sentence(event),
            "would be retried by retry of orders: upstream_reset, after attempt 1 of 3, "
            "after 11.6ms");
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
  EXPECT_EQ(Figures(event), "50ms left, 1.5s needed");
  event.reason = Reason::kQueueTimeout;
  EXPECT_EQ(Figures(event), "50ms against 1.5s");
}

TEST(SentenceTest, ADeadlineThatHasPassedSaysSince) {
  Event event;
  event.reason = Reason::kDeadline;
  EXPECT_EQ(Sentence(event), "refused: deadline, no time left");
  event.observed = -0.003;
  EXPECT_EQ(Figures(event), "3ms past it");
  event.observed = 0.003;
  EXPECT_EQ(Figures(event), "3ms waited");
}

TEST(SentenceTest, WhatAPassedDeadlineOnlyCausedHasNoFigures) {
  Event event;
  event.kind = EventKind::kFellBack;
  event.reason = Reason::kDeadline;
  EXPECT_EQ(Figures(event), "");
}

TEST(SentenceTest, AnInstanceUnlikeItsPeersIsADistanceAway) {
  Event event;
  event.kind = EventKind::kEjected;
  event.reason = Reason::kSlowRate;
  event.policy = "outlier";
  event.instance = "a:1";
  event.observed = 1.323;
  event.threshold = 1;
  event.span = 10s;
  event.detail = "unlike its peers";
  EXPECT_EQ(Sentence(event),
            "a:1 left out: slow_rate, distance 1.32 of 1, for 10s, unlike its peers");
}

TEST(SentenceTest, InShadowAnInstanceWouldBeLeftOutForAsLong) {
  Event event;
  event.kind = EventKind::kWouldRefuse;
  event.policy = "outlier";
  event.service = "orders";
  event.instance = "a:1";
  event.span = 6s;
  EXPECT_EQ(Sentence(event), "orders a:1 would be left out: for 6s");
  event.policy = "stall";
  EXPECT_EQ(Sentence(event), "orders a:1 would be left out: for 6s");
}

TEST(SentenceTest, ACallThatIsRacedForAStallIsNotLeftOut) {
  Event event;
  event.kind = EventKind::kRaced;
  event.policy = "stall";
  event.span = 300ms;
  EXPECT_EQ(Sentence(event), "sent to a second instance by stall: after 300ms");
}

TEST(SentenceTest, AFullTableOfKeysCountsCallsAndKeys) {
  Event event;
  event.kind = EventKind::kBound;
  event.reason = Reason::kRateLimited;
  event.policy = "rate_limiter";
  event.service = "orders";
  event.observed = 109;
  event.threshold = 24;
  EXPECT_EQ(Sentence(event),
            "rate_limiter of orders is full: rate_limited, 109 calls without a place among 24 "
            "keys");
}

TEST(SentenceTest, AnOpenCircuitsFiguresAreOfWhatOpenedIt) {
  Event event;
  event.kind = EventKind::kWouldRefuse;
  event.reason = Reason::kCircuitOpen;
  event.policy = "circuit_breaker";
  event.observed = 5;
  event.threshold = 5;
  event.detail = "consecutive_failures";
  EXPECT_EQ(Figures(event), "5 of 5 failures in a row");
  event.detail = "probe_failed";
  EXPECT_EQ(Figures(event), "5 of 5 probes passed");
}

TEST(SentenceTest, AGuardsOneCircuitHasNoInstances) {
  Event event;
  event.reason = Reason::kCircuitOpen;
  event.policy = "pick";
  event.service = "shop";
  event.observed = 0.625;
  event.threshold = 0.5;
  event.detail = "failure_rate";
  EXPECT_EQ(Sentence(event),
            "refused by pick of shop: circuit_open, 62.5% of 50% failed, failure_rate");
  event.observed = 0;
  event.threshold = 3;
  event.detail = {};
  EXPECT_EQ(Figures(event), "0 of 3 instances");
}

TEST(SentenceTest, ProbesAreCountedAndARampIsAShare) {
  Event event;
  event.reason = Reason::kProbing;
  event.observed = event.threshold = 1;
  EXPECT_EQ(Figures(event), "1 of 1 probes");
  event.observed = 0.7;
  event.threshold = 0.25;
  EXPECT_EQ(Figures(event), "25% of calls let through");
}

TEST(SentenceTest, HungCallsAreAShareOrARow) {
  Event event;
  event.reason = Reason::kHungCalls;
  event.observed = 0.6;
  event.threshold = 0.5;
  EXPECT_EQ(Figures(event), "60% of 50% hung");
  event.observed = event.threshold = 5;
  EXPECT_EQ(Figures(event), "5 of 5 calls hung");
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
