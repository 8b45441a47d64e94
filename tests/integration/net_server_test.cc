// What a handler of HttpServer can rely on, over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hale/base/wait.h"
#include "hale/net/http_server.h"
#include "hale/net/sockaddr.h"
#include "relay.h"
#include "wire.h"

namespace hale::test {
namespace {

using net::ServerExchange;
using testing::HasSubstr;

constexpr std::string_view kGet = "GET /g HTTP/1.1\r\nHost: a\r\n\r\n";

class ServerTest : public testing::Test, public net::RequestHandler, public EventSink {
 protected:
  using Body = std::function<Task<void>(ServerExchange&)>;

  void TearDown() override {
    thread_.Do([&] { server_.reset(); });
    EXPECT_TRUE(Eventually([&] { return thread_.loop().sockets() == 0; }));
  }
  Task<void> Handle(ServerExchange& exchange) override { return body_(exchange); }
  void OnRefused(const net::Address&, const net::Verdict&) override { ++refused_; }
  void On(const Event& event) noexcept override {
    if (event.kind == EventKind::kBound && event.policy == "connections") ++full_;
  }

  // A client of a server whose handler does this.
  Wire Client(Body body) {
    body_ = std::move(body);
    thread_.Do([&] {
      server_ = std::make_unique<net::HttpServer>(thread_.loop(), options_, *this, *this);
      address_ = *server_->Listen(net::Address::Loopback());
    });
    return Wire::To(address_);
  }

  static Task<void> Hello(ServerExchange& exchange) {
    const net::ResponseHead head;
    (void)co_await exchange.RespondWhole(head, "hello");
  }

