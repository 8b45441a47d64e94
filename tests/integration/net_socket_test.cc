// The loop, sockets, listeners, the resolver and the pool over loopback.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/base/may_block.h"
#include "hale/base/wait.h"
#include "hale/net/http_client.h"
#include "hale/net/listener.h"
#include "hale/net/resolver.h"
#include "hale/net/sockaddr.h"
#include "hale/net/socket.h"
#include "memory_in_use.h"
#include "recording_origin.h"
#include "relay.h"
#include "wire.h"

namespace hale::test {
namespace {

// Runs a task on a loop to its end and returns what it returned.
template <class T>
T Await(LoopThread& thread, std::function<Task<T>()> make, std::stop_token stop = {}) {
  std::promise<T> promise;
  thread.loop().Post([&] {
    Spawn([](std::function<Task<T>()>& from,
             std::promise<T>& to) -> Task<void> { to.set_value(co_await from()); }(make, promise),
          stop);
  });
  return promise.get_future().get();
}

TEST(LoopTest, RunsWhatIsPostedInOrder) {
  LoopThread thread;
  std::vector<int> ran;
  for (int i = 0; i < 100; ++i) thread.loop().Post([&ran, i] { ran.push_back(i); });
  thread.Do([] {});
  ASSERT_EQ(ran.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(ran));
}

TEST(LoopTest, NeverRunsPostedWorkInsideTheCall) {
  LoopThread thread;
  std::string order;
  thread.Do([&] {
    thread.loop().Post([&] { order += "b"; });
    order += "a";
  });
  thread.Do([] {});
  EXPECT_EQ(order, "ab");
}

TEST(LoopTest, FiresTimersInTheirOrderAndNotTheCancelled) {
  LoopThread thread;
  std::string order;
  std::promise<void> done;
  thread.Do([&] {
    net::Loop& loop = thread.loop();
    const TimePoint now = loop.Now();
    loop.At(now + 20ms, [&] { done.set_value(); });
    loop.At(now + 10ms, [&] { order += "c"; });
    loop.Cancel(loop.At(now + 5ms, [&] { order += "x"; }));
    loop.At(now + 5ms, [&] { order += "b"; });
    loop.At(TimePoint::min(), [&] { order += "a"; });
  });
  done.get_future().wait();
  EXPECT_EQ(order, "abc");
}

TEST(LoopTest, ATimerThatArmsOneForNowDoesNotStarveTheRest) {
  LoopThread thread;
  std::atomic<bool> stop = false;
  std::function<void()> again = [&] {
    if (!stop) thread.loop().At(TimePoint::min(), [&] { again(); });
  };
  thread.Do(again);
  thread.Do([&] { stop = true; });
  EXPECT_TRUE(stop);
  thread.Do([] {});
}

TEST(LoopTest, SaysHowLongItWasHeld) {
  LoopThread thread;
  thread.loop().TakeLag();
  std::promise<void> fired;
  thread.Do([&] {
    thread.loop().At(thread.loop().Now() + 1ms, [&] { fired.set_value(); });
    std::this_thread::sleep_for(50ms);
  });
  fired.get_future().wait();
  thread.Do([] {});  // the turn in which it fired is over
  const net::LoopLag lag = thread.loop().TakeLag();
  EXPECT_GE(lag.turn, 40ms);
  EXPECT_GE(lag.timer, 40ms);
  EXPECT_LT(thread.loop().TakeLag().turn, 40ms) << "only since it was last asked";
}

TEST(LoopTest, ItsThreadMustNotBlock) {
  LoopThread thread;
  bool may = true;
  bool in_loop = false;
  thread.Do([&] {
    may = MayBlock();
    in_loop = thread.loop().InLoop();
  });
  EXPECT_FALSE(may);
  EXPECT_TRUE(in_loop);
  EXPECT_FALSE(thread.loop().InLoop());
}

Task<Code> ReadCode(net::Loop& loop, net::Address to, Duration patience) {
  auto socket = co_await net::Connect(loop, to, loop.Now() + 5s);
  if (!socket) co_return socket.error().code;
  char byte = 0;
  const std::span<char> into(&byte, 1);
  const auto read = co_await socket->Read(into, SaturatingAdd(loop.Now(), patience));
  co_return read ? Code::kOk : read.error().code;
}

TEST(SocketTest, AReadEndsAtItsDeadline) {
  const Port silent;
  LoopThread thread;
  EXPECT_EQ(Await<Code>(thread, [&] { return ReadCode(thread.loop(), silent.address(), 20ms); }),
            Code::kDeadlineExceeded);
}

TEST(SocketTest, AReadEndsWhenItIsStopped) {
  const Port silent;
  LoopThread thread;
  std::stop_source stop;
  thread.Do([&] { thread.loop().At(thread.loop().Now() + 20ms, [&] { stop.request_stop(); }); });
  EXPECT_EQ(
      Await<Code>(
          thread, [&] { return ReadCode(thread.loop(), silent.address(), 5s); }, stop.get_token()),
      Code::kCancelled);
}

TEST(SocketTest, AReadOfAResetConnectionFails) {
  Port port;
  LoopThread thread;
  std::thread peer([&] { Wire(port.Accept()).Reset(); });
  EXPECT_EQ(Await<Code>(thread, [&] { return ReadCode(thread.loop(), port.address(), 5s); }),
            Code::kUnavailable);
  peer.join();
}

TEST(SocketTest, AConnectThatNobodyAnswersEndsAtItsDeadline) {
  // Documentation addresses (RFC 5737) answer nothing, or the kernel has no way there.
  const auto nowhere = *net::Address::Parse("192.0.2.1:9");
  LoopThread thread;
  const auto code = Await<Code>(thread, [&]() -> Task<Code> {
    return [](net::Loop& loop, net::Address to) -> Task<Code> {
      auto socket = co_await net::Connect(loop, to, loop.Now() + 50ms);
      co_return socket ? Code::kOk : socket.error().code;
    }(thread.loop(), nowhere);
  });
  EXPECT_TRUE(code == Code::kDeadlineExceeded || code == Code::kUnavailable);
}

// Many deadlines, each later than the last, of which none is reached.
Task<int> EchoMany(net::Loop& loop, net::Address to) {
  auto socket = co_await net::Connect(loop, to, loop.Now() + 5s);
  if (!socket) co_return -1;
  for (int i = 0; i < 200; ++i) {
    if (!co_await socket->Write("x")) co_return i;
    char byte = 0;
    const std::span<char> into(&byte, 1);
    const auto read = co_await socket->Read(into, loop.Now() + 100ms);
    if (!read || *read != 1) co_return i;
  }
  co_return 200;
}

TEST(SocketTest, ADeadlineIsThatOfTheReadUnderWay) {
  Port port;
  LoopThread thread;
  std::thread peer([&] {
    Wire wire(port.Accept());
    for (int i = 0; i < 200; ++i) {
      wire.ReadSome(1);
      std::this_thread::sleep_for(1ms);
      wire.Send("y");
    }
  });
  EXPECT_EQ(Await<int>(thread, [&] { return EchoMany(thread.loop(), port.address()); }), 200);
  peer.join();
}

class Recorder final : public EventSink {
 public:
  void On(const Event& event) noexcept override {
    if (event.kind == EventKind::kBound && event.policy == "accept") ++said;
  }
  std::atomic<int> said = 0;
};

/// A client that waits in the backlog, since this process has no descriptor left for it; until it
/// goes.
class LeftInTheBacklog {
 public:
  LeftInTheBacklog(const net::Address& address, const Recorder& events)
      : client_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    getrlimit(RLIMIT_NOFILE, &usual_);
    const rlimit few{.rlim_cur = static_cast<rlim_t>(client_) + 1, .rlim_max = usual_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    const net::internal::SocketAddress to(address);
    EXPECT_EQ(::connect(client_, to.get(), to.size), 0);
    EXPECT_TRUE(Eventually([&] { return events.said > 0; }));
  }
  ~LeftInTheBacklog() {
    Relieve();
    ::close(client_);
  }
  LeftInTheBacklog(const LeftInTheBacklog&) = delete;
  LeftInTheBacklog& operator=(const LeftInTheBacklog&) = delete;
  /// There are descriptors again.
  void Relieve() const { setrlimit(RLIMIT_NOFILE, &usual_); }

