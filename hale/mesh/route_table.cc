#include "hale/mesh/route_table.h"

#include <algorithm>

#include "hale/mesh/request_key.h"

namespace hale::mesh {
namespace {

std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool HostMatches(std::string_view pattern, std::string_view host) {
  if (pattern.empty()) return true;
  host = WithoutPort(host);
  if (!pattern.starts_with("*.")) return net::EqualsIgnoringCase(pattern, host);
  const std::string_view tail = pattern.substr(1);  // `.example.com`
  return host.size() > tail.size() &&
         net::EqualsIgnoringCase(host.substr(host.size() - tail.size()), tail);
}

bool PathMatches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('/')) return path == pattern;
  return path.starts_with(pattern) || path == pattern.substr(0, pattern.size() - 1);
}

}  // namespace

bool Matches(const MatchOptions& match, const net::RequestHead& request, std::string_view path) {
  if (!PathMatches(match.path, path) || !HostMatches(match.host, request.host())) return false;
  if (!match.method.empty() &&
      std::ranges::find(match.method, request.method) == match.method.end())
    return false;
  return std::ranges::all_of(match.header, [&](const auto& wanted) {
    const auto value = request.fields.Find(wanted.first);
    return value && (wanted.second == "*" || *value == wanted.second);
  });
}

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    if (route.fallback && route.fallback->last_good) kept_.push_back(route.fallback->last_good);
  }
}

void RouteTable::Outdate(const net::RequestHead& request) const {
  if (kept_.empty()) return;
  const std::string subject = RequestSubject(request);
  for (const auto& last_good : kept_) last_good->Outdate(subject);
}

const Route* RouteTable::Find(const net::RequestHead& request, std::string_view path) const {
  for (const Route& route : routes_) {
    if (Matches(route.options.match, request, path)) return &route;
  }
  return nullptr;
}

}  // namespace hale::mesh
