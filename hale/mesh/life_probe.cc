#include "hale/mesh/life_probe.h"

#include <array>

#include "hale/net/socket.h"

namespace hale::mesh {

Task<void> ProbeLife(net::Loop& loop, net::Resolver& resolver, std::shared_ptr<Member> member,
                     Duration connect_timeout, Duration patience) {
  const TimePoint connect_by = SaturatingAdd(loop.Now(), connect_timeout);
  const auto addresses = co_await resolver.Resolve(loop, member->address(), connect_by);
  if (!addresses) co_return;
  auto socket = co_await net::Connect(loop, addresses->front(), connect_by);
  if (!socket) {
    member->OnRefused(loop.Now());
    co_return;
  }
  if (!member->pulse().stalled()) {
    member->OnAlive(loop.Now());
    member->breaker().EvidenceOfLife(loop.Now());
    co_return;
  }
  const std::string request = "OPTIONS * HTTP/1.1\r\nHost: " + member->address() +
                              "\r\nUser-Agent: hale-probe\r\nConnection: close\r\n\r\n";
  const TimePoint answer_by = SaturatingAdd(loop.Now(), patience);
  const auto sent = co_await socket->Write(request, {}, {}, answer_by);
  if (!sent) co_return;
  std::array<char, 512> buffer{};
  const auto read = co_await socket->Read(buffer, answer_by);
  if (!read || *read == 0) co_return;
  member->OnBytes(loop.Now());
  member->breaker().EvidenceOfLife(loop.Now());
}

}  // namespace hale::mesh
