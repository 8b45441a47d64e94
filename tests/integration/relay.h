#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "hale/net/http_client.h"
#include "hale/net/http_server.h"
#include "hale/net/loop.h"

namespace hale::test {

/// A thread with a loop; work is run on it. Thread-safe.
class LoopThread {
 public:
  LoopThread();
  /// Stops it.
  ~LoopThread();
  net::Loop& loop() { return loop_; }
  /// Runs `work` on the loop and waits for its end.
  void Do(std::function<void()> work);

 private:
  net::Loop loop_;
  std::thread thread_;
};

struct RelayOptions {
  net::ServerOptions server;
  net::ClientOptions client;
  Duration response_timeout = 2s;
};

/// The plainest reverse proxy over `net`: what the rules of framing are tested through, without
/// routes or policies. Thread-safe.
class Relay {
 public:
  explicit Relay(const net::Address& origin, const RelayOptions& options = {});
  ~Relay();
  const net::Address& address() const { return address_; }
  LoopThread& thread() { return thread_; }
  net::HttpServer& server() { return *server_; }
  /// Reasons of requests that the server refused, and of upstream failures, in order.
  std::vector<Reason> reasons();
  std::uint32_t upstream_connections() const { return limit_.open(); }

 private:
  class Handler;
  LoopThread thread_;
  net::ConnectionLimit limit_;
  std::unique_ptr<net::ConnectionPool> pool_;
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<net::HttpServer> server_;
  net::Address address_;
};

}  // namespace hale::test