  LoopThread thread_;
  net::ServerOptions options_;
  std::unique_ptr<net::HttpServer> server_;
  net::Address address_;
  Body body_;
  std::atomic<int> refused_ = 0;
  std::atomic<int> full_ = 0;
};

TEST_F(ServerTest, ServesWhoIsConnectedWhenItStopsAccepting) {
  Wire first = Client(Hello);
  std::vector<Wire> clients;
  thread_.Do([&] {  // so that none of them is accepted before
    for (int i = 0; i < 40; ++i) {
      clients.push_back(Wire::To(address_));
      EXPECT_TRUE(clients.back().Send(kGet));
    }
    server_->StopAccepting();
  });
  for (Wire& client : clients) EXPECT_THAT(client.ReadUntil("hello"), HasSubstr("200 OK"));
  EXPECT_FALSE(Accepts(address_));
}

TEST_F(ServerTest, LetsNoConnectionBeginOnceItTurnsAway) {
  Wire before = Client(Hello);
  thread_.Do([&] { server_->TurnAway(); });
  const int late = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const net::internal::SocketAddress to(address_);
  EXPECT_EQ(::connect(late, to.get(), to.size), -1);
  pollfd waits{.fd = late, .events = POLLOUT, .revents = 0};
  EXPECT_EQ(::poll(&waits, 1, 100), 0) << "neither connected nor refused";
  EXPECT_TRUE(before.Send(kGet));
  EXPECT_THAT(before.ReadUntil("hello"), HasSubstr("200 OK"));
  thread_.Do([&] { server_->StopAccepting(); });
  EXPECT_EQ(::poll(&waits, 1, 5000), 1) << "refused when it asks again, after a second";
  ::close(late);
}

TEST_F(ServerTest, AnswersHeadWithoutTheBody) {
  Wire client = Client(Hello);
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.ReadAll(), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST_F(ServerTest, KeepsAnOldClientThatAsksForIt) {
  Wire client = Client(Hello);
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.ReadAll(),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

Task<void> Stream(ServerExchange& exchange) {
  const net::ResponseHead head;
  exchange.Respond(head, net::Framing::Chunked());
  (void)co_await exchange.Flush();
  (void)co_await exchange.WriteBody(std::string_view("ab"));
  (void)co_await exchange.Finish(std::string_view("cde"));
}

TEST_F(ServerTest, StreamsChunks) {
  Wire client = Client(Stream);
  client.Send(kGet);
  EXPECT_EQ(
      client.ReadUntil("0\r\n\r\n"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
}

Task<void> Refuse(ServerExchange& exchange) {
  net::ResponseHead head;
  head.status = 403;
  (void)co_await exchange.RespondWhole(head, "");
}

TEST_F(ServerTest, Row46AnswersWithoutAskingForABodyThatItDoesNotWant) {
  Wire client = Client(Refuse);
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadAll(),
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.ended(), Ended::kClosed);
}

TEST_F(ServerTest, ReadsPastASmallBodyThatTheHandlerLeft) {
  Wire client = Client(Hello);
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345" + std::string(kGet));
  client.ReadUntil("hello");
  EXPECT_NE(client.ReadUntil("hello").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, Row60NeverTakesALargeBodyThatTheHandlerLeftForARequest) {
  Wire client = Client(Hello);
  std::string body;
  while (body.size() < 600'000) body += kGet;
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  const std::string all = client.ReadAll();
  EXPECT_EQ(all.rfind("HTTP/1.1"), 0U) << "one answer";
  EXPECT_EQ(client.ended(), Ended::kClosed) << "not reset before the answer is read";
}

Task<void> Silent(ServerExchange&) { co_return; }

TEST_F(ServerTest, BreaksOffWhenTheHandlerDoesNotAnswer) {
  Wire client = Client(Silent);
  client.Send(kGet);
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(client.ended(), Ended::kReset);
}

Task<void> HalfAnAnswer(ServerExchange& exchange) {
  const net::ResponseHead head;
  exchange.Respond(head, net::Framing::Length(10));
  (void)co_await exchange.WriteBody(std::string_view("half"));
}

TEST_F(ServerTest, Row67BreaksOffWhenTheHandlerStopsInTheMiddle) {
  Wire client = Client(HalfAnAnswer);
  client.Send(kGet);
  client.ReadAll();
  EXPECT_EQ(client.ended(), Ended::kReset);
}

TEST_F(ServerTest, RefusesABodyThatIsLongerThanWasDeclared) {
  std::atomic<Code> code = Code::kOk;
  Wire client = Client([&code](ServerExchange& exchange) {
    return [](ServerExchange& x, std::atomic<Code>& seen) -> Task<void> {
      const net::ResponseHead head;
      x.Respond(head, net::Framing::Length(1));
      const auto written = co_await x.WriteBody(std::string_view("two"));
      if (!written) seen = written.error().code;
    }(exchange, code);
  });
  client.Send(kGet);
  client.ReadAll();
  EXPECT_EQ(code, Code::kInternal);
}

TEST_F(ServerTest, StopsTheHandlerWhenTheClientIsGone) {
  std::atomic<int> slept = -1;
  Wire client = Client([&](ServerExchange& exchange) {
    return [](ServerExchange&, net::Loop& loop, std::atomic<int>& result) -> Task<void> {
      result = 0;
      result = co_await Sleep(loop, 60s) ? 2 : 1;
    }(exchange, thread_.loop(), slept);
  });
  client.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return slept == 0; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return slept == 1; }));
}

TEST_F(ServerTest, StopsHandlersWhenAllIsAborted) {
  std::atomic<int> slept = -1;
  Wire client = Client([&](ServerExchange& exchange) {
    return [](ServerExchange&, net::Loop& loop, std::atomic<int>& result) -> Task<void> {
      result = 0;
      result = co_await Sleep(loop, 60s) ? 2 : 1;
    }(exchange, thread_.loop(), slept);
  });
  client.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return slept == 0; }));
  thread_.Do([&] { server_->AbortAll(); });
  EXPECT_TRUE(Eventually([&] { return slept == 1; }));
  client.ReadAll();
  EXPECT_EQ(client.ended(), Ended::kReset);
}

TEST_F(ServerTest, SaysWhatTheExchangeWas) {
  std::string seen;
  Wire client = Client([&seen](ServerExchange& exchange) {
    return [](ServerExchange& x, std::string& to) -> Task<void> {
      const net::ResponseHead head;
      while (!x.body_complete()) {
        if (!co_await x.ReadBody()) co_return;
      }
      (void)co_await x.RespondWhole(head, "hello");
      to = x.peer().Ip() + " " + std::to_string(x.status()) + " " + std::to_string(x.bytes_in()) +
           " " + std::to_string(x.bytes_out());
    }(exchange, seen);
  });
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  client.Send(request);
  const std::string reply = client.ReadUntil("hello");
  thread_.Do([] {});
  EXPECT_EQ(seen,
            "127.0.0.1 200 " + std::to_string(request.size()) + " " + std::to_string(reply.size()));
}

TEST_F(ServerTest, ClosesWhatIsOverItsBoundAndSaysSoOnce) {
  options_.max_connections = 1;
  Wire first = Client(Hello);
  first.Send(kGet);
  first.ReadUntil("hello");
  for (int i = 0; i < 3; ++i) {
    Wire more = Wire::To(address_);
    more.ReadAll(1s);
    EXPECT_NE(more.ended(), Ended::kOpen);
  }
  EXPECT_EQ(full_, 1);
}

TEST_F(ServerTest, ServesAConnectionThatWasAcceptedElsewhere) {
  Wire unused = Client(Hello);
  Port port;
  Wire client = Wire::To(port.address());
  const int accepted = port.Accept();
  thread_.Do([&] { server_->Adopt(accepted, net::Address::Loopback(1)); });
  client.Send(kGet);
  EXPECT_NE(client.ReadUntil("hello").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, TellsTheHandlerOfRequestsThatItRefused) {
  Wire client = Client(Hello);
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.ReadAll(),
            "HTTP/1.1 400 Bad Request\r\nhale-reason: protocol\r\nContent-Type: text/plain\r\n"
            "Content-Length: 16\r\nConnection: close\r\n\r\nHost is missing\n");
  EXPECT_EQ(refused_, 1);
}

/// Of a handler that met a fault in a body, and may have broken off for it.
class FaultInABodyTest : public ServerTest {
 protected:
  int StatusOf(bool breaks_off) {
    Wire client =
        Client([this, breaks_off](ServerExchange& exchange) { return Meet(exchange, breaks_off); });
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n");
    answer_ = client.ReadAll();
    return status_;
  }
  Task<void> Meet(ServerExchange& exchange, bool breaks_off) {
    EXPECT_EQ((co_await exchange.ReadBody()).error().reason, Reason::kProtocol);
    if (breaks_off) exchange.Abort();
    status_ = exchange.status();
  }

  std::atomic<int> status_ = -1;
  std::string answer_;
};

TEST_F(FaultInABodyTest, IsLeftToTheHandlerToTell) {
  EXPECT_EQ(StatusOf(false), 400);
  EXPECT_TRUE(answer_.starts_with("HTTP/1.1 400")) << answer_;
  EXPECT_EQ(refused_, 0);
}

TEST_F(FaultInABodyTest, HasNoStatusWhereNobodyIsTold) {
  EXPECT_EQ(StatusOf(true), 0);
  EXPECT_EQ(answer_, "");
}

TEST_F(ServerTest, AnswersWhatWasSentBeforeAnIdleConnectionIsClosedByADrain) {
  Wire client = Client(Hello);
  client.Send(kGet);
  client.ReadUntil("hello");
  thread_.Do([&] {
    server_->Drain(0ms);
    client.Send(kGet);  // in the kernel before the loop closes what is idle
  });
  EXPECT_NE(client.ReadAll().find("Connection: close\r\n\r\nhello"), std::string::npos);
}

}  // namespace
}  // namespace hale::test
