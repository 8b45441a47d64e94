#include "hale/mesh/probe.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "hale/base/frame_pool.h"
#include "hale/base/guarded.h"
#include "hale/cluster/health_checker.h"
#include "tests/conformance/real_time.h"

namespace hale::test {
namespace {

/// Accepts on a loopback port, waits for the end of a request's head, says its piece, and closes.
class RawServer {
 public:
  enum class After : std::uint8_t { kClose, kStall, kFlood };

  explicit RawServer(std::string reply, After after = After::kClose)
      : reply_(std::move(reply)), after_(after), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::listen(listener_, 16);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RawServer() { Stop(); }
  void Stop() {
    if (!thread_.joinable()) return;
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }
  std::string request() const { return *request_.Lock(); }

 private:
  void Serve() {
    for (;;) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      ++accepted_;
      const timeval patience{.tv_sec = 0, .tv_usec = 20'000};
      ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      Answer(client);
      ::close(client);
    }
  }
  void Answer(int client) {
    std::string request;
    char buffer[4096];
    while (!stop_ && request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
      if (got == 0) return;
      if (got > 0) request.append(buffer, static_cast<std::size_t>(got));
    }
    *request_.Lock() = request;
    ::send(client, reply_.data(), reply_.size(), MSG_NOSIGNAL);
    const std::string flood(4096, 'x');
    while (!stop_ && after_ != After::kClose) {
      if (after_ == After::kFlood) {
        if (::send(client, flood.data(), flood.size(), MSG_NOSIGNAL) < 0) return;
      } else if (::recv(client, buffer, sizeof buffer, 0) == 0) {
        return;
      }
    }
  }

