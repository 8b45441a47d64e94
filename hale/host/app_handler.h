#pragma once

#include "hale/host/app.h"
#include "hale/mesh/trusted_proxies.h"

namespace hale::host {

/// Answers the requests of one listener on one loop by an App's handlers. Loop-bound.
class AppHandler final : public net::RequestHandler {
 public:
  /// All but `listen` outlive me.
  AppHandler(const App& app, mesh::Pools& pools, const mesh::ListenOptions& listen);

  Task<void> Handle(net::ServerExchange& exchange) override;
  void OnRefused(const net::Address& peer, const net::Verdict& verdict) override;

 private:
  Task<void> Serve(mesh::ServedRequest& request);
  Task<Result<Request>> Read(mesh::ServedRequest& request, Request::Data data);
  Response BuiltIn(std::string_view path) const;
  Task<Response> Answer(const App::Entry& entry, Request request);

  const App& app_;
  mesh::Pools& pools_;
  const mesh::Trust trust_;
  const mesh::TrustedProxies trusted_;
};

}  // namespace hale::host
