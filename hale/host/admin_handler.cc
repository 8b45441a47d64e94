#include "hale/host/admin_handler.h"

#include <string>

namespace hale::host {
namespace {

net::ResponseHead HeadOf(const AdminResponse& response) {
  net::ResponseHead head;
  head.status = response.status;
  head.fields.Append("content-type", response.content_type);
  head.fields.Append(kAdminHeader, "1");
  head.fields.Append("cache-control", "no-store");
  head.fields.Append("x-content-type-options", "nosniff");
  if (response.reason != Reason::kNone) head.fields.Append("hale-reason", Word(response.reason));
  if (!response.allow.empty()) head.fields.Append("allow", response.allow);
  if (response.status == 401) head.fields.Append("www-authenticate", "Bearer");
  return head;
}

}  // namespace

net::ServerOptions AdminServerOptions() {
  net::ServerOptions options;
  options.body_bytes = 64 * 1024;
  options.idle_timeout = 30s;
  options.max_connections = 256;
  return options;
}

Task<void> AdminHandler::Handle(net::ServerExchange& exchange) {
  std::string body;
  while (true) {
    const auto piece = co_await exchange.ReadBody();
    if (!piece) co_return;
    if (piece->empty()) break;
    body.append(piece->data(), piece->size());
  }
  const AdminRequest request{exchange.request(), body};
  const AdminResponse response = admin_.Answer(request);
  const net::ResponseHead head = HeadOf(response);
  co_await exchange.RespondWhole(head, response.body);
}

}  // namespace hale::host
