// Answers whose head comes and whose body does not, or not at once, through a whole gateway.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "gateway_thread.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

using Then = OriginAnswer::Then;

constexpr const char* kSized = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
constexpr const char* kStream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr const char* kSoon = "hale-timeout-ms: 300\r\n";

class LateBodyTest : public testing::Test {
 protected:
  void Start(const std::string& retry = "mode: off", const std::string& fallback = {}) {
    gateway_.emplace("services: {main: {instances: [\"" + origin_.address().Text() +
                     "\"], breaker: {mode: off}, outlier: {mode: off}, stall: {mode: off}, "
                     "retry: {" +
                     retry + "}}}\nroutes: [{name: all, service: main" + fallback + "}]\n");
  }
  std::string Get(const std::string& fields = {}) {
    return Exchange(gateway_->address(), "GET", "/", fields);
  }
  /// A connection on which a request has been sent.
  Wire Ask(const std::string& fields = {}) {
    Wire wire = Wire::To(gateway_->address());
    wire.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + fields + "\r\n");
    return wire;
  }

  RecordingOrigin origin_;
  std::optional<GatewayThread> gateway_;
};

TEST_F(LateBodyTest, IsRefusedWhenTheDeadlineComesFirst) {
  origin_.Answer(OriginAnswer(kSized, Then::kHang));
  Start();
  const std::string answer = Get(kSoon);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 504")) << answer;
  EXPECT_TRUE(answer.contains("hale-reason: deadline\r\n")) << answer;
  EXPECT_TRUE(
      gateway_->Shows("/metrics", R"(http_requests_total{method="GET",route="all",code="504"} 1)"));
  EXPECT_TRUE(gateway_->Admin("/explain").contains(R"("status":504,"reason":"deadline")"));
}

TEST_F(LateBodyTest, IsRefusedWhenItsInstanceBreaksFirst) {
  for (const auto* head : {kSized, kStream}) {
    origin_.Answer(OriginAnswer(head, Then::kClose));
    Start();
    const std::string answer = Get();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502")) << head << answer;
    EXPECT_TRUE(answer.contains("hale-reason: upstream_reset\r\n")) << head << answer;
  }
}

TEST_F(LateBodyTest, IsRefusedWhenItsFramingIsBrokenFromTheBeginning) {
  origin_.Answer(OriginAnswer(std::string(kStream) + "no size\r\n"));
  Start();
  EXPECT_TRUE(Get().contains("hale-reason: upstream_protocol\r\n"));
}

TEST_F(LateBodyTest, IsAnsweredWithAFallback) {
  origin_.Answer(OriginAnswer(kSized, Then::kHang));
  Start("mode: off", ", fallback: {status: 203, body: instead}");
  EXPECT_TRUE(Get(kSoon).ends_with("instead"));
}

TEST_F(LateBodyTest, IsAskedForAgainWhenThatDoesNoHarm) {
  origin_.AnswerNext(OriginAnswer(kSized, Then::kClose));
  Start("attempts: 2");
  EXPECT_TRUE(Get().ends_with("\r\n\r\nok"));
  EXPECT_EQ(origin_.requests().size(), 2U);
  EXPECT_TRUE(gateway_->Shows(
      "/metrics",
      R"({policy="retry",service="main",decision="retried",reason="upstream_reset"} 1)"));
}

TEST_F(LateBodyTest, IsNotAskedForAgainWhenItMayHaveBeenExecuted) {
  origin_.AnswerNext(OriginAnswer(kSized, Then::kClose));
  Start("attempts: 2");
  const std::string answer = Exchange(gateway_->address(), "POST", "/", "", "once");
  EXPECT_TRUE(answer.contains("hale-reason: upstream_reset\r\n")) << answer;
  EXPECT_EQ(origin_.requests().size(), 1U);
}

TEST_F(LateBodyTest, IsNotAskedForAgainWhenItsHeadHasSaidThatThisIsFinal) {
  const std::string final = "HTTP/1.1 503 Busy\r\nhale-retry: no\r\n";
  for (const auto* body : {"Content-Length: 10\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
    origin_.Clear();
    origin_.AnswerNext(OriginAnswer(final + body, Then::kClose));
    Start("attempts: 2");
    const std::string answer = Get();
    EXPECT_TRUE(answer.contains("hale-reason: upstream_reset\r\n")) << answer;
    EXPECT_TRUE(answer.contains("hale-retry: no\r\n")) << answer;
    EXPECT_EQ(origin_.requests().size(), 1U);
  }
}

TEST_F(LateBodyTest, HoldsBackNoHeadOfAStreamThatIsSilent) {
  OriginAnswer silent(kStream);
  silent.later = "5\r\nevent\r\n0\r\n\r\n";
  origin_.AnswerNext(silent);
  Start();
  Wire client = Ask();
  EXPECT_TRUE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  origin_.Release();
  EXPECT_EQ(client.ReadAll(), "5\r\nevent\r\n0\r\n\r\n");
  EXPECT_EQ(client.ended(), Ended::kClosed);
  EXPECT_TRUE(Get().ends_with("ok"));
  EXPECT_EQ(origin_.connections(), 1) << "to wait has broken nothing";
}

TEST_F(LateBodyTest, IsNoAnswerOnceItsHeadHasGoneOut) {
  origin_.Answer(OriginAnswer(kStream, Then::kHang));
  Start();
  Wire client = Ask(kSoon);
  EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.ended(), Ended::kReset);
  EXPECT_TRUE(gateway_->Shows("/metrics",
                              R"(http_requests_total{method="GET",route="all",code="none"} 1)"));
  EXPECT_TRUE(gateway_->Shows(
      "/metrics", R"(http_requests_errors_total{route="all",reason="upstream_timeout"} 1)"));
}

}  // namespace
}  // namespace hale::test
