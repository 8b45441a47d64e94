#include "hale/host/admin_guard.h"

#include <algorithm>

#include "hale/net/address.h"

namespace hale::host {
namespace {

// The name in `name`, `name:port`, `[v6]` or `[v6]:port`.
std::string_view NameOf(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(0, end + 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool IsKnownName(const AdminRules& rules, std::string_view authority) {
  if (IsLoopbackName(authority)) return true;
  const std::string_view name = NameOf(authority);
  return !name.empty() && std::ranges::any_of(rules.hosts, [&](const std::string& host) {
    return net::EqualsIgnoringCase(host, name);
  });
}

// Takes as long whatever is different.
bool SameSecret(std::string_view given, std::string_view wanted) {
  unsigned char difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const char one = i < given.size() ? given[i] : '\0';
    difference |= static_cast<unsigned char>(one ^ wanted[i]);
  }
  return difference == 0;
}

bool HasToken(const net::RequestHead& request, std::string_view token) {
  constexpr std::string_view kScheme = "bearer ";
  if (request.fields.Count("authorization") != 1) return false;
  std::string_view value = *request.fields.Find("authorization");
  if (value.size() < kScheme.size() ||
      !net::EqualsIgnoringCase(value.substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  value.remove_prefix(kScheme.size());
  return SameSecret(value, token);
}

// A browser says from which page a request comes; a program says nothing.
bool IsForeignPage(const AdminRules& rules, const net::RequestHead& request) {
  if (const auto site = request.fields.Find("sec-fetch-site")) {
    if (*site != "same-origin" && *site != "none") return true;
  }
  const auto origin = request.fields.Find("origin");
  if (!origin) return false;
  const std::size_t scheme = origin->find("://");
  if (scheme == std::string_view::npos) return true;  // `null`
  const std::string_view authority = origin->substr(scheme + 3);
  // Another port of this machine is another program.
  return !net::EqualsIgnoringCase(authority, request.host()) || !IsKnownName(rules, authority);
}

std::unexpected<AdminRefusal> Refuse(int status, Reason reason, std::string message) {
  return std::unexpected(AdminRefusal{status, reason, std::move(message)});
}

}  // namespace

bool IsLoopbackName(std::string_view authority) {
  const std::string_view name = NameOf(authority);
  if (net::EqualsIgnoringCase(name, "localhost") || name == "[::1]") return true;
  const auto address = net::Address::Parse(std::string(name) + ":0");
  return address && !address->v6 && address->bytes[0] == 127;
}

std::expected<void, AdminRefusal> Admit(const AdminRules& rules, const net::RequestHead& request,
                                        AdminAccess access) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (access == AdminAccess::kOpen && reads) return {};
  if (request.fields.Count("host") != 1 || !IsKnownName(rules, request.host())) {
    return Refuse(403, Reason::kForbidden,
                  "the Host header names neither loopback nor one of admin.hosts");
  }
  if (reads) return {};
  if (IsForeignPage(rules, request)) {
    return Refuse(403, Reason::kForbidden, "the request comes from another site's page");
  }
  if (rules.token.empty()) {
    return Refuse(403, Reason::kForbidden, "without admin.token nothing can be changed here");
  }
  if (!HasToken(request, rules.token)) {
    return Refuse(401, Reason::kUnauthenticated, "the bearer token is missing or wrong");
  }
  return {};
}

}  // namespace hale::host
