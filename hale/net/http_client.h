#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hale/base/error.h"
#include "hale/base/guarded.h"
#include "hale/base/task.h"
#include "hale/net/address.h"
#include "hale/net/http_head.h"
#include "hale/net/http_limits.h"
#include "hale/net/loop.h"

namespace hale::net {

class ClientConnection;
class ConnectionLimit;
class ConnectionPool;

/// Told of every successful read from an upstream: proof of life.
class ByteObserver {
 public:
  virtual ~ByteObserver() = default;
  virtual void OnBytes(TimePoint now) = 0;
};

/// Told of 1xx responses (not of 101, which is refused) before the final one.
class InformationalObserver {
 public:
  virtual ~InformationalObserver() = default;
  virtual Task<void> OnInformational(const ResponseHead& head) = 0;
};

struct ClientOptions {
  HeadLimits head;  ///< of responses; beyond: kUpstreamProtocol
  Duration connect_timeout = 1s;
  Duration idle_timeout = 60s;  ///< an idle connection is closed after this
  Duration idle_unsafe = 4s;    ///< the longest idle for a non-idempotent request while the
                                ///< peer's own limit is unknown
  std::uint32_t max_idle = 64;  ///< idle connections kept, on this loop
};

/// One request and its response on a connection to an instance. Errors carry kUpstreamConnect,
/// kUpstreamReset, kUpstreamTimeout or kUpstreamProtocol (kCancelled without a reason when
/// stopped), and whether the instance can have acted: kNo while nothing was written. Reading and
/// writing may be done by two tasks at once, each by one. Destroyed, the connection goes back to
/// its pool if both messages ended cleanly, and is closed otherwise. Loop-bound.
class ClientExchange final {
 public:
  explicit ClientExchange(ClientConnection* connection) : connection_(connection) {}
  ClientExchange(ClientExchange&& other) noexcept;
  ClientExchange& operator=(ClientExchange&& other) noexcept;
  ~ClientExchange();

  /// The connection carried an earlier exchange.
  bool reused() const;
  /// A byte of the response was read.
  bool answered() const;
  /// A byte of the request was given to the kernel.
  bool sent() const;
  std::uint64_t bytes_in() const;
  std::uint64_t bytes_out() const;
  /// All operations fail with kUpstreamTimeout past this.
  void set_deadline(TimePoint deadline);
  void set_bytes(ByteObserver* observer);
  void set_informational(InformationalObserver* observer);

  /// Sets the head, to be sent with what follows. Content-Length, Transfer-Encoding and Connection
  /// in `head` are not used; `framing` says.
  void SendHead(const RequestHead& head, Framing framing);
  Task<Result<void>> Flush();
  Task<Result<void>> WriteBody(std::span<const char> data);
  /// Ends the request, `last` going out in the same call as the head if that is unsent.
  Task<Result<void>> FinishBody(std::span<const char> last = {});

  /// Waits for the final head, which `response()` then is.
  Task<Result<void>> ReadHead();
  ResponseHead& response();
  /// Waits for the beginning of the body, which ReadBody then gives: true when it is here, or when
  /// it is known that there is none; false when neither was so by `until`.
  Task<Result<bool>> AwaitBody(TimePoint until);
  /// The next piece of the body, valid until the next call; empty at the end.
  Task<Result<std::span<const char>>> ReadBody();
  /// No further byte of the body will come; known before ReadBody says so.
  bool body_complete() const;
  /// Closes the connection with RST.
  void Abort();

 private:
  ClientConnection* connection_;
};

/// What a request may ride on.
struct OpenOptions {
  enum class Use : std::uint8_t { kAny, kFresh };
  Use use = Use::kAny;     ///< kFresh: never one that carried an exchange before
  bool idempotent = true;  ///< a request that is not does not ride what may be closing
  TimePoint deadline = kNever;
};

/// Connections to one instance, on one loop. Never reuses one whose last exchange was not clean,
/// that has unread bytes, or that the peer closed; learns from `Keep-Alive: timeout=` and from
/// closes seen how long the peer keeps them. Outlives its exchanges. Loop-bound.
class ConnectionPool final {
 public:
  /// `limit` outlives the pool and is shared with the pools of other loops.
  ConnectionPool(Loop& loop, const Address& address, const ClientOptions& options,
                 ConnectionLimit& limit);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// A connection, taken or dialled. kUpstreamConnect when it cannot be made, kUpstreamTimeout when
  /// not in time, kConcurrency when the limit is reached; always Executed::kNo.
  Task<Result<ClientExchange>> Open(OpenOptions options);
  void Apply(const ClientOptions& options);
  void CloseIdle();
  const Address& address() const;
  std::size_t idle() const;
  /// Idle for longer than this, the peer may be closing; kForever while it is unknown.
  Duration peer_keeps() const;

 private:
  friend class ClientConnection;
  friend class ConnectionLimit;
  struct Impl;
  static Task<Result<ClientExchange>> Dial(std::shared_ptr<Impl> pool, OpenOptions options);
  std::shared_ptr<Impl> impl_;
};

/// How many connections may be open to one instance, over all loops. Those that rest in one loop
/// make room for another loop's, so that for one turn of a loop there may be more. Outlives its
/// pools. Thread-safe.
class ConnectionLimit {
 public:
  explicit ConnectionLimit(std::uint32_t limit = 256) : limit_(limit) {}
  void Apply(std::uint32_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  std::uint32_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  friend class ClientConnection;
  friend class ConnectionPool;

  /// Counts one more, unless so many are in use.
  bool Take();
  bool TakeFree();
  void Give() { open_.fetch_sub(1, std::memory_order_relaxed); }

  std::atomic<std::uint32_t> limit_;
  std::atomic<std::uint32_t> open_{0};
  Guarded<std::vector<ConnectionPool::Impl*>> pools_;
};

}  // namespace hale::net
