#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "hale/mesh/listen_options.h"
#include "hale/mesh/pools.h"
#include "hale/net/http_server.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"
#include "hale/net/server_group.h"

namespace hale::host {

/// The server's options for a listener. Pure.
net::ServerOptions ToServer(const mesh::ListenOptions& listen);

/// Makes what answers the requests of one listener on one loop.
using HandlerFactory = std::function<std::unique_ptr<net::RequestHandler>(
    mesh::Pools& pools, const mesh::ListenOptions& listen)>;

/// One event loop that serves requests, on a thread of its own. Thread-safe.
class Worker {
 public:
  /// All references outlive me.
  Worker(const HandlerFactory& handlers, net::Resolver& resolver, EventSink& events);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Opens a listener; returns once it is bound, with the address bound.
  /// `group`: of the same listener on the other workers; outlives me.
  Result<net::Address> Listen(const mesh::ListenOptions& listen, const net::Address& address,
                              net::ServerGroup& group);
  /// Of the worker on whose loop the caller runs; null elsewhere.
  static mesh::Pools* CurrentPools();

  void Drain();
  void TurnAway();
  void StopAccepting();
  void AbortAll();
  /// Closes the connections to members that are gone.
  void Prune();
  std::size_t connections() const;
  net::LoopLag TakeLag() { return loop_.TakeLag(); }

 private:
  struct Door {
    std::unique_ptr<net::RequestHandler> handler;
    std::unique_ptr<net::HttpServer> server;
  };
  /// Runs f on the loop and waits for it.
  template <class F>
  void OnLoop(F f);

  const HandlerFactory& handlers_;
  EventSink& events_;
  net::Loop loop_;
  std::unique_ptr<mesh::Pools> pools_;
  std::vector<Door> doors_;  // changed on the loop, before traffic
  std::thread thread_;
};

}  // namespace hale::host
