// What a route answers when its service cannot, through a whole gateway and real sockets.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <regex>
#include <string>

#include "gateway_thread.h"
#include "hale/base/clock.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

using Then = OriginAnswer::Then;

constexpr const char* kBusy = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nX-Own: 1\r\n\r\nbusy";

/// `name: {...}` of a service whose policies do not act on an origin's faults, and more if told to.
std::string Service(const std::string& name, const net::Address& at, const std::string& more = {}) {
  return "  " + name + ": {instances: [\"" + at.Text() +
         "\"], breaker: {mode: off}, retry: {mode: off}, outlier: {mode: off}, stall: {mode: off}" +
         more + "}\n";
}

std::string Ok(const std::string& fields, const std::string& body = "fresh") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields +
         "\r\n" + body;
}

class RouteFallbackTest : public testing::Test {
 protected:
  std::string Document(const std::string& fallback) const {
    return "services:\n" + Service("main", origin_.address()) + Service("other", other_.address()) +
           "routes: [{name: all, service: main, deadline: 3s, fallback: {" + fallback + "}}]\n";
  }
  void Start(const std::string& fallback) { gateway_.emplace(Document(fallback)); }
  /// Nobody is at the first service; the other one has policies of its own, and a route.
  void StartWithOther(const std::string& policies, const std::string& fallback = "service: other") {
    const net::Address nobody = Port().address();  // free a moment ago
    gateway_.emplace(
        "services:\n" + Service("main", nobody) +
        Service("other", other_.address(), ", " + policies) +
        "routes: [{name: own, match: /own, service: other}, {name: all, service: main, "
        "fallback: {" +
        fallback + "}}]\n");
  }
  std::string Get(const std::string& target = "/", const std::string& fields = {}) {
    return Exchange(gateway_->address(), "GET", target, fields);
  }
  /// The first service answers when it is released.
  void AnswerLater(const std::string& bytes) {
    OriginAnswer answer(bytes);
    answer.held = true;
    origin_.Answer(answer);
  }
  /// An answer that is good once, and the service being away from then on.
  void GoodOnceThenAway(const std::string& fields) {
    origin_.AnswerNext(Ok(fields));
    origin_.Answer(OriginAnswer(kBusy));
    EXPECT_TRUE(Get().ends_with("fresh"));
  }

  RecordingOrigin origin_;
  RecordingOrigin other_;
  std::optional<GatewayThread> gateway_;
};

TEST_F(RouteFallbackTest, GivesAFixedAnswerAndSaysThatItIsOne) {
  origin_.Answer(OriginAnswer(kBusy));
  Start("status: 200, headers: {content-type: application/json}, body: '{\"orders\": []}'");
  const std::string answer = Get();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"orders\": []}"));
  EXPECT_TRUE(answer.contains("hale-fallback: static\r\n"));
  EXPECT_TRUE(answer.contains("hale-reason: upstream_status\r\n"));
  EXPECT_TRUE(answer.contains("content-type: application/json\r\n"));
  EXPECT_FALSE(answer.contains("X-Own"));
}

TEST_F(RouteFallbackTest, GivesAHeadNoBody) {
  origin_.Answer(OriginAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\n"));
  Start("status: 200, body: body");
  EXPECT_TRUE(Exchange(gateway_->address(), "HEAD", "/").ends_with("\r\n\r\n"));
}

TEST_F(RouteFallbackTest, LeavesAFailureThatItIsNotFor) {
  origin_.Answer(OriginAnswer(kBusy));
  Start("after: [deadline, no_instance], status: 200");
  const std::string answer = Get();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(answer.ends_with("busy"));
  EXPECT_FALSE(answer.contains("hale-fallback"));
}

TEST_F(RouteFallbackTest, LeavesABugsAnswerUnlessItIsListed) {
  origin_.Answer(OriginAnswer("HTTP/1.1 500 Bug\r\nContent-Length: 3\r\n\r\nbug"));
  Start("status: 200, body: instead");
  EXPECT_TRUE(Get().ends_with("bug"));
  gateway_->Apply(Document("status: 200, body: instead, after_status: [500]"));
  EXPECT_TRUE(Get().ends_with("instead"));
}

TEST_F(RouteFallbackTest, AnswersWhenNobodyAcceptsAConnection) {
  const net::Address nobody = Port().address();  // free a moment ago
  gateway_.emplace("services:\n" + Service("main", nobody) +
                   "routes: [{service: main, fallback: {status: 203}}]\n");
  const std::string answer = Get();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 203")) << answer;
  EXPECT_TRUE(answer.contains("hale-reason: upstream_connect\r\n"));
}

TEST_F(RouteFallbackTest, AnswersWhenTheDeadlineHasPassed) {
  origin_.Answer(OriginAnswer("", Then::kHang));
  Start("status: 200, body: instead");
  EXPECT_TRUE(Get("/", "hale-timeout-ms: 150\r\n").ends_with("instead"));
}

TEST_F(RouteFallbackTest, GivesTheLastGoodAnswerAndItsAge) {
  Start("last_good: 10s");
  GoodOnceThenAway("ETag: \"a\"\r\nAge: 7\r\n");
  const std::string answer = Get();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("fresh"));
  EXPECT_TRUE(answer.contains("hale-fallback: cached\r\n"));
  EXPECT_TRUE(answer.contains("\r\nAge: 7\r\n"));
  EXPECT_TRUE(answer.contains("ETag: \"a\"\r\n"));
  // The seven seconds that it came with, and what it has been kept since.
  const std::string explained = gateway_->Admin("/explain?limit=1&format=text");
  EXPECT_TRUE(std::regex_search(explained, std::regex(": upstream_status, cached, 7.*s old")))
      << explained;
}

