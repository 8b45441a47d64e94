#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/base/task.h"
#include "hale/net/address.h"
#include "hale/net/http_head.h"
#include "hale/net/http_limits.h"
#include "hale/net/listener.h"
#include "hale/net/loop.h"

namespace hale::net {

class ServerConnection;
class ServerGroup;

/// One request and its response on a server's connection. Every call that fails means that the
/// client is gone or broke a rule (reason kClientAbort, kClientTimeout, kBodyTooLarge, kProtocol);
/// the handler then just returns. A handler that returns without a response, or before the end of
/// one, aborts the connection: the client never sees a clean end. Loop-bound.
class ServerExchange final {
 public:
  explicit ServerExchange(ServerConnection& connection) : connection_(connection) {}

  RequestHead& request();
  const Address& peer() const;
  /// When the first byte of the request was read.
  TimePoint started() const;
  std::uint64_t bytes_in() const;   ///< of this request, head included
  std::uint64_t bytes_out() const;  ///< of this response, head included, as the kernel took them
  /// The status that was sent, or that the server will send because the client broke a rule in its
  /// body; 0 before.
  int status() const;

  /// The next piece of the body, valid until the next call; empty at the end. Sends 100 Continue
  /// if the client waits for it. Trailers are dropped (RFC 9112 §7.1.2).
  Task<Result<std::span<const char>>> ReadBody();
  bool body_complete() const;

  /// Sets the head of the response, to be sent with what follows. Chunked becomes until-close for a
  /// client of HTTP/1.0. Content-Length, Transfer-Encoding, Connection in `head` are not used.
  void Respond(const ResponseHead& head, Framing framing);
  bool responded() const;
  /// Sends what is unsent: the head before the first byte of the body is there.
  Task<Result<void>> Flush();
  /// Returns once the kernel has taken it: that is the back-pressure. Nothing is sent of a body
  /// that must not be (HEAD, 204, 304). Bytes over a declared length fail with kInternal.
  Task<Result<void>> WriteBody(std::span<const char> data);
  /// Ends the response, `last` going out in the same call as the head if that is unsent.
  Task<Result<void>> Finish(std::span<const char> last = {});
  /// A whole response in one call to the kernel.
  Task<Result<void>> RespondWhole(const ResponseHead& head, std::string_view body);
  /// A 1xx before the response; dropped for a client of HTTP/1.0.
  Task<Result<void>> SendInformational(const ResponseHead& head);

  /// The connection is closed after this response, and says so.
  void CloseAfter();
  /// Breaks the connection off: what was sent is never taken for a whole response.
  void Abort();

 private:
  ServerConnection& connection_;
};

/// Answers requests. Must outlive the server.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  /// Stopped when the client is gone. Requests of one connection come one after another.
  virtual Task<void> Handle(ServerExchange& exchange) = 0;
  /// A request that never became one, already answered by the server: for logs and counters.
  virtual void OnRefused(const Address& peer, const Verdict& verdict);
};

struct ServerOptions {
  HeadLimits head;
  std::uint64_t body_bytes = 64ULL << 20;  ///< beyond: 413
  Duration header_timeout = 10s;           ///< from the first byte of a head to its last; 408
  Duration idle_timeout = 60s;             ///< between requests; closed without a word
  Duration body_timeout = 30s;             ///< between two reads of a body; 408
  Duration write_timeout = 30s;            ///< without progress of a write; aborted
  std::size_t max_connections = 10'000;    ///< on this loop; beyond: closed at once, said (kBound)
};

/// An HTTP/1.1 server on one loop (RFC 9110, 9112): keep-alive, pipelining in order, streaming both
/// ways. Strict: what is ambiguous is refused with `hale-reason`, never guessed. Loop-bound.
class HttpServer final {
 public:
  struct Impl;

  HttpServer(Loop& loop, const ServerOptions& options, RequestHandler& handler,
             EventSink& events = NullSink());
  /// Aborts what is left; the loop must still run once more or never again.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  Result<Address> Listen(const Address& address, ReusePort reuse = ReusePort::kNo);
  /// Serves a connected descriptor that was accepted elsewhere.
  void Adopt(int descriptor, const Address& peer);
  /// Shares what it accepts with the other servers of the group, until it stops accepting.
  void Join(ServerGroup& group);
  /// For connections and requests from here on.
  void Apply(const ServerOptions& options);

  /// Every response from here on says `Connection: close`; idle connections are closed once they
  /// have been idle for `grace`, so that a request already on its way is answered. Accepting goes
  /// on.
  void Drain(Duration grace = 1s);
  /// No connection begins from here on, those being set up still come in.
  void TurnAway();
  /// Serves who is connected by now and nobody else.
  void StopAccepting();
  /// Breaks all connections off and stops their handlers.
  void AbortAll();
  /// Open connections, and those on their way here from another loop. Thread-safe.
  std::size_t connections() const;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace hale::net
