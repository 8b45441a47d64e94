#include "hale/mesh/probe.h"

#include <utility>
#include <vector>

#include "hale/net/http_client.h"
#include "hale/net/socket.h"

namespace hale::mesh {
namespace {

// So much of an answer is read out of politeness, so that the instance sees no reset connection.
constexpr std::size_t kDrained = 64 * 1024;

Task<void> Drain(net::ClientExchange& exchange) {
  std::size_t read = 0;
  while (!exchange.body_complete() && read < kDrained) {
    const auto piece = co_await exchange.ReadBody();
    if (!piece || piece->empty()) co_return;
    read += piece->size();
  }
}

Task<Result<void>> Ask(net::Loop& loop, const net::Address& to, const net::RequestHead& head,
                       TimePoint deadline) {
  net::ConnectionLimit limit(1);
  net::ClientOptions options;
  options.connect_timeout = deadline - loop.Now();
  net::ConnectionPool pool(loop, to, options, limit);
  net::OpenOptions open;
  open.deadline = deadline;
  auto exchange = co_await pool.Open(open);
  if (!exchange) co_return std::unexpected(std::move(exchange.error()));
  exchange->set_deadline(deadline);
  exchange->SendHead(head, net::Framing());
  if (auto sent = co_await exchange->FinishBody(); !sent) co_return sent;
  if (auto answered = co_await exchange->ReadHead(); !answered) co_return answered;
  const int status = exchange->response().status;
  if (status < 200 || status > 299) {
    co_return Fail(Code::kUnavailable, "answered with status " + std::to_string(status));
  }
  co_await Drain(*exchange);
  co_return Result<void>();
}

}  // namespace

HttpProber::HttpProber(net::Loop& loop, net::Resolver& resolver, std::string path)
    : loop_(loop), resolver_(resolver), path_(path.empty() ? "/" : std::move(path)) {}

Task<Result<void>> HttpProber::Probe(cluster::Instance instance, Duration timeout) {
  net::Loop& loop = loop_;
  const TimePoint deadline = SaturatingAdd(loop.Now(), timeout);
  net::RequestHead head;
  head.target = path_;
  head.fields.Append("Host", instance.address);
  head.fields.Append("User-Agent", "hale-health");
  const auto addresses = co_await resolver_.Resolve(loop, instance.address, deadline);
  if (!addresses) co_return std::unexpected(addresses.error());
  Result<void> result;
  for (const net::Address& address : *addresses) {
    result = co_await Ask(loop, address, head, deadline);
    // Another address of the same name is tried only if this one could not be reached.
    if (result || result.error().reason != Reason::kUpstreamConnect) break;
  }
  co_return result;
}

Task<Result<void>> TcpProber::Probe(cluster::Instance instance, Duration timeout) {
  net::Loop& loop = loop_;
  const TimePoint deadline = SaturatingAdd(loop.Now(), timeout);
  const auto addresses = co_await resolver_.Resolve(loop, instance.address, deadline);
  if (!addresses) co_return std::unexpected(addresses.error());
  Result<void> result;
  for (const net::Address& address : *addresses) {
    const auto socket = co_await net::Connect(loop, address, deadline);
    if (socket) co_return Result<void>();
    result = std::unexpected(socket.error());
    if (socket.error().code != Code::kUnavailable) break;
  }
  co_return result;
}

std::shared_ptr<cluster::Prober> MakeProber(net::Loop& loop, net::Resolver& resolver,
                                            const cluster::HealthOptions& options) {
  switch (EffectiveKind(options)) {
    case cluster::HealthKind::kHttp:
      return std::make_shared<HttpProber>(loop, resolver, options.path);
    case cluster::HealthKind::kTcp:
      return std::make_shared<TcpProber>(loop, resolver);
    default:
      return nullptr;
  }
}

}  // namespace hale::mesh
