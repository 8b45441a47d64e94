#include "hale/host/admin_routes.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace hale::host {
namespace {

namespace json = boost::json;

class MemorySink final : public telemetry::LogSink {
 public:
  bool Write(std::string_view lines) noexcept override {
    text += lines;
    return true;
  }
  std::string text;
};

class AdminRoutesTest : public testing::Test {
 protected:
  AdminRoutesTest() {
    head_.fields.Append("host", "127.0.0.1:9901");
    head_.fields.Append("authorization", "Bearer t");
  }
  AdminResponse Ask(std::string_view target, std::string_view method = "GET") {
    head_.method = method;
    head_.target = target;
    return admin_.Answer({head_});
  }
  json::object Json(std::string_view target) { return json::parse(Ask(target).body).as_object(); }
  void Keep(std::string_view id) {
    telemetry::AccessRecord record;
    record.request_id = id;
    record.method = "GET";
    record.target = "/orders";
    record.status = 429;
    record.reason = Reason::kRateLimited;
    recorder_.Keep(telemetry::Kept::kRefused, record, telemetry::RequestTrail{TimePoint{}}, {});
  }
  void Tell(EventKind kind) {
    Event event;
    event.kind = kind;
    event.service = "orders";
    journal_.Add(event);
  }

  SimClock clock_;
  MemorySink sink_;
  telemetry::LogQueue queue_{sink_};
  telemetry::Log log_{queue_, clock_, "edge"};
  telemetry::Journal journal_{clock_};
  telemetry::FlightRecorder recorder_;
  telemetry::Registry registry_;
  Readiness readiness_{.ready = true};
  Admin admin_{{.token = "t"},
               AdminRoutes({.registry = registry_,
                            .journal = journal_,
                            .recorder = recorder_,
                            .log = log_,
                            .ready = [this] { return readiness_; },
                            .status = [] { return std::string(R"({"services":{}})"); }})};
  net::RequestHead head_;
};

TEST_F(AdminRoutesTest, HealthIsAboutTheProcessOnly) {
  readiness_.ready = false;
  EXPECT_EQ(Ask("/health").status, 200);
}

TEST_F(AdminRoutesTest, ReadySaysWhyNot) {
  EXPECT_EQ(Ask("/ready").status, 200);
  readiness_ = {.ready = false, .why = "draining", .reason = Reason::kDraining};
  EXPECT_EQ(Ask("/ready").status, 503);
  EXPECT_EQ(Ask("/ready").reason, Reason::kDraining);
  EXPECT_EQ(Json("/ready").at("why"), "draining");
}

TEST_F(AdminRoutesTest, ProbesAreAnsweredUnderAnyNameAndNothingElseIs) {
  head_.fields.Set("host", "10.1.2.3");
  EXPECT_EQ(Ask("/health").status, 200);
  EXPECT_EQ(Ask("/ready").status, 200);
  for (const char* path : {"/status", "/metrics", "/explain", "/journal", "/log"}) {
    EXPECT_EQ(Ask(path).status, 403) << path;
  }
}

TEST_F(AdminRoutesTest, StatusIsWhatTheHostSays) {
  EXPECT_EQ(Ask("/status").body, "{\"services\":{}}\n");
}

TEST_F(AdminRoutesTest, MetricsAreNegotiated) {
  registry_.Counters({.name = "a_total", .help = "A."}).With({}).Add();
  EXPECT_EQ(Ask("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(Ask("/metrics").body.find("a_total 1\n"), std::string::npos);
  head_.fields.Append("accept", "application/openmetrics-text;version=1.0.0");
  EXPECT_TRUE(Ask("/metrics").body.ends_with("# EOF\n"));
}

TEST_F(AdminRoutesTest, ExplainFindsARequest) {
  Keep("r-1");
  Keep("r-2");
  const json::object answer = Json("/explain?id=r-1");
  ASSERT_EQ(answer.at("requests").as_array().size(), 1);
  EXPECT_EQ(answer.at("requests").as_array()[0].as_object().at("reason"), "rate_limited");
}

TEST_F(AdminRoutesTest, ExplainWithoutAnIdShowsTheLatest) {
  for (const char* id : {"1", "2", "3"}) Keep(id);
  const json::object answer = Json("/explain?limit=2");
  ASSERT_EQ(answer.at("requests").as_array().size(), 2);
  EXPECT_EQ(answer.at("requests").as_array()[0].as_object().at("request_id"), "3");
}

TEST_F(AdminRoutesTest, ExplainSpeaksToPeopleToo) {
  Keep("r-1");
  const AdminResponse answer = Ask("/explain?id=r-1&format=text");
  EXPECT_TRUE(answer.body.starts_with("GET /orders refused with 429 rate_limited")) << answer.body;
}

TEST_F(AdminRoutesTest, AnUnknownRequestIsA404ThatSaysWhatIsKept) {
  const AdminResponse answer = Ask("/explain?id=unknown");
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("only those that were refused"), std::string::npos);
  EXPECT_NE(answer.body.find("only the last 256 of each"), std::string::npos);
}

TEST_F(AdminRoutesTest, TheJournalIsReadOn) {
  Tell(EventKind::kOpened);
  Tell(EventKind::kClosed);
  const json::object first = Json("/journal?limit=1");
  EXPECT_EQ(first.at("entries").as_array().size(), 1);
  EXPECT_EQ(first.at("next").to_number<int>(), 1);
  const json::object second = Json("/journal?since=1");
  EXPECT_EQ(second.at("entries").as_array().at(0).as_object().at("kind"), "closed");
  EXPECT_EQ(second.at("lost").to_number<int>(), 0);
}

TEST_F(AdminRoutesTest, TheJournalSpeaksToPeopleToo) {
  Tell(EventKind::kOpened);
  EXPECT_EQ(Ask("/journal?format=text").body,
            "1970-01-01T01:00:00.000000Z  circuit of orders opened\n");
}

TEST_F(AdminRoutesTest, WhatIsNoNumberIsSaid) {
  for (const char* target : {"/journal?since=x", "/journal?since=-1", "/journal?limit=",
                             "/explain?limit=1x", "/journal?since=99999999999999999999"}) {
    EXPECT_EQ(Ask(target).status, 400) << target;
  }
}

TEST_F(AdminRoutesTest, TheLogLevelIsSetAndSaid) {
  EXPECT_EQ(Ask("/log").body, "{\"level\":\"info\"}\n");
  EXPECT_EQ(Ask("/log?level=debug", "PUT").body, "{\"level\":\"debug\"}\n");
  EXPECT_EQ(log_.level(), telemetry::Level::kDebug);
  queue_.Drain();
  EXPECT_NE(sink_.text.find("\"before\":\"info\",\"after\":\"debug\""), std::string::npos);
}

TEST_F(AdminRoutesTest, TurningALogOffIsItsLastLine) {
  Ask("/log?level=off", "PUT");
  log_.Error("unseen");
  queue_.Drain();
  EXPECT_NE(sink_.text.find("\"after\":\"off\""), std::string::npos);
  EXPECT_EQ(sink_.text.find("unseen"), std::string::npos);
}

TEST_F(AdminRoutesTest, ABadLevelChangesNothing) {
  EXPECT_EQ(Ask("/log?level=loud", "PUT").status, 400);
  EXPECT_EQ(log_.level(), telemetry::Level::kInfo);
}

TEST_F(AdminRoutesTest, TheLevelCannotBeSetWithoutTheToken) {
  head_.fields.Remove("authorization");
  EXPECT_EQ(Ask("/log?level=off", "PUT").status, 401);
  EXPECT_EQ(log_.level(), telemetry::Level::kInfo);
}

}  // namespace
}  // namespace hale::host
