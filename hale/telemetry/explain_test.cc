#include "hale/telemetry/explain.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace hale::telemetry {
namespace {

RequestRecord Refused() {
  RequestRecord record;
  record.kept = Kept::kRefused;
  record.time = WallTime(1795422901s);
  record.duration = 200us;
  record.request_id = "r-1";
  record.trace = {.trace_high = 1, .trace_low = 2, .span = 3};
  record.method = "GET";
  record.target = "/orders/7";
  record.route = "/orders/";
  record.client = "10.0.0.9";
  record.status = 429;
  record.reason = Reason::kRateLimited;
  record.headers = "accept: */*\ncookie: ***\n";
  Event event;
  event.at = TimePoint(100us);
  event.reason = Reason::kRateLimited;
  event.policy = "rate_limiter";
  event.service = "/orders/";
  event.observed = 10.2;
  event.threshold = 10;
  event.span = 300ms;
  record.trail.Add(event);
  return record;
}

TEST(ExplainTest, TheTextIsAHeadlineAndALineADecision) {
  EXPECT_EQ(ExplainText(Refused()),
            "GET /orders/7 refused with 429 rate_limited after 200us\n"
            "  at 2026-11-23T08:35:01.000000Z, request r-1, trace "
            "00000000000000010000000000000002\n"
            "  client 10.0.0.9, route /orders/, service -, instance -, attempts 0\n"
            "    +100us  refused by rate_limiter of /orders/: rate_limited, 10.2 of 10 permits, "
            "retry after 300ms\n");
}

TEST(ExplainTest, ADecisionKeepsWhatWasSaidBesideItsFigures) {
  RequestRecord record = Refused();
  Event event;
  event.detail = "no place for its key";
  record.trail.Add(event);
  EXPECT_TRUE(ExplainText(record).ends_with("refused: no place for its key\n"));
  EXPECT_NE(ExplainJson(record).find(R"("detail":"no place for its key")"), std::string::npos);
}

TEST(ExplainTest, NoAnswerIsSaidAsSuch) {
  RequestRecord record = Refused();
  record.kept = Kept::kFailed;
  record.status = 0;
  record.reason = Reason::kNone;
  EXPECT_TRUE(ExplainText(record).starts_with("GET /orders/7 got no answer after 200us\n"));
}

TEST(ExplainTest, DecisionsThatFoundNoRoomAreCounted) {
  RequestRecord record = Refused();
  for (int i = 0; i < 13; ++i) record.trail.Add({});
  EXPECT_TRUE(ExplainText(record).ends_with("and 2 more decisions\n"));
}

TEST(ExplainTest, TheJsonHoldsTheLiveNumbers) {
  const auto json = boost::json::parse(ExplainJson(Refused())).as_object();
  EXPECT_EQ(json.at("status").to_number<int>(), 429);
  EXPECT_EQ(json.at("reason"), "rate_limited");
  const auto& decision = json.at("decisions").as_array().at(0).as_object();
  EXPECT_EQ(decision.at("policy"), "rate_limiter");
  EXPECT_EQ(decision.at("observed").to_number<double>(), 10.2);
  EXPECT_EQ(decision.at("threshold").to_number<double>(), 10);
  EXPECT_EQ(decision.at("span_seconds").to_number<double>(), 0.3);
}

TEST(ExplainTest, HeadersAreAList) {
  const auto json = boost::json::parse(ExplainJson(Refused())).as_object();
  EXPECT_EQ(json.at("headers"), (boost::json::array{"accept: */*", "cookie: ***"}));
}

TEST(ExplainTest, AnEmptyRecordIsJsonToo) {
  const auto json = boost::json::parse(ExplainJson({})).as_object();
  EXPECT_TRUE(json.at("decisions").as_array().empty());
  EXPECT_TRUE(json.at("headers").as_array().empty());
}

TEST(ExplainTest, HostileTextIsJsonToo) {
  RequestRecord record = Refused();
  record.target = std::string(256, '\x01');
  record.client = "\"\xFF";
  record.headers = std::string(1024, '\xFF');
  EXPECT_NO_THROW(boost::json::parse(ExplainJson(record)));
}

}  // namespace
}  // namespace hale::telemetry