  const std::string reply_;
  const After after_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> accepted_ = 0;
  mutable Guarded<std::string> request_;
  std::thread thread_;
};

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class ProbeTest : public testing::Test {
 protected:
  using Verdict = std::optional<Result<void>>;

  ~ProbeTest() override { time_.RunFor(5ms); }
  static Task<void> Keep(std::shared_ptr<cluster::Prober> prober, cluster::Instance instance,
                         Duration timeout, Verdict& verdict) {
    verdict = co_await prober->Probe(std::move(instance), timeout);
  }
  Result<void> Probe(std::shared_ptr<cluster::Prober> prober, const std::string& address,
                     Duration timeout = 2s) {
    Verdict verdict;
    time_.loop().Post([&] { Spawn(Keep(prober, {.address = address}, timeout, verdict)); });
    time_.RunUntil([&] { return verdict.has_value(); });
    return verdict.value();
  }
  std::shared_ptr<cluster::Prober> Http(std::string path = "/ready") {
    return std::make_shared<mesh::HttpProber>(time_.loop(), resolver_, std::move(path));
  }
  std::shared_ptr<cluster::Prober> Tcp() {
    return std::make_shared<mesh::TcpProber>(time_.loop(), resolver_);
  }
  Result<void> Http(const RawServer& server, Duration timeout = 2s) {
    return Probe(Http(), server.address(), timeout);
  }

  RealTime time_;
  net::Resolver resolver_;
};

TEST_F(ProbeTest, PassesOnA2xx) {
  for (const char* reply : {kOk, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 299 Odd\r\n\r\n",
                            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
    const RawServer server(reply);
    const auto verdict = Http(server);
    EXPECT_TRUE(verdict) << reply << verdict.error().message;
  }
}

TEST_F(ProbeTest, AsksForThePathAndNamesTheHost) {
  const RawServer server(kOk);
  ASSERT_TRUE(Http(server));
  EXPECT_TRUE(server.request().starts_with("GET /ready HTTP/1.1\r\n")) << server.request();
  EXPECT_NE(server.request().find("Host: " + server.address() + "\r\n"), std::string::npos);
}

TEST_F(ProbeTest, FailsOnAnyOtherStatusAndSaysWhich) {
  for (const char* status :
       {"500 Oops", "503 Unavailable", "404 Not Found", "302 Found", "199 Early"}) {
    const RawServer server("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_FALSE(Http(server, 300ms)) << status;
  }
  const RawServer server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Http(server).error().message, "answered with status 500");
}

TEST_F(ProbeTest, FailsWhenNobodyListens) {
  RawServer server(kOk);
  server.Stop();
  const TimePoint before = RealClock().Now();
  EXPECT_FALSE(Http(server));
  EXPECT_FALSE(Probe(Tcp(), server.address()));
  EXPECT_LT(RealClock().Now() - before, 1s);
}

TEST_F(ProbeTest, FailsInTimeWhenTheAnswerDoesNotCome) {
  for (const char* beginning : {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nX: y\r\n"}) {
    const RawServer server(beginning, RawServer::After::kStall);
    const TimePoint before = RealClock().Now();
    EXPECT_FALSE(Http(server, 200ms)) << beginning;
    EXPECT_GE(RealClock().Now() - before, 190ms);
    EXPECT_LT(RealClock().Now() - before, 1s);
  }
}

TEST_F(ProbeTest, FailsOnGarbage) {
  for (const char* garbage :
       {"", "\x16\x03\x01", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n", "200 OK\r\n\r\n"}) {
    const RawServer server(garbage);
    EXPECT_FALSE(Http(server, 500ms)) << garbage;
  }
}

TEST_F(ProbeTest, FailsOnAHeadThatNeverEnds) {
  const RawServer server("HTTP/1.1 200 OK\r\nX: ", RawServer::After::kFlood);
  EXPECT_FALSE(Http(server));
}

TEST_F(ProbeTest, IsNotHeldUpByABodyThatNeverEnds) {
  const RawServer stalls("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
                         RawServer::After::kStall);
  EXPECT_TRUE(Http(stalls, 300ms));
  const RawServer floods("HTTP/1.1 200 OK\r\n\r\n", RawServer::After::kFlood);
  EXPECT_TRUE(Http(floods));
}

TEST_F(ProbeTest, MakesAConnectionOfItsOwnEachTime) {
  const RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const auto prober = Http();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Probe(prober, server.address()));
  EXPECT_EQ(server.accepted(), 3);
}

TEST_F(ProbeTest, TriesEachAddressOfAName) {
  const RawServer server(kOk);  // on 127.0.0.1, while localhost is ::1, too
  const std::string address = "localhost:" + std::to_string(server.port());
  const auto verdict = Probe(Http(), address);
  EXPECT_TRUE(verdict) << verdict.error().message;
  EXPECT_TRUE(Probe(Tcp(), address));
}

TEST_F(ProbeTest, FailsOnANameThatIsNone) {
  EXPECT_FALSE(Probe(Http(), "no-such-host.invalid:80"));
  EXPECT_FALSE(Probe(Tcp(), "no-such-host.invalid:80"));
}

TEST_F(ProbeTest, TcpPassesWhenAConnectionIsAccepted) {
  const RawServer server("", RawServer::After::kStall);
  EXPECT_TRUE(Probe(Tcp(), server.address()));
}

TEST_F(ProbeTest, EndsAtOnceWhenStopped) {
  const RawServer server("", RawServer::After::kStall);
  const auto frames = internal::FramePool::live();
  std::stop_source stop;
  Verdict verdict;
  time_.loop().Post(
      [&] { Spawn(Keep(Http(), {.address = server.address()}, 30s, verdict), stop.get_token()); });
  time_.RunFor(100ms);
  ASSERT_FALSE(verdict);
  stop.request_stop();
  EXPECT_TRUE(time_.RunUntil([&] { return verdict.has_value(); }, 1s));
  EXPECT_FALSE(verdict.value());
  EXPECT_EQ(internal::FramePool::live(), frames);
}

class CountingObserver final : public cluster::HealthObserver {
 public:
  void OnHealth(const cluster::Instance&, cluster::Health health) override { health_ = health; }
  void OnAlive(const cluster::Instance&, Duration) override {}
  cluster::Health health_ = cluster::Health::kUnknown;
};

TEST_F(ProbeTest, DrivesHealthChecksFromHealthyToUnhealthy) {
  RawServer server(kOk);
  const cluster::HealthOptions options{.path = "/ready", .interval = 100ms, .timeout = 50ms};
  CountingObserver observer;
  SeededRandom random(1);
  cluster::HealthChecker checker({.executor = time_.loop(),
                                  .random = random,
                                  .observer = observer,
                                  .service = "orders",
                                  .options = options,
                                  .prober = mesh::MakeProber(time_.loop(), resolver_, options)});
  time_.loop().Post(
      [&] { checker.SetInstances(cluster::Instances({{.address = server.address()}})); });
  EXPECT_TRUE(time_.RunUntil([&] { return observer.health_ == cluster::Health::kHealthy; }));
  server.Stop();
  EXPECT_TRUE(time_.RunUntil([&] { return observer.health_ == cluster::Health::kUnhealthy; }));
}

TEST_F(ProbeTest, IsMadeAsTheOptionsSay) {
  const auto make = [&](cluster::HealthOptions options) {
    return mesh::MakeProber(time_.loop(), resolver_, options);
  };
  EXPECT_EQ(make({}), nullptr);
  EXPECT_NE(std::dynamic_pointer_cast<mesh::HttpProber>(make({.path = "/x"})), nullptr);
  EXPECT_NE(std::dynamic_pointer_cast<mesh::TcpProber>(make({.kind = cluster::HealthKind::kTcp})),
            nullptr);
}

}  // namespace
}  // namespace hale::test
