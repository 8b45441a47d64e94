#include "app/admin_ask.h"

#include <utility>

#include "hale/host/admin_handler.h"
#include "hale/net/http_client.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"

namespace hale::app {
namespace {

constexpr std::size_t kLargestAnswer = std::size_t{64} << 20;

Task<Result<AdminAnswer>> Read(net::ClientExchange& exchange) {
  if (auto answered = co_await exchange.ReadHead(); !answered) {
    co_return std::unexpected(std::move(answered.error()));
  }
  AdminAnswer answer;
  answer.status = exchange.response().status;
  answer.is_admin = exchange.response().fields.Find(host::kAdminHeader).has_value();
  while (answer.body.size() <= kLargestAnswer) {
    const auto piece = co_await exchange.ReadBody();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return answer;
    answer.body.append(piece->data(), piece->size());
  }
  co_return Fail(Code::kResourceExhausted, "its answer is larger than 64 MiB");
}

Task<Result<AdminAnswer>> GetFrom(net::Loop& loop, net::Address at, std::string address,
                                  std::string target, TimePoint deadline) {
  net::ConnectionLimit limit(1);
  net::ConnectionPool pool(loop, at, net::ClientOptions(), limit);
  net::OpenOptions open;
  open.deadline = deadline;
  auto exchange = co_await pool.Open(open);
  if (!exchange) co_return std::unexpected(std::move(exchange.error()));
  exchange->set_deadline(deadline);
  net::RequestHead head;
  head.target = target;
  head.fields.Append("Host", address);
  exchange->SendHead(head, net::Framing());
  if (auto sent = co_await exchange->FinishBody(); !sent) {
    co_return std::unexpected(std::move(sent.error()));
  }
  co_return co_await Read(*exchange);
}

/// Of a name's addresses one may be refused where another is listened at: `localhost` is two.
Task<Result<AdminAnswer>> Get(net::Loop& loop, net::Resolver& resolver, std::string address,
                              std::string target) {
  const TimePoint deadline = SaturatingAdd(loop.Now(), 5s);
  const auto found = co_await resolver.Resolve(loop, address, deadline);
  if (!found) co_return std::unexpected(found.error());
  Result<AdminAnswer> answer;
  for (const net::Address& at : *found) {
    answer = co_await GetFrom(loop, at, address, target, deadline);
    if (answer || answer.error().reason != Reason::kUpstreamConnect) break;
  }
  co_return answer;
}

Task<void> Main(net::Loop& loop, net::Resolver& resolver, std::string address, std::string target,
                Result<AdminAnswer>& result) {
  result = co_await Get(loop, resolver, std::move(address), std::move(target));
  loop.Stop();
}

}  // namespace

Result<AdminAnswer> AskAdmin(const std::string& address, const std::string& target) {
  net::Loop loop;
  net::Resolver resolver;
  Result<AdminAnswer> result;
  loop.Post([&] { Spawn(Main(loop, resolver, address, target, result)); });
  loop.Run();
  return result;
}

}  // namespace hale::app