 private:
  int client_;
  rlimit usual_{};
};

class ListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    thread_.Do([&] {
      listener_.emplace(
          thread_.loop(),
          [&](int fd, const net::Address&) {
            ::close(fd);
            ++accepted_;
          },
          events_);
      address_ = *listener_->Listen(net::Address::Loopback());
    });
  }
  void TearDown() override {
    thread_.Do([&] { listener_.reset(); });
  }

  Recorder events_;
  std::atomic<int> accepted_ = 0;
  LoopThread thread_;
  std::optional<net::Listener> listener_;
  net::Address address_;
};

TEST_F(ListenerTest, PausesAndSaysSoWhenDescriptorsRunOut) {
  if (!kMemoryIsCounted) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  const LeftInTheBacklog client(address_, events_);
  EXPECT_EQ(accepted_, 0);
  client.Relieve();
  EXPECT_TRUE(Eventually([&] { return accepted_ == 1; })) << "it waited in the backlog";
}

TEST_F(ListenerTest, EndsAlsoWhileItPauses) {
  if (!kMemoryIsCounted) GTEST_SKIP() << "the sanitizer itself needs descriptors";
  const LeftInTheBacklog client(address_, events_);
  thread_.Do([&] {
    listener_->Finish();
    listener_.reset();
  });
  EXPECT_EQ(events_.said, 1) << "it is not going to go on";
}

