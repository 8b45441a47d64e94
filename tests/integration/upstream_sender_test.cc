// Calls to instances over real sockets: which connection an attempt rides, and what becomes of it.
#include "hale/mesh/upstream_sender.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "hale/mesh/service_client.h"
#include "hale/net/sockaddr.h"
#include "recording_origin.h"
#include "relay.h"
#include "wire.h"

namespace hale::test {
namespace {

using Then = OriginAnswer::Then;
using Answered = Result<mesh::ClientResponse>;

/// An instance whose kernel takes no further connection: its queue of one is full.
class FullPort {
 public:
  FullPort()
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        first_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const net::internal::SocketAddress any(net::Address::Loopback());
    EXPECT_EQ(::bind(listener_, any.get(), any.size), 0);
    EXPECT_EQ(::listen(listener_, 0), 0);
    net::internal::SocketAddress bound;
    EXPECT_EQ(::getsockname(listener_, bound.get(), &bound.size), 0);
    EXPECT_EQ(::connect(first_, bound.get(), bound.size), 0);
    address_ = bound.ToAddress().Text();
  }
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;
  ~FullPort() {
    ::close(first_);
    ::close(listener_);
  }
  const std::string& address() const { return address_; }

 private:
  int listener_;
  int first_;
  std::string address_;
};

/// Sends on what it is asked with an UpstreamSender, up to twice, ends the upload, and passes the
/// status of the answer on; 502 without one.
class Forwarding final : public net::RequestHandler {
 public:
  Forwarding(std::shared_ptr<mesh::Service>& service, mesh::Pools& pools)
      : service_(service), pools_(pools) {}

  Task<void> Handle(net::ServerExchange& exchange) override {
    net::RequestHead head = exchange.request();
    mesh::RequestBody body(exchange);
    const auto options = service_->options();
    mesh::UpstreamSender sender({.pools = pools_,
                                 .service = *service_,
                                 .options = *options,
                                 .head = head,
                                 .client = nullptr,
                                 .body = body,
                                 .idempotent = false});
    const guard::Tried tried;
    const TimePoint now = pools_.loop().Now();
    auto lease = service_->Pick({tried, now, Duration::zero(), ThreadRandom()});
    const guard::Attempt first(1, kNever, pools_.loop().clock(), std::stop_token());
    auto answer = co_await sender.Send(*lease, first);
    if (!answer && sender.replayable()) {
      const guard::Attempt second(2, kNever, pools_.loop().clock(), std::stop_token());
      answer = co_await sender.Send(*lease, second);
    }
    co_await sender.Finish();
    net::ResponseHead response;
    response.status = answer ? answer->exchange->response().status : 502;
    (void)co_await exchange.RespondWhole(response, "");
  }

 private:
  std::shared_ptr<mesh::Service>& service_;  // whichever it is when a request comes
  mesh::Pools& pools_;
};

class UpstreamSenderTest : public testing::Test {
 protected:
  UpstreamSenderTest() {
    options_.retry.mode = policy::Mode::kOff;
    thread_.Do([this] { pools_.emplace(thread_.loop(), resolver_); });
    UseInstance(origin_.address().Text());
  }
  ~UpstreamSenderTest() override {
    thread_.Do([this] { pools_.reset(); });
    EXPECT_TRUE(Eventually([this] { return thread_.loop().sockets() == 0; }));
  }

  void UseInstance(const std::string& address) {
    thread_.Do([&] {
      service_ = std::make_shared<mesh::Service>("orders", options_, mesh::ServiceContext{});
      service_->SetInstances(cluster::Instances({{.address = address}}), thread_.loop().Now());
    });
  }
  void Apply() {
    thread_.Do([this] { service_->Apply(options_, thread_.loop().Now()); });
  }
  Answered Call(const std::string& method, const std::string& body = {}) {
    std::promise<Answered> done;
    thread_.Do([&] {
      mesh::ClientRequest request;
      request.head.method = method;
      request.body = body;
      request.deadline = 5s;
      Spawn(Run(*this, std::move(request), done));
    });
    return done.get_future().get();
  }
  /// The status, or the reason why there is none.
  std::string Outcome(const Answered& answered) {
    return answered ? std::to_string(answered->status())
                    : std::string(Word(answered.error().reason));
  }
  std::shared_ptr<mesh::Member> member() {
    std::shared_ptr<mesh::Member> one;
    thread_.Do([&] { one = service_->members()->members.at(0); });
    return one;
  }

