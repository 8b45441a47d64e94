#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "hale/net/http1_body.h"
#include "hale/net/http1_scanner.h"
#include "hale/net/http_client.h"
#include "hale/net/input_buffer.h"
#include "hale/net/socket.h"

namespace hale::net {

struct ConnectionPool::Impl : std::enable_shared_from_this<ConnectionPool::Impl> {
  Impl(Loop& l, const Address& a, const ClientOptions& o, ConnectionLimit& c);
  ~Impl();
  /// An idle connection that may carry the request, or null.
  std::unique_ptr<ClientConnection> TakeIdle(const OpenOptions& wanted);
  /// Its exchange has ended cleanly.
  void Return(std::unique_ptr<ClientConnection> connection);
  /// Something arrived on an idle connection: whatever it is, it cannot be used.
  void OnIdleRead(ClientConnection& connection, bool closed);
  /// What the peer says of how long it keeps a connection.
  void LearnFrom(const ResponseHead& head);
  void Learn(Duration keeps);
  /// How long an idle connection may carry a request that must not be lost.
  Duration SafeIdle() const;
  void ExpireIdle();
  void ArmExpiry();
  void CloseIdle();
  /// Counts one idle connection less, if there is one: CloseOldest is owed. From any thread.
  bool ClaimResting();
  /// Makes room for a connection of another loop.
  void CloseOldest();
  void CountIdle();

  Loop& loop;
  Address address;
  ClientOptions options;
  ConnectionLimit& limit;
  std::vector<std::unique_ptr<ClientConnection>> idle;  ///< the longest idle first
  std::atomic<std::size_t> resting{0};                  ///< how many are idle, for other loops
  Duration peer_keeps = kForever;
  TimePoint learned{};
  Executor::Timer expiry = Executor::Timer::kNone;
  bool abandoned = false;  ///< the pool is gone; exchanges that outlive it close their connections
};

/// One connection of a pool, and the exchange on it. Loop-bound.
class ClientConnection final : private Socket::ReadListener {
 public:
  ClientConnection(std::shared_ptr<ConnectionPool::Impl> pool, Socket socket);
  ~ClientConnection() override;
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  /// Begins the next exchange.
  void Begin(TimePoint deadline);
  /// The exchange has ended; back to the pool, or closed.
  static void End(std::unique_ptr<ClientConnection> connection);
  /// Watches for the peer's close while it is idle.
  void Rest();
  bool IsOpen() const { return socket_.Peek() == Socket::Idle::kOpen; }
  TimePoint idle_since() const { return idle_since_; }

 private:
  friend class ClientExchange;
  bool IsClean() const;
  void OnRead(const Result<std::size_t>& result) override;
  Task<Result<void>> Write(std::span<const char> data, BodyWriter::Last last);
  Task<Result<void>> Send(std::span<const char> data, std::string_view after);
  Task<Result<std::size_t>> ReadMore(std::size_t most);
  Task<Result<void>> ReadHead();
  Task<Result<bool>> AwaitBody(TimePoint until);
  Task<Result<std::span<const char>>> ReadBody();
  void OnHead();
  std::unexpected<Error> Broken(const Error& error);
  std::unexpected<Error> Wrong(const Verdict& verdict);
  Executed executed() const { return sent() ? Executed::kMaybe : Executed::kNo; }
  bool sent() const { return socket_.written() > written_before_; }

  std::shared_ptr<ConnectionPool::Impl> pool_;
  Socket socket_;
  InputBuffer in_;
  std::string out_;
  std::string method_;
  ResponseHead response_;
  HeadScanner scanner_;
  BodyReader body_;
  BodyWriter writer_;
  ByteObserver* bytes_ = nullptr;
  InformationalObserver* informational_ = nullptr;
  TimePoint deadline_ = kNever;
  TimePoint pause_at_ = kNever;  ///< of AwaitBody: nothing has failed then
  TimePoint idle_since_{};
  std::span<const char> begun_;       ///< of the body: read by AwaitBody, not handed yet
  std::size_t handed_ = 0;            ///< bytes of `in_` that the caller may still look at
  std::uint64_t read_ = 0;            ///< by this exchange
  std::uint64_t written_before_ = 0;  ///< by earlier ones
  std::uint32_t exchanges_ = 0;
  bool request_ended_ = false;
  bool has_head_ = false;
  bool failed_ = false;
};

}  // namespace hale::net
