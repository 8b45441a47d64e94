#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "hale/net/http1_body.h"
#include "hale/net/http1_scanner.h"
#include "hale/net/http_server.h"
#include "hale/net/input_buffer.h"
#include "hale/net/socket.h"

namespace hale::net {

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(Loop& l, const ServerOptions& o, RequestHandler& h, EventSink& e)
      : loop(l), options(o), handler(h), events(e) {}
  void Serve(int descriptor, const Address& peer);
  /// The two halves of Serve: counts it, or closes it and gives null; and lets it run.
  std::unique_ptr<ServerConnection> Take(int descriptor, const Address& peer);
  static void Start(std::unique_ptr<ServerConnection> connection);
  void OnAccept(int descriptor, const Address& peer);
  void LeaveGroup();
  /// Connections open or on their way here. Thread-safe.
  std::size_t load() const {
    // One that arrives meanwhile is counted twice rather than not at all.
    const std::size_t coming = underway.load(std::memory_order_acquire);
    return coming + count.load(std::memory_order_relaxed);
  }
  void Abort();
  void CloseIdle();
  void SayFull(const Address& peer);

  Loop& loop;
  ServerOptions options;
  RequestHandler& handler;
  EventSink& events;
  std::unique_ptr<Listener> listener;
  std::list<ServerConnection*> open;
  std::atomic<std::size_t> count{0};
  std::atomic<std::size_t> underway{0};  ///< handed over by another loop, not yet served
  ServerGroup* group = nullptr;
  bool ended = false;                       ///< the server is gone
  std::optional<TimePoint> draining_until;  ///< idle connections are kept until then
  bool full = false;                        ///< said, and not yet below the bound again
};

/// One connection of a server: reads requests one after another, runs the handler for each, and
/// watches in the meantime whether the client is still there. Loop-bound.
class ServerConnection final : private Socket::ReadListener {
 public:
  ServerConnection(std::shared_ptr<HttpServer::Impl> server, Socket socket);
  ~ServerConnection() override;
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  /// Its whole life.
  Task<void> Run();
  std::stop_token stop() const { return stop_.get_token(); }
  /// Breaks it off, from outside.
  void AbortNow();
  /// Ends it unless a request is under way.
  void CloseIfIdle();

 private:
  friend class ServerExchange;
  enum class Phase : std::uint8_t { kIdle, kReading, kHandling, kResponding, kFinished };

  Task<bool> ReadRequest();
  Task<bool> EndExchange();
  Task<bool> DrainBody();
  Task<void> Refuse(Verdict verdict);
  Task<void> Linger();
  Task<Result<std::size_t>> ReadMore(TimePoint deadline, std::size_t most);

  Task<Result<std::span<const char>>> ReadBody();
  Task<Result<void>> SendContinue();
  Task<Result<void>> SendInformational(ResponseHead head);
  void Respond(const ResponseHead& head, Framing framing);
  Task<Result<void>> Write(std::span<const char> data, BodyWriter::Last last);
  Task<Result<void>> Send(std::span<const char> data, std::string_view after);

  void BeginExchange();
  void Watch();
  void OnRead(const Result<std::size_t>& result) override;
  void LoseClient();
  std::unexpected<Error> Violate(Verdict verdict);
  /// Of the answer; to a violation before one it will be the server's own, if one can be given.
  int status() const {
    const bool refuses = phase_ == Phase::kHandling && violation_ && !lost_ && !aborted_;
    return refuses ? violation_->status : status_;
  }
  const ServerOptions& options() const { return server_->options; }
  bool draining() const { return server_->draining_until.has_value(); }

  std::shared_ptr<HttpServer::Impl> server_;
  std::list<ServerConnection*>::iterator place_;
  Socket socket_;
  InputBuffer in_;
  std::string out_;
  std::stop_source stop_;

  HeadScanner scanner_;
  RequestHead request_;
  BodyReader body_;
  BodyWriter writer_;
  TimePoint started_{};
  std::size_t handed_ = 0;  ///< bytes of `in_` that the handler may still look at
  std::uint64_t body_read_ = 0;
  std::uint64_t consumed_ = 0;        ///< of this request
  std::uint64_t written_before_ = 0;  ///< by earlier exchanges
  std::optional<Verdict> violation_;  ///< by the client, in its body
  int status_ = 0;
  Phase phase_ = Phase::kIdle;
  bool close_ = false;          ///< after this response
  bool must_continue_ = false;  ///< the client waits for 100 before it sends its body
  bool aborted_ = false;
  bool lost_ = false;  ///< the client
};

}  // namespace hale::net
