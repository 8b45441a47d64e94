#include "hale/mesh/life_probe.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/real_time.h"

namespace hale::test {
namespace {

/// A port that the kernel accepts connections at, as for a process that has stopped; the process
/// goes on when it is told to.
class StoppedServer {
 public:
  StoppedServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::listen(listener_, 4);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~StoppedServer() { Close(); }
  void Close() {
    if (listener_ >= 0) ::close(std::exchange(listener_, -1));
  }
  /// Takes the connection that waits, reads what was sent and says `reply`.
  std::string Continue(const std::string& reply) {
    const int client = ::accept(listener_, nullptr, nullptr);
    char buffer[1024];
    const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
    ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
    ::close(client);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
  }
  const std::string& address() const { return address_; }

 private:
  int listener_;
  std::string address_;
};

class LifeProbeTest : public testing::Test {
 protected:
  void Begin(Duration patience = 5s) {
    ended_ = false;
    time_.loop().Post([this, patience] { Spawn(Probe(patience)); });
  }
  bool Ends() {
    return time_.RunUntil([this] { return ended_; });
  }
  void Stall() {
    call_ = member_->pulse().OnSent(RealClock().Now());
    member_->pulse().MarkStalled(member_->pulse().Read());
  }
  void OpenCircuit() {
    for (int i = 0; i < 5; ++i) {
      member_->breaker().Admit(RealClock().Now())->Settle(Outcome::kFailure, RealClock().Now());
    }
  }

  RealTime time_;
  net::Resolver resolver_;
  StoppedServer server_;
  std::shared_ptr<mesh::Member> member_ =
      std::make_shared<mesh::Member>(cluster::Instance{.address = server_.address()},
                                     mesh::ServiceOptions{}, policy::CircuitBreakerContext{});
  policy::Pulse::Call call_;
  bool ended_ = false;

 private:
  Task<void> Probe(Duration patience) {
    co_await mesh::ProbeLife(time_.loop(), resolver_, member_, 1s, patience);
    ended_ = true;
  }
};

TEST_F(LifeProbeTest, WhoRefusedIsAliveWhenItAccepts) {
  OpenCircuit();
  ASSERT_FALSE(member_->breaker().WouldAdmit());
  Begin();
  ASSERT_TRUE(Ends());
  EXPECT_GT(member_->alive(), TimePoint::min());
  EXPECT_TRUE(member_->breaker().WouldAdmit());  // its rest is over
}

TEST_F(LifeProbeTest, WhoRefusesStillIsNotedAsRefusing) {
  server_.Close();
  Begin();
  ASSERT_TRUE(Ends());
  EXPECT_GT(member_->refused(), TimePoint::min());
  EXPECT_EQ(member_->alive(), TimePoint::min());
}

TEST_F(LifeProbeTest, WhoHasStoppedIsNotAliveBecauseItsKernelAccepts) {
  Stall();
  Begin(100ms);
  ASSERT_TRUE(Ends());
  EXPECT_TRUE(member_->pulse().stalled());
  EXPECT_EQ(member_->alive(), TimePoint::min());
}

TEST_F(LifeProbeTest, WhoHadStoppedIsAliveTheMomentThatItAnswers) {
  Stall();
  Begin();
  time_.RunFor(50ms);
  ASSERT_FALSE(ended_);
  const std::string asked = server_.Continue("HTTP/1.1 501 Not Implemented\r\n\r\n");
  ASSERT_TRUE(Ends());
  EXPECT_TRUE(asked.starts_with("OPTIONS * HTTP/1.1\r\nHost: " + server_.address()));
  EXPECT_FALSE(member_->pulse().stalled());
}

TEST_F(LifeProbeTest, AConnectionThatIsClosedWithoutAByteIsNoSignOfLife) {
  Stall();
  Begin();
  time_.RunFor(50ms);
  server_.Continue("");
  ASSERT_TRUE(Ends());
  EXPECT_TRUE(member_->pulse().stalled());
}

}  // namespace
}  // namespace hale::test
