// Identical requests that come at one time, through a whole gateway and real sockets.
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>

#include "gateway_thread.h"
#include "recording_origin.h"
#include "wire.h"

namespace hale::test {
namespace {

using Then = OriginAnswer::Then;

class RouteSingleFlightTest : public testing::Test {
 protected:
  /// Answers when it is released, so that others come meanwhile.
  void AnswerLater(const std::string& bytes, Then then = Then::kKeep) {
    OriginAnswer answer(bytes, then);
    answer.held = true;
    origin_.Answer(answer);
  }
  std::string Document(const std::string& single_flight, const std::string& route = {}) const {
    return "services: {main: {instances: [\"" + origin_.address().Text() +
           "\"], breaker: {mode: off}, retry: {mode: off}, outlier: {mode: off}, "
           "stall: {mode: off}}}\nroutes: [{name: all, service: main, " +
           route + "single_flight: {" + single_flight + "}}]\n";
  }
  void Start(const std::string& single_flight = "mode: enforce",
             const std::string& node = "loops: 1") {
    gateway_.emplace(Document(single_flight), node);
  }
  /// The one who comes first, once its request is with the origin.
  void Lead(const std::string& fields = {}) {
    asking_.emplace_back(gateway_->address(), "/", fields);
    ASSERT_TRUE(origin_.WaitForRequests(1));
  }
  void Follow(int count, const std::string& fields = {}, const std::string& target = "/") {
    for (int i = 0; i < count; ++i) asking_.emplace_back(gateway_->address(), target, fields);
  }
  /// So many have joined a flight, and so many requests have come to the origin, which answers now.
  void ReleaseWith(int joined, std::size_t requests = 1) {
    const std::string shown = "\"joined\":" + std::to_string(joined) + "}";
    if (joined > 0) EXPECT_TRUE(gateway_->Shows("/status", shown));
    EXPECT_TRUE(origin_.WaitForRequests(requests));
    origin_.Release();
  }
  /// Once another exchange is over, the one loop has seen what happened before it.
  void PassLoop() {
    origin_.AnswerNext(OriginAnswer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed"));
    EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/?passed").contains("passed"));
  }
  int CountAnswers(const std::string& text) {
    int count = 0;
    for (Asking& asking : asking_) count += asking.Answer().contains(text) ? 1 : 0;
    return count;
  }
  std::size_t requests() { return origin_.requests().size(); }

  RecordingOrigin origin_;
  std::optional<GatewayThread> gateway_;
  std::deque<Asking> asking_;
};

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nonce!";

TEST_F(RouteSingleFlightTest, MakesOneCallOfTwenty) {
  AnswerLater(kOk);
  Start();
  Lead();
  Follow(19);
  ReleaseWith(19);
  EXPECT_EQ(CountAnswers("\r\n\r\nonce!"), 20);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RouteSingleFlightTest, MakesOneCallOverAllLoops) {
  AnswerLater(kOk);
  Start("mode: enforce", "loops: 4");
  Lead();
  Follow(19);
  ReleaseWith(19);
  EXPECT_EQ(CountAnswers("\r\n\r\nonce!"), 20);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RouteSingleFlightTest, MakesEachCallWhenOff) {
  AnswerLater(kOk);
  Start("mode: off");
  Lead();
  Follow(2);
  ReleaseWith(0, 3);
  EXPECT_EQ(CountAnswers("once!"), 3);
  EXPECT_EQ(requests(), 3U);
}

TEST_F(RouteSingleFlightTest, InShadowSaysSoAndMakesEachCall) {
  AnswerLater(kOk);
  Start("mode: shadow");
  Lead();
  Follow(2);
  ReleaseWith(0, 3);
  EXPECT_EQ(CountAnswers("once!"), 3);
  EXPECT_EQ(requests(), 3U);
  EXPECT_TRUE(gateway_->Shows(
      "/metrics",
      R"({policy="single_flight",service="all",decision="would_refuse",reason="none"} 2)"));
}

TEST_F(RouteSingleFlightTest, SaysHowManyJoined) {
  AnswerLater(kOk);
  Start();
  Lead();
  Follow(3);
  ReleaseWith(3);
  EXPECT_EQ(CountAnswers("once!"), 4);
  EXPECT_TRUE(gateway_->Shows(
      "/metrics", R"({policy="single_flight",service="all",decision="joined",reason="none"} 3)"));
  EXPECT_TRUE(gateway_->Shows("/status", R"("single_flight":{"flights":0,"joined":3)"));
}

TEST_F(RouteSingleFlightTest, KeepsDifferentRequestsApart) {
  AnswerLater(kOk);
  Start();
  Lead();
  Follow(1, "", "/?other");
  Follow(1, "Accept-Language: de\r\n");
  Follow(1, "Authorization: Bearer x\r\n");
  Follow(1, "Cookie: a=1\r\n");
  ReleaseWith(0, 5);
  EXPECT_EQ(CountAnswers("once!"), 5);
  EXPECT_EQ(requests(), 5U);
}

TEST_F(RouteSingleFlightTest, SharesCredentialsOnlyAmongTheirOwners) {
  AnswerLater(kOk);
  Start("mode: enforce, by: [authorization]");
  Lead("Authorization: Bearer x\r\n");
  Follow(2, "Authorization: Bearer x\r\n");
  Follow(1, "Authorization: Bearer y\r\n");
  ReleaseWith(2, 2);
  EXPECT_EQ(CountAnswers("once!"), 4);
  EXPECT_EQ(requests(), 2U);
}

TEST_F(RouteSingleFlightTest, LetsEachAskWhenTheAnswerIsSomebodysOwn) {
  AnswerLater("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n\r\nok");
  Start();
  Lead();
  Follow(2);
  ReleaseWith(2);
  EXPECT_EQ(CountAnswers("Set-Cookie: a=1"), 3);
  EXPECT_EQ(requests(), 3U);
}

TEST_F(RouteSingleFlightTest, SaysWhoWaitedInVain) {
  AnswerLater("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n\r\nok");
  Start();
  Lead();
  Follow(2);
  ReleaseWith(2);
  EXPECT_EQ(CountAnswers("Set-Cookie: a=1"), 3);
  EXPECT_TRUE(gateway_->Shows(
      "/metrics", R"({policy="single_flight",service="all",decision="delayed",reason="none"} 2)"));
  EXPECT_TRUE(gateway_->Shows("/explain?format=text", "waited for an identical call in vain"));
}

TEST_F(RouteSingleFlightTest, LetsEachAskWhenTheAnswerVariesByWhatTheyHaveNotInCommon) {
  AnswerLater("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: X-Plan\r\n\r\nok");
  Start();
  Lead("X-Plan: gold\r\n");
  Follow(1, "X-Plan: gold\r\n");
  Follow(1, "X-Plan: tin\r\n");
  ReleaseWith(2);
  EXPECT_EQ(CountAnswers("\r\n\r\nok"), 3);
  EXPECT_EQ(requests(), 2U);
}

TEST_F(RouteSingleFlightTest, LetsEachAskWhenTheAnswerIsLarge) {
  const std::string body(300, 'x');
  AnswerLater("HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + body);
  Start("mode: enforce, max_body: 299B");
  Lead();
  Follow(2);
  ReleaseWith(2);
  EXPECT_EQ(CountAnswers("\r\n\r\n" + body), 3);
  EXPECT_EQ(requests(), 3U);
}

TEST_F(RouteSingleFlightTest, LetsEachAskWhenTheAnswerTurnsOutLarge) {
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10; ++i) chunked += "1e\r\n" + std::string(30, 'x') + "\r\n";
  AnswerLater(chunked + "0\r\n\r\n");
  Start("mode: enforce, max_body: 100B");
  Lead();
  Follow(1);
  ReleaseWith(1);
  EXPECT_EQ(CountAnswers("x\r\n0\r\n\r\n"), 2);
  EXPECT_EQ(requests(), 2U);
}

TEST_F(RouteSingleFlightTest, SharesWhatCameInChunks) {
  AnswerLater("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  Start();
  Lead();
  Follow(2);
  ReleaseWith(2);
  EXPECT_EQ(CountAnswers("\r\n\r\nabc"), 3);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RouteSingleFlightTest, SharesAFailureWithThoseWhoJoined) {
  AnswerLater("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  Start();
  Lead();
  Follow(3);
  ReleaseWith(3);
  EXPECT_EQ(CountAnswers("busy"), 4);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RouteSingleFlightTest, SharesAnAnswerThatBreaksOffAsAFailure) {
  AnswerLater("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin", Then::kReset);
  Start();
  Lead();
  Follow(2);
  ReleaseWith(2);
  EXPECT_EQ(CountAnswers("hale-reason: upstream_reset"), 3);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RouteSingleFlightTest, GoesOnForTheOthersWhenTheFirstClientHasGone) {
  AnswerLater(kOk);
  Start();
  {
    Wire first = Wire::To(gateway_->address());
    first.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    ASSERT_TRUE(origin_.WaitForRequests(1));
    Follow(2);
    ASSERT_TRUE(gateway_->Shows("/status", "\"joined\":2"));
    first.Reset();
  }
  PassLoop();
  origin_.Release();
  EXPECT_EQ(CountAnswers("once!"), 2);
  EXPECT_EQ(requests(), 2U) << "theirs and the one that passed";
}

TEST_F(RouteSingleFlightTest, StopsWhenAllClientsHaveGone) {
  origin_.Answer(OriginAnswer("", Then::kHang));
  Start();
  Wire first = Wire::To(gateway_->address());
  Wire second = Wire::To(gateway_->address());
  for (Wire* wire : {&first, &second}) {
    wire->Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    ASSERT_TRUE(gateway_->Shows("/status", "\"flights\":1"));
  }
  ASSERT_TRUE(gateway_->Shows("/status", "\"joined\":1"));
  ASSERT_TRUE(origin_.WaitForRequests(1));
  first.Reset();
  PassLoop();
  EXPECT_TRUE(gateway_->Admin("/status").contains("\"flights\":1")) << "one still waits";
  second.Reset();
  EXPECT_TRUE(origin_.WaitForEnds(1));
  EXPECT_TRUE(gateway_->Shows("/status", "\"flights\":0"));
}

TEST_F(RouteSingleFlightTest, EndsWithItsProcessThoughOthersWaitOnOtherLoops) {
  origin_.Answer(OriginAnswer("", Then::kHang));
  Start("mode: enforce", "loops: 4");
  Lead();
  Follow(11);
  ASSERT_TRUE(gateway_->Shows("/status", "\"joined\":11"));
  gateway_.reset();
  EXPECT_EQ(CountAnswers("HTTP/1.1"), 0);
}

TEST_F(RouteSingleFlightTest, WaitsNoLongerThanItsOwnDeadline) {
  AnswerLater(kOk);
  Start();
  Lead();
  const std::string late = Exchange(gateway_->address(), "GET", "/", "hale-timeout-ms: 100\r\n");
  EXPECT_TRUE(late.contains("hale-reason: deadline"));
  EXPECT_TRUE(gateway_->Admin("/status").contains("\"flights\":1")) << "the leader still waits";
  origin_.Release();
  EXPECT_EQ(CountAnswers("once!"), 1);
}

TEST_F(RouteSingleFlightTest, ALeaderWithLittleTimeFailsAlone) {
  AnswerLater(kOk);
  Start();
  Lead("hale-timeout-ms: 1000\r\n");  // the others come meanwhile
  Follow(2);
  ASSERT_TRUE(gateway_->Shows("/status", "\"joined\":2"));
  EXPECT_TRUE(asking_[0].Answer().contains("hale-reason: deadline"));
  ReleaseWith(3, 2);
  EXPECT_EQ(CountAnswers("once!"), 2);
  EXPECT_EQ(requests(), 2U) << "one of the others led in its turn";
}

TEST_F(RouteSingleFlightTest, FallsBackForAllWhoJoined) {
  AnswerLater("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  gateway_.emplace(Document("mode: enforce", "fallback: {status: 200, body: instead}, "));
  Lead();
  Follow(3);
  ReleaseWith(3);
  EXPECT_EQ(CountAnswers("instead"), 4);
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RouteSingleFlightTest, KeepsWhatWasSharedForWhenTheServiceIsAway) {
  AnswerLater(kOk);
  gateway_.emplace(Document("mode: enforce", "fallback: {last_good: 10s}, "));
  Lead();
  Follow(1);
  ReleaseWith(1);
  EXPECT_EQ(CountAnswers("once!"), 2);
  origin_.Answer(OriginAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"));
  EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/").contains("hale-fallback: cached"));
}

TEST_F(RouteSingleFlightTest, KeepsAnAnswerForEachWhoSharesItUnderAnotherKey) {
  AnswerLater(kOk);
  gateway_.emplace(Document("mode: enforce, by: [accept]", "fallback: {last_good: 10s}, "));
  Lead("Accept-Language: de\r\n");
  Follow(1, "Accept-Language: en\r\n");
  ReleaseWith(1);
  EXPECT_EQ(CountAnswers("once!"), 2);
  origin_.Answer(OriginAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"));
  for (const std::string language : {"de", "en"}) {
    const std::string fields = "Accept-Language: " + language + "\r\n";
    EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/", fields).ends_with("once!")) << language;
  }
}

TEST_F(RouteSingleFlightTest, KeepsNothingOfAFlightThatBeganBeforeAChange) {
  AnswerLater(kOk);
  gateway_.emplace(Document("mode: enforce", "fallback: {last_good: 10s}, "));
  Lead();
  origin_.Answer(OriginAnswer("HTTP/1.1 204 Done\r\n\r\n"));
  EXPECT_TRUE(Exchange(gateway_->address(), "PUT", "/", "", "new").contains("204"));
  Follow(1);
  ReleaseWith(1, 2);
  EXPECT_EQ(CountAnswers("once!"), 2);
  origin_.Answer(OriginAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"));
  EXPECT_TRUE(Exchange(gateway_->address(), "GET", "/").ends_with("busy"));
}

}  // namespace
}  // namespace hale::test