TEST_F(ListenerTest, SaysWhyItCannotListen) {
  const Port taken;
  std::string why;
  thread_.Do([&] {
    net::Listener listener(thread_.loop(), [](int fd, const net::Address&) { ::close(fd); });
    why = listener.Listen(taken.address()).error().message;
  });
  EXPECT_EQ(why, "cannot listen on " + taken.address().Text() + ": Address already in use");
}

TEST(ResolverTest, AsksTheSystemForNamesAndNobodyForNumbers) {
  net::Resolver resolver;
  LoopThread thread;
  using Found = Result<std::vector<net::Address>>;
  const auto ask = [&](std::string name) {
    return Await<Found>(thread, [&]() { return resolver.Resolve(thread.loop(), name, kNever); });
  };
  EXPECT_EQ(ask("127.0.0.1:80")->at(0), net::Address::Loopback(80));
  const Found named = ask("localhost:80");
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->at(0).port, 80);
  EXPECT_FALSE(ask("no-such-name.invalid:80"));
  EXPECT_FALSE(ask("localhost"));
}

// A pool on a loop of its own.
class PoolTest : public testing::Test {
 protected:
  ~PoolTest() override {
    thread_.Do([&] { pool_.reset(); });
    EXPECT_TRUE(Eventually([&] { return thread_.loop().sockets() == 0; }));
    EXPECT_EQ(limit_.open(), 0U);
  }
  void Start(const net::Address& to) {
    thread_.Do([&] {
      pool_ = std::make_unique<net::ConnectionPool>(thread_.loop(), to, options_, limit_);
    });
  }
  static Task<Error> Call(net::ConnectionPool& pool, TimePoint deadline) {
    net::OpenOptions wanted;
    wanted.deadline = deadline;
    auto exchange = co_await pool.Open(wanted);
    if (!exchange) co_return exchange.error();
    net::RequestHead head;
    head.fields.Append("Host", "a");
    exchange->SendHead(head, net::Framing());
    if (auto sent = co_await exchange->FinishBody(); !sent) co_return sent.error();
    if (auto read = co_await exchange->ReadHead(); !read) co_return read.error();
    while (!exchange->body_complete()) {
      if (auto piece = co_await exchange->ReadBody(); !piece) co_return piece.error();
    }
    co_return Error(Code::kOk, "");
  }
  static Task<void> Report(net::ConnectionPool& pool, std::promise<Reason>& done) {
    const Error error = co_await Call(pool, kNever);
    done.set_value(error.reason);
  }
  Error Call(Duration patience = 5s) {
    return Await<Error>(thread_, [&] { return Call(*pool_, thread_.loop().Now() + patience); });
  }

  LoopThread thread_;
  net::ClientOptions options_;
  net::ConnectionLimit limit_{2};
  std::unique_ptr<net::ConnectionPool> pool_;
};

