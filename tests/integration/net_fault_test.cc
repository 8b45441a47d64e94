// Peers that stop, vanish, hurry or dawdle: what a proxy on `net` does with them.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "hale/base/wait.h"
#include "memory_in_use.h"
#include "recording_origin.h"
#include "relay.h"
#include "wire.h"

namespace hale::test {
namespace {

std::string Get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string Post(const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class NetFaultTest : public testing::Test {
 protected:
  RelayOptions options_ = [] {
    RelayOptions options;
    options.response_timeout = 20s;
    return options;
  }();
  RecordingOrigin origin_;
  Relay& proxy() {
    if (!proxy_) proxy_ = std::make_unique<Relay>(origin_.address(), options_);
    return *proxy_;
  }
  Wire Client() { return Wire::To(proxy().address()); }
  /// Once another exchange is over, the proxy's loop has seen what was sent before it.
  void PassLoop() {
    Wire client = Client();
    client.Send(Get("/pass", "Connection: close\r\n"));
    ASSERT_TRUE(client.ReadAll().contains("200 OK"));
  }

 private:
  std::unique_ptr<Relay> proxy_;
};

TEST_F(NetFaultTest, Row58AnswersPipelinedRequestsInOrder) {
  OriginAnswer held;
  held.held = true;
  held.echo_target = true;
  origin_.AnswerNext(held);
  OriginAnswer echo;
  echo.echo_target = true;
  origin_.Answer(echo);
  Wire client = Client();
  client.Send(Get("/1") + Post("body") + Get("/3", "Connection: close\r\n"));
  ASSERT_TRUE(origin_.WaitForRequests(1));
  PassLoop();
  origin_.Release();
  const std::string all = client.ReadAll();
  EXPECT_LT(all.find("\r\n\r\n/1"), all.find("\r\n\r\n/p"));
  EXPECT_LT(all.find("\r\n\r\n/p"), all.find("\r\n\r\n/3"));
  EXPECT_NE(all.find("\r\n\r\n/3"), std::string::npos) << all;
}

TEST_F(NetFaultTest, Row61AnswersAClientThatHalfClosed) {
  OriginAnswer held;
  held.held = true;
  origin_.AnswerNext(held);
  Wire client = Client();
  client.Send(Get("/"));
  client.HalfClose();
  ASSERT_TRUE(origin_.WaitForRequests(1));
  PassLoop();
  origin_.Release();
  EXPECT_EQ(client.ReadAll(), kOk);
  EXPECT_EQ(client.ended(), Ended::kClosed);
}

TEST_F(NetFaultTest, Row62CancelsTheUpstreamWhenTheClientIsGone) {
  origin_.Answer(OriginAnswer("", OriginAnswer::Then::kHang));
  Wire client = Client();
  client.Send(Get("/"));
  ASSERT_TRUE(origin_.WaitForRequests(1));
  client.Reset();
  EXPECT_TRUE(origin_.WaitForEnds(1));
  EXPECT_TRUE(Eventually([&] { return proxy().upstream_connections() == 0; }));
  EXPECT_EQ(origin_.requests().size(), 1U) << "no retry";
}

TEST_F(NetFaultTest, Row62CancelsTheUpstreamWhenTheClientIsGoneInItsBody) {
  Wire client = Client();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome");
  ASSERT_TRUE(Eventually([&] { return origin_.connections() == 1; }));
  client.Reset();
  ASSERT_TRUE(origin_.WaitForEnds(1));
  ASSERT_EQ(origin_.requests().size(), 1U);
  EXPECT_FALSE(origin_.requests()[0].whole);
}

TEST_F(NetFaultTest, Row63SendsAGetAgainWhenAReusedConnectionDies) {
  Wire client = Client();
  client.Send(Get("/1"));
  ASSERT_EQ(client.ReadUntil("ok"), kOk);
  origin_.AnswerNext(OriginAnswer("", OriginAnswer::Then::kClose));
  client.Send(Get("/2"));
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  EXPECT_EQ(origin_.requests().size(), 3U);
}

TEST_F(NetFaultTest, Row64NeverSendsAPostAgain) {
  Wire client = Client();
  client.Send(Get("/1"));
  ASSERT_EQ(client.ReadUntil("ok"), kOk);
  origin_.AnswerNext(OriginAnswer("", OriginAnswer::Then::kReset));
  client.Send(Post("once"));
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("502"), std::string::npos);
  EXPECT_EQ(origin_.requests().size(), 2U);
}

TEST_F(NetFaultTest, Row65SaysThatNothingWasSentWhenTheConnectIsRefused) {
  net::Address nowhere;
  {
    const Port closed;
    nowhere = closed.address();
  }
  Relay relay(nowhere);
  Wire client = Wire::To(relay.address());
  client.Send(Get("/"));
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("hale-reason: upstream_connect"), std::string::npos);
}

TEST_F(NetFaultTest, Row68PassesOnAnAnswerThatComesBeforeTheBodyEnds) {
  OriginAnswer early;
  early.before_body = true;
  origin_.Answer(early);
  Wire client = Client();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin");
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return proxy().upstream_connections() == 0; })) << "not reused";
}

