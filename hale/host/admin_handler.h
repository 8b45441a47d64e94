#pragma once

#include <string_view>

#include "hale/host/admin.h"
#include "hale/net/http_server.h"

namespace hale::host {

/// What each answer of an admin port has, so that no other server is taken for one.
inline constexpr std::string_view kAdminHeader = "hale-admin";

/// Limits fit for an admin port: few connections, small heads and bodies.
net::ServerOptions AdminServerOptions();

/// The admin port on a server: reads the body, lets the admin answer, sends it. Loop-bound.
class AdminHandler final : public net::RequestHandler {
 public:
  /// The admin outlives me.
  explicit AdminHandler(const Admin& admin) : admin_(admin) {}
  Task<void> Handle(net::ServerExchange& exchange) override;

 private:
  const Admin& admin_;
};

}  // namespace hale::host
