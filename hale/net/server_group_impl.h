#pragma once

#include <memory>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/net/server_connection.h"
#include "hale/net/server_group.h"

namespace hale::net {

/// The members that take connections. Thread-safe.
struct ServerGroup::Impl {
  Guarded<std::vector<std::shared_ptr<HttpServer::Impl>>> members;

  void Leave(const HttpServer::Impl& server);
  /// True when the connection was handed to another member's loop, which owns it then.
  bool HandOver(const HttpServer::Impl& from, int descriptor, const Address& peer);
};

}  // namespace hale::net