  RecordingOrigin origin_;
  LoopThread thread_;
  net::Resolver resolver_;
  mesh::ServiceOptions options_;
  std::shared_ptr<mesh::Service> service_;
  std::optional<mesh::Pools> pools_;

 private:
  static Task<void> Run(UpstreamSenderTest& test, mesh::ClientRequest request,
                        std::promise<Answered>& done) {
    Answered answered =
        co_await mesh::CallService(test.service_, *test.pools_, std::move(request), NullSink());
    done.set_value(std::move(answered));
  }
};

TEST_F(UpstreamSenderTest, AStaleConnectionIsReplacedWithoutAFailure) {
  ASSERT_EQ(Outcome(Call("GET")), "200");
  origin_.AnswerNext(OriginAnswer("", Then::kClose));  // as if it had closed a moment before
  EXPECT_EQ(Outcome(Call("GET")), "200");
  EXPECT_EQ(origin_.requests().size(), 3U);
  EXPECT_EQ(origin_.connections(), 2);
  const auto totals = member()->breaker().Status(RealClock().Now()).totals;
  EXPECT_EQ(totals.succeeded, 2U);
  EXPECT_EQ(totals.failed, 0U);
}

TEST_F(UpstreamSenderTest, AFreshConnectionThatDiesIsAFailure) {
  origin_.AnswerNext(OriginAnswer("", Then::kClose));
  EXPECT_EQ(Outcome(Call("GET")), "upstream_reset");
  EXPECT_EQ(origin_.requests().size(), 1U);
}

TEST_F(UpstreamSenderTest, AStaleConnectionIsReplacedOnce) {
  ASSERT_EQ(Outcome(Call("GET")), "200");
  for (int i = 0; i < 3; ++i) origin_.AnswerNext(OriginAnswer("", Then::kClose));
  EXPECT_EQ(Outcome(Call("GET")), "upstream_reset");
  EXPECT_EQ(origin_.requests().size(), 3U);
}

TEST_F(UpstreamSenderTest, APostIsNotSentAgainWhenItsConnectionDies) {
  ASSERT_EQ(Outcome(Call("GET")), "200");
  origin_.AnswerNext(OriginAnswer("", Then::kClose));
  const Answered answered = Call("POST", "once");
  ASSERT_EQ(Outcome(answered), "upstream_reset");
  EXPECT_EQ(answered.error().executed, Executed::kMaybe);
  EXPECT_EQ(origin_.requests().size(), 2U);
}

TEST_F(UpstreamSenderTest, APostRidesAConnectionThatIsSafe) {
  ASSERT_EQ(Outcome(Call("GET")), "200");
  EXPECT_EQ(Outcome(Call("POST", "x")), "200");
  EXPECT_EQ(origin_.connections(), 1);
}

TEST_F(UpstreamSenderTest, APostDoesNotRideAConnectionIdleForLongerThanIsSafe) {
  // One second is the margin, so none is left: any rest is too long.
  origin_.Answer(
      OriginAnswer("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_EQ(Outcome(Call("GET")), "200");
  ASSERT_EQ(Outcome(Call("GET")), "200");
  ASSERT_EQ(origin_.connections(), 1) << "a GET does";
  EXPECT_EQ(Outcome(Call("POST", "x")), "200");
  EXPECT_EQ(origin_.connections(), 2);
}

TEST_F(UpstreamSenderTest, AnAddressThatDoesNotResolveIsAConnectThatFailed) {
  UseInstance("no-such-host.invalid:80");
  const Answered answered = Call("GET");
  ASSERT_EQ(Outcome(answered), "upstream_connect");
  EXPECT_EQ(answered.error().executed, Executed::kNo);
}

TEST_F(UpstreamSenderTest, AChangedConnectTimeoutAppliesToAPoolThatIsThere) {
  const FullPort full;
  options_.timeout.connect = 30s;
  UseInstance(full.address());
  const auto instance = member();
  net::ConnectionPool* before = nullptr;
  thread_.Do([&] { before = pools_->Find(instance, options_.timeout); });
  options_.timeout.connect = 50ms;
  Apply();
  const TimePoint began = RealClock().Now();
  EXPECT_EQ(Outcome(Call("GET")), "upstream_connect");
  EXPECT_GE(RealClock().Now() - began, 50ms);
  EXPECT_LT(RealClock().Now() - began, 3s);
  thread_.Do([&] { EXPECT_EQ(pools_->Find(instance, options_.timeout), before); });
}

TEST_F(UpstreamSenderTest, PruneClosesWhatLeadsToMembersThatAreGone) {
  ASSERT_EQ(Outcome(Call("GET")), "200");
  thread_.Do([this] { pools_->Prune(); });
  ASSERT_EQ(Outcome(Call("GET")), "200");
  ASSERT_EQ(origin_.connections(), 1) << "it is kept while the service has it";
  thread_.Do([this] {
    const TimePoint now = thread_.loop().Now();
    service_->SetInstances({}, now);
    service_->SetInstances({}, now + 11min);  // a member that left is remembered for ten
    EXPECT_TRUE(service_->members()->members.empty());
    EXPECT_EQ(thread_.loop().sockets(), 1U);
    pools_->Prune();
  });
  EXPECT_TRUE(origin_.WaitForEnds(1));
}

/// Two attempts of one sender, of which both connect before either is connected.
class SideBySideTest : public UpstreamSenderTest {
 protected:
  /// The status of each, or 0.
  std::array<int, 2> SendTwo() {
    std::promise<std::array<int, 2>> done;
    thread_.Do([&] { Spawn(SendTwo(done)); });
    return done.get_future().get();
  }

 private:
  Task<void> SendTwo(std::promise<std::array<int, 2>>& done) {
    net::RequestHead head;
    head.fields.Append("Host", "a");
    mesh::RequestBody body{std::string()};
    const auto options = service_->options();
    mesh::UpstreamSender sender({.pools = *pools_,
                                 .service = *service_,
                                 .options = *options,
                                 .head = head,
                                 .client = nullptr,
                                 .body = body,
                                 .idempotent = true});
    std::array<int, 2> statuses{};
    Trigger first(thread_.loop());
    Trigger second(thread_.loop());
    Spawn(Send(sender, 1, statuses[0], first));
    Spawn(Send(sender, 2, statuses[1], second));
    (void)co_await first.Wait();
    (void)co_await second.Wait();
    done.set_value(statuses);
  }

  Task<void> Send(mesh::UpstreamSender& sender, std::uint32_t number, int& status, Trigger& ended) {
    const guard::Tried tried;
    const TimePoint now = thread_.loop().Now();
    auto lease = service_->Pick({tried, now, Duration::zero(), ThreadRandom()});
    const guard::Attempt attempt(number, now + number * 25s, thread_.loop().clock(),
                                 std::stop_token());
    const auto answer = co_await sender.Send(*lease, attempt);
    if (answer) status = answer->exchange->response().status;
    ended.Fire();
  }
};

TEST_F(SideBySideTest, EachHasAConnectionOfItsOwn) {
  const std::array<int, 2> both{200, 200};
  EXPECT_EQ(SendTwo(), both);
  EXPECT_EQ(origin_.connections(), 2);
}

TEST_F(SideBySideTest, EachSaysItsOwnNumberAndTime) {
  SendTwo();
  std::array<int, 2> seen{};
  for (const RecordingOrigin::Request& request : origin_.requests()) {
    const bool first = request.head.find("hale-attempt: 1") != std::string::npos;
    const bool short_one = request.head.find("hale-timeout-ms: 2") != std::string::npos;
    EXPECT_EQ(first, short_one) << request.head;
    ++seen[first ? 0 : 1];
  }
  const std::array<int, 2> one_each{1, 1};
  EXPECT_EQ(seen, one_each);
}

/// A client whose upload is sent on while it comes.
class UploadTest : public UpstreamSenderTest {
 protected:
  UploadTest() {
    thread_.Do([this] {
      handler_ = std::make_unique<Forwarding>(service_, *pools_);
      server_ = std::make_unique<net::HttpServer>(thread_.loop(), net::ServerOptions{}, *handler_);
      address_ = *server_->Listen(net::Address::Loopback());
    });
  }
  ~UploadTest() override {
    EXPECT_TRUE(Eventually([this] { return server_->connections() == 0; }));
    thread_.Do([this] { server_.reset(); });
  }
  static std::string Begin(int length) {
    return "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\nbegin";
  }

  net::Address address_;

 private:
  std::unique_ptr<Forwarding> handler_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(UploadTest, GoesOnWithASecondAttempt) {
  Port port;
  UseInstance(port.address().Text());
  Wire client = Wire::To(address_);
  client.Send(Begin(8));
  Wire(port.Accept()).ReadUntil("begin");  // and closes without an answer
  Wire second(port.Accept());
  EXPECT_NE(second.ReadUntil("begin").find("begin"), std::string::npos);
  client.Send("end");
  EXPECT_EQ(second.ReadUntil("end"), "end");
  second.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("200 OK"), std::string::npos);
}

TEST_F(UploadTest, IsAnsweredWhenNoAttemptIs) {
  Port port;
  UseInstance(port.address().Text());
  Wire client = Wire::To(address_);
  client.Send(Begin(1'000'000));
  for (int i = 0; i < 2; ++i) Wire(port.Accept()).ReadUntil("begin");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("502"), std::string::npos);
}

TEST_F(UploadTest, EndsWhenTheAnswerComesEarly) {
  OriginAnswer early("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  early.before_body = true;
  origin_.Answer(early);
  {
    Wire client = Wire::To(address_);
    client.Send(Begin(1'000'000));
    EXPECT_NE(client.ReadUntil("\r\n\r\n").find("413"), std::string::npos);
    EXPECT_TRUE(origin_.WaitForEnds(1)) << "half a request is no request";
  }
  ASSERT_EQ(origin_.requests().size(), 1U);
  EXPECT_FALSE(origin_.requests()[0].whole);
}

/// The first answer is thrown away for a second attempt.
class DiscardTest : public UpstreamSenderTest {
 protected:
  DiscardTest() {
    options_.retry.mode = policy::Mode::kEnforce;
    options_.retry.backoff_base = options_.retry.backoff_max = 1ms;
    UseInstance(origin_.address().Text());
  }
  /// How many connections an attempt and the one after it take.
  int ConnectionsAfter(const OriginAnswer& first) {
    origin_.AnswerNext(first);
    EXPECT_EQ(Outcome(Call("GET")), "200");
    EXPECT_EQ(origin_.requests().size(), 2U);
    return origin_.connections();
  }
};

TEST_F(DiscardTest, AShortBodyKeepsItsConnection) {
  const std::string body(60'000, 'x');
  EXPECT_EQ(
      ConnectionsAfter(OriginAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 60000\r\n\r\n" + body)),
      1);
}

TEST_F(DiscardTest, ALongBodyIsNotReadForItsConnection) {
  OriginAnswer large("HTTP/1.1 503 Busy\r\nContent-Length: 70000\r\n\r\n");
  large.stream = 70'000;
  EXPECT_EQ(ConnectionsAfter(large), 2);
}

TEST_F(DiscardTest, AShortBodyThatDoesNotComeHoldsNothingUp) {
  const TimePoint began = RealClock().Now();
  const OriginAnswer stuck("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nhalf", Then::kHang);
  EXPECT_EQ(ConnectionsAfter(stuck), 2);
  EXPECT_LT(RealClock().Now() - began, 1500ms);  // an attempt may take 1667 ms
}

}  // namespace
}  // namespace hale::test