TEST_F(RouteFallbackTest, GivesALastGoodAnswerThatCameInChunks) {
  Start("last_good: 10s");
  origin_.AnswerNext(OriginAnswer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"));
  origin_.Answer(OriginAnswer(kBusy));
  (void)Get();
  EXPECT_TRUE(Get().ends_with("abcdef"));
}

TEST_F(RouteFallbackTest, GivesTheLastGoodAnswerOfTheSameRequestOnly) {
  Start("last_good: 10s");
  GoodOnceThenAway("");
  EXPECT_TRUE(Get("/?other").starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(Get("/", "Accept-Language: de\r\n").starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(Get().starts_with("HTTP/1.1 200"));
}

TEST_F(RouteFallbackTest, GivesNoAnswerThatIsTooOld) {
  Start("last_good: 50ms");
  GoodOnceThenAway("");
  EXPECT_TRUE(Eventually([&] { return Get().starts_with("HTTP/1.1 503"); }));
}

TEST_F(RouteFallbackTest, KeepsNothingThatIsSomebodysOwn) {
  Start("last_good: 10s");
  for (const auto* own :
       {"Set-Cookie: a=1\r\n", "Cache-Control: private\r\n", "Cache-Control: no-store\r\n"}) {
    GoodOnceThenAway(own);
    EXPECT_TRUE(Get().starts_with("HTTP/1.1 503")) << own;
  }
}

TEST_F(RouteFallbackTest, KeepsNothingForCredentialsUnlessItIsPublic) {
  Start("last_good: {max_age: 10s, by: [authorization]}");
  const std::string mine = "Authorization: Bearer x\r\n";
  origin_.AnswerNext(Ok(""));
  origin_.AnswerNext(OriginAnswer(kBusy));
  (void)Get("/", mine);
  EXPECT_TRUE(Get("/", mine).starts_with("HTTP/1.1 503"));
  origin_.AnswerNext(Ok("Cache-Control: public\r\n"));
  origin_.Answer(OriginAnswer(kBusy));
  (void)Get("/", mine);
  EXPECT_TRUE(Get("/", mine).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(Get("/", "Authorization: Bearer y\r\n").starts_with("HTTP/1.1 503"));
}

TEST_F(RouteFallbackTest, KeepsNoAnswerLargerThanAllowed) {
  Start("last_good: {max_age: 10s, body: 4B}");
  GoodOnceThenAway("");
  EXPECT_TRUE(Get().starts_with("HTTP/1.1 503"));
}

TEST_F(RouteFallbackTest, ForgetsWhatIsGoneByItsServicesOwnWord) {
  Start("last_good: 10s");
  origin_.AnswerNext(Ok(""));
  origin_.AnswerNext(OriginAnswer("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"));
  origin_.Answer(OriginAnswer(kBusy));
  (void)Get();
  (void)Get();
  EXPECT_TRUE(Get().starts_with("HTTP/1.1 503"));
}

TEST_F(RouteFallbackTest, GivesNoAnswerFromBeforeAChangeOfWhatItIsAbout) {
  const std::string services = "services:\n" + Service("main", origin_.address());
  gateway_.emplace(services +
                   "routes: [{name: writes, match: {path: /, method: [PUT]}, service: main}, "
                   "{name: all, service: main, fallback: {last_good: 10s}}]\n");
  for (const auto* target : {"/changed", "/not"}) {
    origin_.AnswerNext(Ok(""));
    (void)Get(target);
  }
  origin_.AnswerNext(OriginAnswer("HTTP/1.1 204 Done\r\n\r\n"));
  origin_.Answer(OriginAnswer(kBusy));
  EXPECT_TRUE(Exchange(gateway_->address(), "PUT", "/changed", "", "new").contains("204"));
  EXPECT_TRUE(Get("/changed").starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(Get("/not").contains("hale-fallback: cached\r\n"));
}

TEST_F(RouteFallbackTest, KeepsNoAnswerThatWasAskedForBeforeAChange) {
  OriginAnswer old(Ok("", "old"));
  old.held = true;
  origin_.AnswerNext(old);
  origin_.AnswerNext(OriginAnswer("HTTP/1.1 204 Done\r\n\r\n"));
  origin_.Answer(OriginAnswer(kBusy));
  Start("last_good: 10s");
  Asking asks(gateway_->address(), "/");
  ASSERT_TRUE(origin_.WaitForRequests(1));
  EXPECT_TRUE(Exchange(gateway_->address(), "PUT", "/", "", "new").contains("204"));
  origin_.Release();
  EXPECT_TRUE(asks.Answer().ends_with("old"));
  EXPECT_TRUE(Get().starts_with("HTTP/1.1 503"));
}

TEST_F(RouteFallbackTest, KeepsItsAnswersThroughAChangeOfTheDocument) {
  Start("last_good: 10s");
  GoodOnceThenAway("");
  gateway_->Apply(Document("last_good: 20s, status: 404"));
  EXPECT_TRUE(Get().contains("hale-fallback: cached\r\n"));
}

TEST_F(RouteFallbackTest, AsksAnotherServiceFirst) {
  origin_.Answer(OriginAnswer(kBusy));
  other_.Answer(OriginAnswer(Ok("X-Other: 1\r\n", "other")));
  Start("service: other, status: 200, body: fixed");
  const std::string answer = Get("/path");
  EXPECT_TRUE(answer.ends_with("other"));
  EXPECT_TRUE(answer.contains("hale-fallback: service\r\n"));
  EXPECT_TRUE(answer.contains("hale-reason: upstream_status\r\n"));
  ASSERT_EQ(other_.requests().size(), 1U);
  EXPECT_TRUE(other_.requests()[0].head.starts_with("GET /path "));
}

TEST_F(RouteFallbackTest, AsksAnotherServiceWithWhatIsLeftOfTheTime) {
  AnswerLater(kBusy);
  Start("service: other");
  Asking asking(gateway_->address(), "/", "hale-timeout-ms: 2000\r\n");
  ASSERT_TRUE(origin_.WaitForRequests(1));
  const TimePoint came = RealClock().Now();
  ASSERT_TRUE(Eventually([&] { return RealClock().Now() - came >= 10ms; }));
  const auto held = std::chrono::ceil<std::chrono::milliseconds>(RealClock().Now() - came);
  origin_.Release();
  (void)asking.Answer();
  ASSERT_EQ(other_.requests().size(), 1U);
  const std::string head = other_.requests()[0].head;
  const auto at = head.find("hale-timeout-ms: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LE(std::stoi(head.substr(at + 17)), 2000 - held.count());
}

TEST_F(RouteFallbackTest, GivesTheFirstFailureWhenTheOtherServiceFails) {
  origin_.Answer(OriginAnswer(kBusy));
  other_.Answer(OriginAnswer("HTTP/1.1 500 Bug\r\nContent-Length: 5\r\n\r\nother"));
  Start("service: other");
  const std::string answer = Get();
  EXPECT_TRUE(answer.ends_with("busy")) << answer;
  EXPECT_FALSE(answer.contains("hale-fallback"));
}

TEST_F(RouteFallbackTest, SaysWhichServiceAnswered) {
  origin_.Answer(OriginAnswer(kBusy));
  Start("service: other");
  const auto answered = [](const std::string& service, const RecordingOrigin& by) {
    return R"("service":")" + service + R"(","instance":")" + by.address().Text() + "\"";
  };
  EXPECT_TRUE(Get().ends_with("ok"));
  EXPECT_TRUE(gateway_->Shows("/explain?limit=1", answered("other", other_) + R"(,"status":200)"));
  EXPECT_TRUE(gateway_->Shows("/explain?limit=1", "upstream_status, service other\""));
  other_.Answer(OriginAnswer(kBusy));
  EXPECT_TRUE(Get().ends_with("busy"));
  EXPECT_TRUE(gateway_->Shows("/explain?limit=1", answered("main", origin_) + R"(,"status":503)"));
}

TEST_F(RouteFallbackTest, FallsBackFurtherWhenTheOtherServiceFails) {
  origin_.Answer(OriginAnswer(kBusy));
  other_.Answer(OriginAnswer(kBusy));
  Start("service: other, status: 200, body: fixed");
  EXPECT_TRUE(Get().ends_with("fixed"));
}

TEST_F(RouteFallbackTest, SendsNoOtherServiceWhatMayHaveBeenExecuted) {
  origin_.Answer(OriginAnswer(kBusy));
  Start("service: other");
  EXPECT_TRUE(Exchange(gateway_->address(), "POST", "/", "", "once").ends_with("busy"));
  EXPECT_TRUE(other_.requests().empty());
}

TEST_F(RouteFallbackTest, SendsAnotherServiceTheWholeBodyOfWhatWasNotExecuted) {
  const net::Address nobody = Port().address();  // free a moment ago
  gateway_.emplace("services:\n" + Service("main", nobody) + Service("other", other_.address()) +
                   "routes: [{service: main, fallback: {service: other}}]\n");
  EXPECT_TRUE(Exchange(gateway_->address(), "POST", "/", "", "all of it").ends_with("ok"));
  ASSERT_EQ(other_.requests().size(), 1U);
  EXPECT_EQ(other_.requests()[0].body, "all of it");
}

TEST_F(RouteFallbackTest, AsksTheLimitsOfAnotherServiceToo) {
  StartWithOther("limit: [{rate: 1/h}]");
  EXPECT_TRUE(Get("/own").ends_with("ok"));
  const std::string answer = Get();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502")) << answer;
  EXPECT_TRUE(answer.contains("hale-reason: upstream_connect\r\n")) << answer;
  ASSERT_EQ(other_.requests().size(), 1U);
  EXPECT_TRUE(gateway_->Admin("/status").contains(
      R"("name":"all","service":"main","limits":[{"of":"other")"));
  EXPECT_TRUE(gateway_->Shows("/metrics",
                              R"({policy="rate_limiter",service="other",decision="refused",)"
                              R"(reason="rate_limited"} 1)"));
}

TEST_F(RouteFallbackTest, FallsBackFurtherWhenALimitOfTheOtherServiceRefuses) {
  StartWithOther("limit: [{rate: 1/h}]", "service: other, status: 200, body: fixed");
  EXPECT_TRUE(Get().ends_with("ok"));
  EXPECT_TRUE(Get().ends_with("fixed"));
}

TEST_F(RouteFallbackTest, WaitsForItsTurnAtAnotherService) {
  AnswerLater(kBusy);
  gateway_.emplace(
      "services:\n" + Service("main", origin_.address()) +
      Service("other", other_.address(), ", limit: [{kind: pacing, rate: 2/s, max_wait: 1s}]") +
      "routes: [{name: all, service: main, fallback: {service: other}}]\n");
  Asking first(gateway_->address(), "/");
  Asking second(gateway_->address(), "/");
  ASSERT_TRUE(origin_.WaitForRequests(2));
  origin_.Release();  // so that both come to the other one at the same time
  EXPECT_TRUE(first.Answer().ends_with("ok"));
  EXPECT_TRUE(second.Answer().ends_with("ok"));
  EXPECT_TRUE(gateway_->Shows(
      "/metrics", R"({policy="rate_limiter",service="other",decision="delayed",reason="none"} 1)"));
}

TEST_F(RouteFallbackTest, GivesBackItsTurnWhenItsClientDoesNotWaitForIt) {
  StartWithOther("limit: [{kind: pacing, rate: 1/s, max_wait: 1500ms}]",
                 "service: other, status: 200, body: fixed");
  EXPECT_TRUE(Get().ends_with("ok"));
  Wire leaves = Wire::To(gateway_->address());
  leaves.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  ASSERT_TRUE(gateway_->Shows("/metrics", R"(decision="delayed",reason="none"} 1)"));
  leaves.Reset();
  ASSERT_TRUE(
      gateway_->Shows("/metrics", R"(http_requests_total{method="GET",route="all",code="499"} 1)"));
  EXPECT_TRUE(Get().ends_with("ok"));
}

TEST_F(RouteFallbackTest, PaysAnotherServicesLimitForTheBytesOfItsAnswer) {
  other_.Answer(OriginAnswer(Ok("", std::string(6000, 'x'))));
  StartWithOther("limit: [{cost: bytes, rate: 3600/h, burst: 5000, estimate: 1}]");
  EXPECT_TRUE(Get().ends_with("xx"));
  ASSERT_TRUE(
      gateway_->Shows("/metrics", R"(http_requests_total{method="GET",route="all",code="200"} 1)"));
  EXPECT_TRUE(Get().starts_with("HTTP/1.1 502"));
}

TEST_F(RouteFallbackTest, TakesAPlaceInTheBulkheadOfTheOtherService) {
  OriginAnswer later;
  later.held = true;
  other_.Answer(later);
  StartWithOther("bulkhead: {limit: 1, queue: 0}");
  Asking own(gateway_->address(), "/own");
  ASSERT_TRUE(other_.WaitForRequests(1));
  const std::string answer = Get("/", "hale-timeout-ms: 1000\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502")) << answer;
  EXPECT_TRUE(answer.contains("hale-reason: upstream_connect\r\n")) << answer;
  EXPECT_EQ(other_.requests().size(), 1U);
  other_.Release();
  EXPECT_TRUE(own.Answer().ends_with("ok"));
  EXPECT_TRUE(Get().ends_with("ok"));
}

TEST_F(RouteFallbackTest, GivesBackAllOfABrokenAnswerBeforeItAsksAnotherService) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  origin_.AnswerNext(OriginAnswer(head + "no size\r\n", Then::kHang));
  OriginAnswer later(Ok("", "other"));
  later.held = true;
  other_.Answer(later);
  gateway_.emplace("services:\n" +
                   Service("main", origin_.address(), ", bulkhead: {limit: 1, queue: 0}") +
                   Service("other", other_.address()) +
                   "routes: [{name: all, service: main, fallback: {service: other}}]\n");
  Asking asking(gateway_->address(), "/");
  ASSERT_TRUE(other_.WaitForRequests(1));
  EXPECT_TRUE(origin_.WaitForEnds(1)) << "its connection is closed";
  EXPECT_TRUE(Get().ends_with("ok")) << "its place is free";
  other_.Release();
  EXPECT_TRUE(asking.Answer().ends_with("other"));
}

TEST_F(RouteFallbackTest, TakesNothingBackThatHasBegun) {
  origin_.Answer(OriginAnswer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin", Then::kReset));
  Start("last_good: 10s, status: 200, body: fixed");
  const std::string answer = Get();
  EXPECT_FALSE(answer.contains("fixed"));
  EXPECT_FALSE(answer.contains("hale-fallback"));
}

TEST_F(RouteFallbackTest, InShadowSaysSoAndAnswersAsItIs) {
  origin_.Answer(OriginAnswer(kBusy));
  Start("mode: shadow, status: 200, body: fixed");
  EXPECT_TRUE(Get().ends_with("busy"));
  EXPECT_TRUE(gateway_->Shows("/metrics",
                              R"({policy="fallback",service="all",decision="would_refuse",)"
                              R"(reason="upstream_status"} 1)"));
}

TEST_F(RouteFallbackTest, IsAnAnswerAndNoErrorInTheMetrics) {
  origin_.Answer(OriginAnswer(kBusy));
  Start("status: 200");
  (void)Get();
  EXPECT_TRUE(gateway_->Shows("/metrics",
                              R"({policy="fallback",service="all",decision="fell_back",)"
                              R"(reason="upstream_status"} 1)"));
  const std::string metrics = gateway_->Admin("/metrics");
  EXPECT_TRUE(metrics.contains(R"(http_requests_total{method="GET",route="all",code="200"} 1)"));
  EXPECT_TRUE(
      metrics.contains(R"(http_requests_errors_total{route="all",reason="upstream_status"} 0)"));
}

TEST_F(RouteFallbackTest, ShowsWhatItKeeps) {
  Start("last_good: 10s");
  GoodOnceThenAway("");
  EXPECT_TRUE(gateway_->Shows("/status", R"("last_good":{"entries":1)"));
}

}  // namespace
}  // namespace hale::test
