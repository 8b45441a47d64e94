#pragma once

#include <memory>

#include "hale/net/http_server.h"

namespace hale::net {

/// Servers of one address, each on its own loop. The kernel spreads connections by hashing, which
/// leaves few connections uneven: one that is accepted where there is a quarter more than where
/// there are fewest is handed over to that loop. Outlives its servers. Thread-safe.
class ServerGroup final {
 public:
  ServerGroup();
  ~ServerGroup();
  ServerGroup(const ServerGroup&) = delete;
  ServerGroup& operator=(const ServerGroup&) = delete;

 private:
  friend class HttpServer;
  friend struct HttpServer::Impl;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hale::net
