#include "hale/host/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hale/telemetry/json_line.h"

namespace hale::host {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Leaves a `%` that begins no two digits as it is.
std::string Decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool Serves(const AdminRoute& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

}  // namespace

std::optional<std::string> AdminRequest::Query(std::string_view name) const {
  std::string_view query = head.query();
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (Decoded(pair.substr(0, equals)) != name) continue;
    return Decoded(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::nullopt;
}

AdminResponse AdminError(int status, Reason reason, std::string_view message) {
  AdminResponse response;
  response.status = status;
  response.reason = reason;
  response.body = fmt::format("{{\"error\":{},\"reason\":\"{}\"}}\n",
                              telemetry::JsonString(message), Word(reason));
  return response;
}

Admin::Admin(AdminRules rules, std::vector<AdminRoute> routes)
    : rules_(std::move(rules)), routes_(std::move(routes)) {}

AdminResponse Admin::Answer(const AdminRequest& request) const {
  const std::string_view path = request.head.path();
  const std::string_view method = request.head.method;
  const auto route = std::ranges::find_if(
      routes_, [&](const AdminRoute& one) { return one.path == path && Serves(one, method); });
  const AdminAccess access = route == routes_.end() ? AdminAccess::kGuarded : route->access;
  // Before a 404 or 405, so that a stranger does not learn what there is.
  if (const auto admitted = Admit(rules_, request.head, access); !admitted) {
    const AdminRefusal& refusal = admitted.error();
    return AdminError(refusal.status, refusal.reason, refusal.message);
  }
  if (route != routes_.end()) return route->handle(request);
  if (path == "/" && (method == "GET" || method == "HEAD")) return Index();

  std::string allow;
  for (const AdminRoute& one : routes_) {
    if (one.path == path) allow.append(allow.empty() ? "" : ", ").append(one.method);
  }
  if (allow.empty()) {
    return AdminError(404, Reason::kNoRoute, "there is nothing here; / lists what there is");
  }
  AdminResponse response =
      AdminError(405, Reason::kUnsupported, "this path has other methods: " + allow);
  response.allow = std::move(allow);
  return response;
}

AdminResponse Admin::Index() const {
  AdminResponse response;
  response.content_type = "text/plain; charset=utf-8";
  for (const AdminRoute& route : routes_) {
    response.body += fmt::format("{:<4} {:<12} {}\n", route.method, route.path, route.about);
  }
  return response;
}

}  // namespace hale::host
