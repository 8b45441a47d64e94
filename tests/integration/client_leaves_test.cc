// Clients that go before they are answered, through a whole gateway: no fault of the service's.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "gateway_thread.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

class ClientLeavesTest : public testing::Test {
 protected:
  void Start(const std::string& route = {}) {
    gateway_.emplace("services: {main: {instances: [\"" + origin_.address().Text() +
                     "\"]}}\nroutes: [{name: all, service: main" + route + "}]\n");
  }
  /// One request of that method has been counted as its client's end, and no error.
  void ExpectNoError(const std::string& method) const {
    EXPECT_TRUE(gateway_->Shows(
        "/metrics", "http_requests_total{method=\"" + method + R"(",route="all",code="499"} 1)"));
    EXPECT_FALSE(gateway_->Admin("/metrics").contains(R"(route="all",reason="client_abort"})"));
  }

  RecordingOrigin origin_;
  std::optional<GatewayThread> gateway_;
};

TEST_F(ClientLeavesTest, WhileItWaitsForItsTurn) {
  Start(", limit: [{kind: pacing, rate: 1/min, max_wait: 1min}], deadline: 5min");
  EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/").ends_with("ok"));
  Wire leaves = Wire::To(gateway_->address());
  leaves.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  ASSERT_TRUE(gateway_->Shows("/metrics", R"(decision="delayed",reason="none"} 1)"));
  leaves.Reset();
  ExpectNoError("GET");
}

TEST_F(ClientLeavesTest, InTheMiddleOfItsBody) {
  Start();
  Wire leaves = Wire::To(gateway_->address());
  leaves.Send(
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(leaves.ReadUntil("\r\n\r\n").contains("100 Continue"));
  leaves.Reset();
  ExpectNoError("POST");
}

TEST_F(ClientLeavesTest, WhileTheBodyOfItsAnswerIsAwaited) {
  origin_.AnswerNext(
      OriginAnswer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", OriginAnswer::Then::kHang));
  Start();
  Wire leaves = Wire::To(gateway_->address());
  leaves.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  ASSERT_TRUE(origin_.WaitForAnswers(1));
  // Once another exchange is over, the one loop has seen the head.
  EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/").ends_with("ok"));
  leaves.Reset();
  ExpectNoError("GET");
}

TEST_F(ClientLeavesTest, WhileAnotherServiceIsAskedInstead) {
  RecordingOrigin other;
  OriginAnswer later;
  later.held = true;
  other.Answer(later);
  origin_.Answer(OriginAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
  gateway_.emplace("services: {main: {instances: [\"" + origin_.address().Text() +
                   "\"], retry: {mode: off}}, other: {instances: [\"" + other.address().Text() +
                   "\"]}}\nroutes: [{name: all, service: main, fallback: {service: other}}]\n");
  Wire leaves = Wire::To(gateway_->address());
  leaves.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  ASSERT_TRUE(other.WaitForRequests(1));
  leaves.Reset();
  ExpectNoError("GET");
  EXPECT_TRUE(gateway_->Shows("/explain?limit=1", R"("status":499,"reason":"client_abort")"));
}

}  // namespace
}  // namespace hale::test