TEST_F(NetFaultTest, Row74RefusesALongBodyBeforeReadingIt) {
  options_.server.body_bytes = 10;
  Wire client = Client();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  EXPECT_NE(client.ReadAll().find("413 Content Too Large\r\nhale-reason: body_too_large"),
            std::string::npos);
  EXPECT_EQ(origin_.connections(), 0);
}

TEST_F(NetFaultTest, Row74RefusesChunksThatCrossTheLimit) {
  options_.server.body_bytes = 10;
  Wire client = Client();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsixsix\r\n");
  client.Send("6\r\nsixsix\r\n0\r\n\r\n");
  EXPECT_NE(client.ReadAll().find("413 Content Too Large"), std::string::npos);
  for (const auto& request : origin_.requests()) EXPECT_FALSE(request.whole);
}

TEST_F(NetFaultTest, Row76AnswersAHeadThatDribblesWith408) {
  options_.server.header_timeout = 200ms;
  Wire client = Client();
  client.Send("GET / HTTP/1.1\r\n");
  std::string all;
  for (int i = 0; i < 50 && all.empty(); ++i) {
    client.Send("A: b\r\n");
    all = client.ReadSome(1, 20ms);
  }
  all += client.ReadAll(1s);
  EXPECT_NE(all.find("408 Request Timeout\r\nhale-reason: client_timeout"), std::string::npos)
      << all;
}

TEST_F(NetFaultTest, Row77AnswersABodyThatStopsWith408) {
  options_.server.body_timeout = 100ms;
  Wire client = Client();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome");
  EXPECT_NE(client.ReadAll(2s).find("408 Request Timeout"), std::string::npos);
  EXPECT_TRUE(Eventually([&] { return proxy().upstream_connections() == 0; }));
}

TEST_F(NetFaultTest, Row77BreaksOffAClientThatDoesNotRead) {
  options_.server.write_timeout = 200ms;
  OriginAnswer endless("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
  endless.stream = 1'000'000'000;
  origin_.Answer(endless);
  Wire client = Client();
  client.SetReceiveBuffer(16 * 1024);
  client.Send(Get("/"));
  EXPECT_TRUE(origin_.WaitForEnds(1));
  EXPECT_TRUE(Eventually([&] { return proxy().upstream_connections() == 0; }));
}

TEST_F(NetFaultTest, ClosesAnIdleConnectionWithoutAWord) {
  options_.server.idle_timeout = 100ms;
  Wire client = Client();
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadAll(2s), kOk);
  EXPECT_EQ(client.ended(), Ended::kClosed);
}

