#include "hale/telemetry/flight_recorder.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace hale::telemetry {
namespace {

AccessRecord Answered() {
  AccessRecord record;
  record.request_id = "r-1";
  record.trace = {.trace_high = 1, .trace_low = ~std::uint64_t{0}, .span = 3};
  record.method = "GET";
  record.target = "/orders/7?token=abc";
  record.route = "/orders/";
  record.service = "orders";
  record.status = 200;
  record.duration = 3ms;
  record.attempts = 1;
  return record;
}

Event Told(EventKind kind, Duration at = 0ms) {
  Event event;
  event.kind = kind;
  event.at = TimePoint(at);
  event.policy = "retry";
  event.instance = "127.0.0.1:9001";
  return event;
}

class FlightRecorderTest : public testing::Test {
 protected:
  std::optional<Kept> Classify(const AccessRecord& record) {
    return recorder_.Classify(record, trail_);
  }
  void Keep(Kept kept, std::string_view id) {
    AccessRecord record = Answered();
    record.request_id = id;
    recorder_.Keep(kept, record, trail_, {});
  }
  FlightRecorder recorder_{{.lane = 3}};
  RequestTrail trail_{TimePoint{}};
};

TEST_F(FlightRecorderTest, APlainRequestIsNotKept) {
  EXPECT_EQ(Classify(Answered()), std::nullopt);
}

TEST_F(FlightRecorderTest, ARefusalIsKept) {
  AccessRecord record = Answered();
  record.attempts = 0;
  record.status = 429;
  record.reason = Reason::kRateLimited;
  EXPECT_EQ(Classify(record), Kept::kRefused);
}

TEST_F(FlightRecorderTest, AFailureIsKept) {
  AccessRecord record = Answered();
  record.status = 500;
  EXPECT_EQ(Classify(record), Kept::kFailed);
  record.status = 0;
  EXPECT_EQ(Classify(record), Kept::kFailed);
}

TEST_F(FlightRecorderTest, AServicesOwnErrorIsNoRefusalThoughAnotherCallGotIt) {
  AccessRecord record = Answered();
  record.attempts = 0;
  record.status = 500;
  record.reason = Reason::kUpstreamStatus;
  EXPECT_EQ(Classify(record), Kept::kFailed);
}

TEST_F(FlightRecorderTest, AnOriginsOwn404IsPlain) {
  AccessRecord record = Answered();
  record.status = 404;
  EXPECT_EQ(Classify(record), std::nullopt);
}

TEST_F(FlightRecorderTest, WhatAPolicyTouchedIsKept) {
  for (const EventKind kind : {EventKind::kRaced, EventKind::kJoined, EventKind::kDelayed}) {
    trail_ = RequestTrail(TimePoint{});
    trail_.Add(Told(kind));
    EXPECT_EQ(Classify(Answered()), Kept::kRecovered) << Word(kind);
  }
}

TEST_F(FlightRecorderTest, WhatOnlyAShadowWouldHaveTouchedIsOfAnotherKind) {
  trail_.Add(Told(EventKind::kWouldRefuse));
  EXPECT_EQ(Classify(Answered()), Kept::kShadow);
  AccessRecord slow = Answered();
  slow.duration = 2s;
  EXPECT_EQ(Classify(slow), Kept::kSlow);
  trail_.Add(Told(EventKind::kRetried));
  EXPECT_EQ(Classify(Answered()), Kept::kRecovered);
}

TEST_F(FlightRecorderTest, AmongTheLatestAShadowsTakeOnlyWhatRoomIsLeft) {
  for (const char* id : {"1", "2", "3"}) Keep(Kept::kFailed, id);
  for (const char* id : {"4", "5", "6"}) Keep(Kept::kShadow, id);
  const auto ids = [&](std::size_t limit) {
    std::string all;
    for (const RequestRecord& record : recorder_.Latest(limit)) all += record.request_id.view();
    return all;
  };
  EXPECT_EQ(ids(2), "32");
  EXPECT_EQ(ids(4), "6321");
  EXPECT_EQ(ids(9), "654321");
}

TEST_F(FlightRecorderTest, ASlowRequestIsKeptFromTheBoundOn) {
  AccessRecord record = Answered();
  record.duration = 1s - 1ns;
  EXPECT_EQ(Classify(record), std::nullopt);
  record.duration = 1s;
  EXPECT_EQ(Classify(record), Kept::kSlow);
}

TEST_F(FlightRecorderTest, AboutTheShareIsSampledByTraceId) {
  SeededRandom random(7);
  const FlightRecorder recorder({.sample = 0.1});
  int kept = 0;
  for (int i = 0; i < 10'000; ++i) {
    AccessRecord record = Answered();
    record.trace = NewTrace(random, Sampled::kNo);
    kept += recorder.Classify(record, trail_) == Kept::kSampled ? 1 : 0;
  }
  EXPECT_NEAR(kept, 1000, 150);  // five standard deviations of a binomial
}

TEST_F(FlightRecorderTest, AFloodPushesOutOnlyItsOwnKind) {
  Keep(Kept::kFailed, "precious");
  for (int i = 0; i < 100; ++i) Keep(Kept::kRefused, "flood");
  EXPECT_EQ(recorder_.Find("precious").size(), 1);
  EXPECT_EQ(recorder_.Find("flood").size(), 3);
  EXPECT_EQ(recorder_.kept(Kept::kRefused), 100);
}

TEST_F(FlightRecorderTest, TheLastOfALaneAreKept) {
  for (const char* id : {"1", "2", "3", "4", "5"}) Keep(Kept::kSlow, id);
  EXPECT_TRUE(recorder_.Find("2").empty());
  EXPECT_EQ(recorder_.Find("3").size(), 1);
  EXPECT_EQ(recorder_.Find("5").size(), 1);
}

TEST_F(FlightRecorderTest, IsFoundByTraceIdToo) {
  Keep(Kept::kSlow, "a");
  EXPECT_EQ(recorder_.Find("0000000000000001ffffffffffffffff").size(), 1);
  EXPECT_TRUE(recorder_.Find("0000000000000001").empty());
}

TEST_F(FlightRecorderTest, TheLatestComeFirst) {
  Keep(Kept::kSlow, "a");
  Keep(Kept::kFailed, "b");
  Keep(Kept::kSlow, "c");
  const auto latest = recorder_.Latest(2);
  ASSERT_EQ(latest.size(), 2);
  EXPECT_EQ(latest[0].request_id, "c");
  EXPECT_EQ(latest[1].request_id, "b");
}

TEST_F(FlightRecorderTest, SecretsAreNotKept) {
  const std::array<HeaderView, 3> headers = {
      {{"Authorization", "Bearer abc"}, {"cookie", "sid=xyz"}, {"accept", "*/*"}}};
  recorder_.Keep(Kept::kFailed, Answered(), trail_, headers);
  const RequestRecord record = recorder_.Find("r-1").at(0);
  EXPECT_EQ(record.headers.view(), "Authorization: ***\ncookie: ***\naccept: */*\n");
  EXPECT_EQ(record.target, "/orders/7?token=***");
}

TEST_F(FlightRecorderTest, AZeroLaneKeepsNothing) {
  FlightRecorder recorder({.lane = 0});
  recorder.Keep(Kept::kFailed, Answered(), trail_, {});
  EXPECT_TRUE(recorder.Latest(10).empty());
}

TEST(RequestTrailTest, KeepsWhatItIsTold) {
  RequestTrail trail(TimePoint(1s));
  std::string name = "127.0.0.1:9001";
  Event event = Told(EventKind::kRetried, 1s + 5ms);
  event.instance = name;
  trail.Add(event);
  name = "gone";
  ASSERT_EQ(trail.decisions().size(), 1);
  EXPECT_EQ(trail.decisions()[0].offset, 5ms);
  EXPECT_EQ(trail.decisions()[0].instance, "127.0.0.1:9001");
}

TEST(RequestTrailTest, KnowsWhichKindsItHolds) {
  RequestTrail trail{TimePoint{}};
  EXPECT_TRUE(trail.empty());
  trail.Add(Told(EventKind::kLifecycle));
  EXPECT_TRUE(trail.Has(EventKind::kLifecycle));
  EXPECT_FALSE(trail.Has(EventKind::kRefused));
}

TEST(RequestTrailTest, BeyondItsBoundItOnlyCounts) {
  RequestTrail trail{TimePoint{}};
  for (int i = 0; i < 15; ++i) trail.Add(Told(EventKind::kRetried));
  EXPECT_EQ(trail.decisions().size(), RequestTrail::kMaxDecisions);
  EXPECT_EQ(trail.missed(), 3);
}

TEST(RequestTrailTest, ACopyIsItsOwn) {
  RequestTrail trail{TimePoint{}};
  trail.Add(Told(EventKind::kRetried));
  const RequestTrail copy = trail;
  trail.Add(Told(EventKind::kRaced));
  EXPECT_EQ(copy.decisions().size(), 1);
  EXPECT_TRUE(copy.Has(EventKind::kRetried));
  EXPECT_FALSE(copy.Has(EventKind::kRaced));
}

void KeepMany(FlightRecorder& recorder, char name) {
  const std::string text(40, name);
  AccessRecord record = Answered();
  record.request_id = record.route = record.client = text;
  for (int i = 0; i < 2000; ++i) {
    recorder.Keep(static_cast<Kept>(i % 2), record, RequestTrail{TimePoint{}}, {});
  }
}

TEST(FlightRecorderStressTest, RecordsAreWhole) {
  FlightRecorder recorder({.lane = 8});
  {
    std::vector<std::jthread> threads;
    for (const char name : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([&recorder, name] { KeepMany(recorder, name); });
    }
    for (int i = 0; i < 50; ++i) {
      for (const RequestRecord& record : recorder.Latest(100)) {
        EXPECT_EQ(record.request_id, record.client.view());
      }
    }
  }
  EXPECT_EQ(recorder.kept(Kept::kRefused) + recorder.kept(Kept::kFailed), 8000);
}

}  // namespace
}  // namespace hale::telemetry