TEST_F(PoolTest, ReusesAConnection) {
  RecordingOrigin origin;
  Start(origin.address());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Call().code, Code::kOk);
  EXPECT_EQ(origin.connections(), 1);
}

TEST_F(PoolTest, AConnectionThatRestsMakesRoomForAnotherPools) {
  RecordingOrigin origin;
  limit_.Apply(1);
  Start(origin.address());
  EXPECT_EQ(Call().code, Code::kOk);
  auto first = std::exchange(pool_, nullptr);
  Start(origin.address());
  EXPECT_EQ(Call().code, Code::kOk);
  EXPECT_EQ(origin.connections(), 2);
  EXPECT_TRUE(Eventually([&] { return limit_.open() == 1; }));
  thread_.Do([&] {
    EXPECT_EQ(first->idle(), 0U);
    first.reset();
  });
}

TEST_F(PoolTest, AConnectionThatRestsMakesRoomForOneOnly) {
  RecordingOrigin origin;
  limit_.Apply(1);
  Start(origin.address());
  EXPECT_EQ(Call().code, Code::kOk);
  auto first = std::exchange(pool_, nullptr);
  Start(origin.address());
  std::array<std::promise<Reason>, 2> done;
  thread_.Do([&] {  // both before the one that rests is closed
    for (auto& each : done) Spawn(Report(*pool_, each));
  });
  EXPECT_EQ(done[0].get_future().get(), Reason::kNone);
  EXPECT_EQ(done[1].get_future().get(), Reason::kConcurrency);
  EXPECT_EQ(origin.connections(), 2);
  thread_.Do([&] { first.reset(); });
}

TEST_F(PoolTest, SaysThatNothingRanWhenTheConnectIsRefused) {
  net::Address nowhere = Port().address();
  Start(nowhere);
  const Error error = Call();
  EXPECT_EQ(error.reason, Reason::kUpstreamConnect);
  EXPECT_EQ(error.executed, Executed::kNo);
}

TEST_F(PoolTest, CannotSayWhatRanOnceTheRequestWasWritten) {
  RecordingOrigin origin;
  origin.Answer(OriginAnswer("", OriginAnswer::Then::kReset));
  Start(origin.address());
  const Error error = Call();
  EXPECT_EQ(error.reason, Reason::kUpstreamReset);
  EXPECT_EQ(error.executed, Executed::kMaybe);
}

TEST_F(PoolTest, EndsAtTheDeadline) {
  RecordingOrigin origin;
  origin.Answer(OriginAnswer("", OriginAnswer::Then::kHang));
  Start(origin.address());
  EXPECT_EQ(Call(50ms).reason, Reason::kUpstreamTimeout);
}

TEST_F(PoolTest, NeverOpensMoreThanTheLimit) {
  limit_.Apply(0);
  Start(net::Address::Loopback(9));
  const Error error = Call();
  EXPECT_EQ(error.reason, Reason::kConcurrency);
  EXPECT_EQ(error.executed, Executed::kNo);
}

TEST_F(PoolTest, LearnsFromAHintHowLongThePeerKeepsAConnection) {
  RecordingOrigin origin;
  origin.Answer(
      OriginAnswer("HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=7\r\nContent-Length: 0\r\n\r\n"));
  Start(origin.address());
  EXPECT_EQ(Call().code, Code::kOk);
  thread_.Do([&] { EXPECT_EQ(pool_->peer_keeps(), 7s); });
}

TEST_F(PoolTest, LearnsFromACloseThatItSaw) {
  RecordingOrigin origin;
  origin.Answer(
      OriginAnswer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", OriginAnswer::Then::kClose));
  Start(origin.address());
  EXPECT_EQ(Call().code, Code::kOk);
  EXPECT_TRUE(Eventually([&] {
    bool learned = false;
    thread_.Do([&] { learned = pool_->peer_keeps() < 1s && pool_->idle() == 0; });
    return learned;
  }));
}

TEST_F(PoolTest, ClosesWhatIsIdleForTooLong) {
  options_.idle_timeout = 20ms;
  RecordingOrigin origin;
  Start(origin.address());
  EXPECT_EQ(Call().code, Code::kOk);
  EXPECT_TRUE(origin.WaitForEnds(1));
}

}  // namespace
}  // namespace hale::test