TEST_F(NetFaultTest, Row78HoldsLessThanAMegabyteForASlowReaderOfAGigabyte) {
  const std::uint64_t size = kMemoryIsCounted ? 1ULL << 30 : 64ULL << 20;
  OriginAnswer big("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  big.stream = size;
  origin_.Answer(big);
  Wire client = Client();
  const auto before = MemoryInUse();
  client.Send(Get("/", "Connection: close\r\n"));
  // It reads nothing, while the origin sends what it can.
  ASSERT_TRUE(StandsStill([&] { return origin_.streamed(); }));
  EXPECT_LT(MemoryInUse(), before + (1 << 20));
  client.ReadUntil("\r\n\r\n");
  std::uint64_t read = 0;
  bool same = true;
  while (client.ended() == Ended::kOpen) {
    const std::string part = client.ReadSome(Pattern().size() - read % Pattern().size());
    same = same && Pattern().compare(read % Pattern().size(), part.size(), part) == 0;
    read += part.size();
  }
  EXPECT_EQ(read, size);
  EXPECT_TRUE(same);
}

TEST_F(NetFaultTest, Row79StopsReadingAFastClientWhenTheOriginIsSlow) {
  const Port silent;  // accepts in the kernel, and reads nothing
  Relay relay(silent.address(), options_);
  Wire client = Wire::To(relay.address());
  const auto before = MemoryInUse();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
  std::atomic<int> sent = 0;
  std::thread sender([&] {
    while (sent < 900 && client.Send(Pattern())) ++sent;
  });
  EXPECT_TRUE(StandsStill([&] { return sent.load(); }));
  EXPECT_LT(sent, 900);
  EXPECT_LT(MemoryInUse(), before + (1 << 20));
  relay.thread().Do([&] { relay.server().AbortAll(); });
  sender.join();
}

TEST_F(NetFaultTest, Row81SaysCloseOnceItDrains) {
  Wire client = Client();
  client.Send(Get("/"));
  ASSERT_EQ(client.ReadUntil("ok"), kOk);
  proxy().thread().Do([&] { proxy().server().Drain(10s); });
  client.Send(Get("/"));
  EXPECT_NE(client.ReadAll(2s).find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(client.ended(), Ended::kClosed);
}

TEST_F(NetFaultTest, Row81ClosesIdleConnectionsAfterTheGrace) {
  Wire client = Client();
  client.Send(Get("/"));
  ASSERT_EQ(client.ReadUntil("ok"), kOk);
  proxy().thread().Do([&] { proxy().server().Drain(50ms); });
  EXPECT_EQ(client.ReadAll(2s), "");
  EXPECT_EQ(client.ended(), Ended::kClosed);
}

TEST_F(NetFaultTest, Row45AsksForTheBodyThatTheClientHoldsBack) {
  Wire client = Client();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  EXPECT_EQ(origin_.requests().at(0).body, "hello");
}

TEST_F(NetFaultTest, Row48GivesChunksToAnOldClientUpToTheClose) {
  origin_.Answer(
      OriginAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
  Wire client = Client();
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.ReadAll(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
}

TEST_F(NetFaultTest, Row44DropsInterimResponsesForAnOldClient) {
  origin_.Answer(OriginAnswer("HTTP/1.1 103 Early Hints\r\n\r\n" + std::string(kOk)));
  Wire client = Client();
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.ReadAll().find("103"), std::string::npos);
}

TEST_F(NetFaultTest, UnderstandsARequestThatArrivesByteByByte) {
  Wire client = Client();
  for (const char c : Post("hello")) client.Send(std::string_view(&c, 1));
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  EXPECT_EQ(origin_.requests().at(0).body, "hello");
}

TEST_F(NetFaultTest, APostDoesNotRideAConnectionThatThePeerIsAboutToClose) {
  origin_.Answer(
      OriginAnswer("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok"));
  Wire client = Client();
  client.Send(Get("/"));
  client.ReadUntil("ok");
  client.Send(Get("/"));
  client.ReadUntil("ok");
  EXPECT_EQ(origin_.connections(), 1) << "a GET does";
  client.Send(Post("x"));
  client.ReadUntil("ok");
  EXPECT_EQ(origin_.connections(), 2);
}

TEST_F(NetFaultTest, ServesAThousandConnectionsOneAfterTheOther) {
  for (int i = 0; i < 1000; ++i) {
    Wire client = Client();
    client.Send(Get("/", "Connection: close\r\n"));
    ASSERT_NE(client.ReadAll().find("ok"), std::string::npos) << i;
  }
  EXPECT_EQ(origin_.connections(), 1);
}

}  // namespace
}  // namespace hale::test
