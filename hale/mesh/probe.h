#pragma once

#include <memory>
#include <string>

#include "hale/cluster/health_options.h"
#include "hale/cluster/prober.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"

namespace hale::mesh {

/// Passes when an instance answers a GET with a 2xx within the timeout, which covers its look-up
/// and connecting, too. Each check makes a connection of its own: one that is reused would not
/// notice that nobody accepts any more. Loop-bound.
class HttpProber final : public cluster::Prober {
 public:
  /// Loop and resolver outlive this and its probes. An empty path means `/`.
  HttpProber(net::Loop& loop, net::Resolver& resolver, std::string path);
  Task<Result<void>> Probe(cluster::Instance instance, Duration timeout) override;

 private:
  net::Loop& loop_;
  net::Resolver& resolver_;
  const std::string path_;
};

/// Passes when a connection is accepted; nothing is sent. Loop-bound.
class TcpProber final : public cluster::Prober {
 public:
  TcpProber(net::Loop& loop, net::Resolver& resolver) : loop_(loop), resolver_(resolver) {}
  Task<Result<void>> Probe(cluster::Instance instance, Duration timeout) override;

 private:
  net::Loop& loop_;
  net::Resolver& resolver_;
};

/// The prober that the options ask for; null when they ask for none.
std::shared_ptr<cluster::Prober> MakeProber(net::Loop& loop, net::Resolver& resolver,
                                            const cluster::HealthOptions& options);

}  // namespace hale::mesh
