// What policies in shadow would have done with a request, as its /explain tells it.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "gateway_thread.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

int Count(std::string_view text, std::string_view what) {
  int count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

class ShadowTest : public testing::Test {
 protected:
  /// A service and a route, each with so much more.
  void Start(const std::string& service, const std::string& route = {}) {
    gateway_.emplace("services: {main: {instances: [\"" + origin_.address().Text() +
                     "\"], retry: {mode: off}, outlier: {mode: off}, " + service +
                     "}}\nroutes: [{name: all, service: main, " + route + "}]\n");
  }
  void Ask(int times = 1) {
    for (int i = 0; i < times; ++i) Exchange(gateway_->address(), "GET", "/");
  }
  /// One request while another one is with the origin.
  void AskBesideAnother() {
    OriginAnswer later;
    later.held = true;
    origin_.AnswerNext(later);
    const Asking first(gateway_->address(), "/");
    ASSERT_TRUE(origin_.WaitForRequests(1));
    Ask();
    origin_.Release();
  }
  std::string Explained() const { return gateway_->Admin("/explain?format=text&limit=100"); }
  /// So many requests have a line that begins so, and so many are counted.
  void ExpectTold(const std::string& line, const std::string& policy, const std::string& reason,
                  int times = 1) const {
    EXPECT_TRUE(Eventually([&] { return Count(Explained(), line) >= times; })) << Explained();
    EXPECT_EQ(Count(Explained(), line), times);
    const std::string counted = "hale_policy_decisions_total{policy=\"" + policy +
                                "\",decision=\"would_refuse\",reason=\"" + reason + "\"} " +
                                std::to_string(times) + "\n";
    const std::string metrics = gateway_->Admin("/metrics");
    EXPECT_TRUE(metrics.contains(counted)) << metrics;
  }

  RecordingOrigin origin_;
  std::optional<GatewayThread> gateway_;
};

TEST_F(ShadowTest, EachKindOfLimitIsExplainedAndCountedOnce) {
  for (const char* limit :
       {"burst: 1", "burst: 1, kind: pacing", "kind: sliding_log", "burst: 1, by: client_ip"}) {
    SCOPED_TRACE(limit);
    Start("", std::string("limit: [{mode: shadow, rate: 1/min, ") + limit + "}]");
    Ask(2);
    ExpectTold("would be refused by rate_limiter of all: rate_limited",
               R"(rate_limiter",service="all)", "rate_limited");
    EXPECT_TRUE(Explained().contains("limit of the route (1/min by ")) << Explained();
  }
}

TEST_F(ShadowTest, ABulkheadIsExplainedAndCountedOnce) {
  Start("bulkhead: {mode: shadow, limit: 1}");
  AskBesideAnother();
  ExpectTold("would be refused by bulkhead of main: concurrency, 1 of 1 in flight",
             R"(bulkhead",service="main)", "concurrency");
}

TEST_F(ShadowTest, AConcurrencyLimitIsExplainedAndCountedOnce) {
  Start("concurrency: {mode: shadow, min: 1, start: 1}");
  AskBesideAnother();
  ExpectTold("would be refused by concurrency_limit of main: concurrency, 2 of 1",
             R"(concurrency_limit",service="main)", "concurrency");
}

TEST_F(ShadowTest, ASingleFlightIsExplainedAndCountedOnce) {
  Start("", "single_flight: {mode: shadow}");
  AskBesideAnother();
  ExpectTold("would wait for an identical call by single_flight of all",
             R"(single_flight",service="all)", "none");
}

TEST_F(ShadowTest, ACircuitIsExplainedAndCountedOnce) {
  origin_.AnswerNext({"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"});
  Start("breaker: {mode: shadow, consecutive_failures: 1}");
  Ask(2);
  ExpectTold("would be refused by circuit_breaker of main at " + origin_.address().Text(),
             R"(circuit_breaker",service="main)", "circuit_open");
}

TEST_F(ShadowTest, AThrottleIsExplainedAndEachTimeCountedOnce) {
  origin_.Answer({"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"});
  Start("breaker: {mode: off}, throttle: {mode: shadow, minimum_calls: 1}");
  Ask(60);
  const int held_back = Count(Explained(), "would be refused by throttle of main: throttled");
  EXPECT_GT(held_back, 20);
  ExpectTold("would be refused by throttle of main: throttled", R"(throttle",service="main)",
             "throttled", held_back);
}

}  // namespace
}  // namespace hale::test
