// What a client does wrong in the middle of its body, through a whole gateway: told once, and no
// fault of the service's.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "gateway_thread.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

constexpr const char* kChunked =
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n";
constexpr const char* kNoChunk = "no size\r\n";

class ClientFaultTest : public testing::Test {
 protected:
  /// A gateway whose one service loses its circuit with the first failure.
  void Start() {
    gateway_.emplace(
        "services: {main: {instances: [\"" + origin_.address().Text() +
        "\"], breaker: {consecutive_failures: 1}}}\nroutes: [{name: all, service: main}]\n");
  }
  /// The service answers before it has all of the request, and never ends its answer.
  void AnswerEarly() {
    OriginAnswer early("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin",
                       OriginAnswer::Then::kHang);
    early.before_body = true;
    origin_.AnswerNext(early);
  }
  bool Counts(const std::string& code) const {
    return gateway_->Shows(
        "/metrics", R"(http_requests_total{method="POST",route="all",code=")" + code + "\"} 1\n");
  }

  RecordingOrigin origin_;
  std::optional<GatewayThread> gateway_;
};

TEST_F(ClientFaultTest, IsCountedOnceWithTheAnswerThatItGot) {
  Start();
  Wire client = Wire::To(gateway_->address());
  client.Send(kChunked);
  client.Send(kNoChunk);
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(Counts("400"));
  const std::string metrics = gateway_->Admin("/metrics");
  EXPECT_FALSE(metrics.contains(R"(route="none")")) << metrics;
  EXPECT_FALSE(metrics.contains(R"(code="none")")) << metrics;
}

TEST_F(ClientFaultTest, BreaksAnAnswerOffThatFlowsAndBlamesNobodyElse) {
  AnswerEarly();
  Start();
  Wire client = Wire::To(gateway_->address());
  client.Send(kChunked);
  EXPECT_TRUE(client.ReadUntil("begin").ends_with("begin"));
  client.Send(kNoChunk);
  client.ReadAll();
  EXPECT_EQ(client.ended(), Ended::kReset);
  EXPECT_TRUE(Counts("200"));
  EXPECT_FALSE(gateway_->Admin("/metrics").contains("upstream_reset"));
  EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/").ends_with("ok")) << "its circuit is closed";
}

}  // namespace
}  // namespace hale::test
