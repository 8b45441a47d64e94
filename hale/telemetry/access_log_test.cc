#include "hale/telemetry/access_log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace hale::telemetry {
namespace {

class MemorySink final : public LogSink {
 public:
  bool Write(std::string_view lines) noexcept override {
    text += lines;
    return true;
  }
  std::string text;
};

AccessRecord Answered() {
  return {.time = WallTime(1795422901s),
          .request_id = "r-1",
          .trace = {.trace_high = 1, .trace_low = 2, .span = 3},
          .method = "GET",
          .target = "/orders/7?token=abc",
          .route = "/orders/",
          .service = "orders",
          .instance = "127.0.0.1:9001",
          .status = 200,
          .bytes_in = 0,
          .bytes_out = 1234,
          .duration = 1500us,
          .attempts = 1,
          .fallback = {},
          .client = "10.0.0.9",
          .user_agent = "curl/8"};
}

std::string Line(const AccessRecord& record) {
  MemorySink sink;
  LogQueue queue(sink);
  AccessLog(queue, "edge").Write(record);
  queue.Drain();
  return sink.text;
}

boost::json::object Parsed(const AccessRecord& record) {
  return boost::json::parse(Line(record)).as_object();
}

TEST(AccessLogTest, ARequestIsOneLine) {
  EXPECT_EQ(Line(Answered()),
            "{\"timestamp\":\"2026-11-23T08:35:01.000000Z\",\"level\":\"info\",\"service\":"
            "\"edge\",\"trace_id\":\"00000000000000010000000000000002\",\"span_id\":"
            "\"0000000000000003\",\"message\":\"request\",\"request_id\":\"r-1\",\"method\":"
            "\"GET\",\"path\":\"/orders/7?token=***\",\"status\":200,\"duration_seconds\":0.0015,"
            "\"bytes_in\":0,\"bytes_out\":1234,\"route\":\"/orders/\",\"upstream\":\"orders\","
            "\"instance\":\"127.0.0.1:9001\",\"attempts\":1,\"client\":\"10.0.0.9\","
            "\"user_agent\":\"curl/8\"}\n");
}

TEST(AccessLogTest, ARefusalCarriesItsReasonAndWarns) {
  AccessRecord record = Answered();
  record.status = 429;
  record.reason = Reason::kRateLimited;
  EXPECT_EQ(Parsed(record).at("reason"), "rate_limited");
  EXPECT_EQ(Parsed(record).at("level"), "warn");
}

TEST(AccessLogTest, AnOriginsOwn404IsNoWarning) {
  AccessRecord record = Answered();
  record.status = 404;
  EXPECT_EQ(Parsed(record).at("level"), "info");
  EXPECT_FALSE(Parsed(record).contains("reason"));
}

TEST(AccessLogTest, NoAnswerIsAnError) {
  AccessRecord record = Answered();
  record.status = 0;
  EXPECT_EQ(Parsed(record).at("level"), "error");
}

TEST(AccessLogTest, HostileInputStaysOneLineOfJson) {
  AccessRecord record = Answered();
  const std::string hostile(5000, '\x01');
  record.method = record.target = record.client = record.user_agent = record.request_id = hostile;
  const std::string line = Line(record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(boost::json::parse(line).as_object().at("truncated").as_bool());
}

}  // namespace
}  // namespace hale::telemetry
