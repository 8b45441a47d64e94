#pragma once

#include <optional>
#include <span>

#include "hale/guard/governed_call.h"
#include "hale/mesh/body_resume.h"
#include "hale/mesh/pools.h"
#include "hale/mesh/request_body.h"
#include "hale/mesh/route_table.h"
#include "hale/mesh/served_request.h"
#include "hale/mesh/upstream_sender.h"

namespace hale::mesh {

/// One request on its way to its route's service and back: sent through the service's policies, the
/// answer relayed as it comes. When an instance breaks or falls silent in the middle of a body that
/// can be continued, another one sends the rest, as one retry. Loop-bound.
class ProxiedCall {
 public:
  /// All outlive me.
  ProxiedCall(Pools& pools, ServedRequest& request, const Route& route);
  ProxiedCall(const ProxiedCall&) = delete;
  ProxiedCall& operator=(const ProxiedCall&) = delete;

  Task<void> Run();

 private:
  Task<void> Send(const guard::CallSpec& spec);
  Task<void> Answer();
  Task<void> Relay();
  Task<Result<std::span<const char>>> NextPiece();
  Task<bool> GoOn(Error broken);
  void LookAhead();

  UpstreamSender::Parts Parts();
  net::ClientExchange& upstream() { return *ended_->result->exchange; }
  TimePoint now() const { return pools_.loop().Now(); }

  Pools& pools_;
  ServedRequest& request_;
  Service& service_;
  const ServiceOptions& options_;
  RequestBody body_;
  const guard::CallPolicies policies_;
  const guard::CallSpec spec_;
  std::optional<UpstreamSender> sender_;
  std::optional<guard::Governed<mesh::Answer>> ended_;

  std::optional<BodyResume> resume_;
  bool looked_ = false;           // whether the body can be continued
  Duration patience_ = kForever;  // with a silence in its middle
  std::uint64_t relayed_ = 0;     // of the body
  std::uint64_t overlap_ = 0;     // of what comes next, relayed already
};

}  // namespace hale::mesh
