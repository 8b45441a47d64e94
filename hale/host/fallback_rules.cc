#include "hale/host/fallback_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/quantity.h"
#include "hale/config/text.h"
#include "hale/host/names.h"
#include "hale/net/http1_syntax.h"
#include "hale/net/http_head.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinIndex;
using config::JoinKey;
using config::Quote;

void ValidateNames(const std::vector<std::string>& names, const std::string& path,
                   Findings& findings) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (net::IsToken(names[i])) continue;
    findings.Error(JoinIndex(path, i), Quote(names[i]) + " is not the name of a header");
  }
}

void ValidateOther(const Document& document, const mesh::RouteOptions& route,
                   const std::string& path, Findings& findings) {
  const std::string& other = route.fallback.service;
  if (other.empty()) return;
  if (other == route.service) {
    return findings.Error(path, Quote(other) + " is the service that the route has already");
  }
  if (document.services.contains(other)) return;
  findings.Error(path, UnknownService(document, other, route.service));
}

/// Whether a field of a fixed answer would be overwritten or left out when the answer is written:
/// its framing, what is of one connection, and Hale's own.
bool IsWrittenByHale(const std::string& name) {
  net::Fields alone;
  alone.Append(name, "");
  net::RemoveHopByHop(alone);
  return alone.empty() || net::EqualsIgnoringCase(name, "content-length") ||
         net::EqualsIgnoringCase(name, "x-request-id") ||
         net::EqualsIgnoringCase(std::string_view(name).substr(0, 5), "hale-");
}

void ValidateFallback(const Document& document, const mesh::RouteOptions& route,
                      const std::string& path, Findings& findings) {
  const mesh::RouteFallbackOptions& fallback = route.fallback;
  ValidateOther(document, route, JoinKey(path, "service"), findings);
  for (std::size_t i = 0; i < fallback.after_status.size(); ++i) {
    const int status = fallback.after_status[i];
    if (status >= 500 && status <= 599) continue;
    findings.Error(JoinIndex(JoinKey(path, "after_status"), i),
                   fmt::format("{} is out of range, 500 to 599 is allowed", status));
  }
  if (fallback.status != 0 && fallback.status < 200) {
    findings.Error(JoinKey(path, "status"),
                   fmt::format("{} is not a status that ends an answer", fallback.status));
  }
  for (const auto& [name, value] : fallback.headers) {
    const std::string place = JoinKey(JoinKey(path, "headers"), name);
    if (!net::IsToken(name)) findings.Error(place, "is not the name of a header");
    if (net::HasControl(value)) findings.Error(place, "holds control characters");
    if (!IsWrittenByHale(name)) continue;
    findings.Error(place,
                   "is written by Hale itself, as content-length, what is of one connection, "
                   "x-request-id and hale-* are; any other header is allowed");
  }
  ValidateNames(fallback.last_good.by, JoinKey(JoinKey(path, "last_good"), "by"), findings);
}

void LintFallback(const mesh::RouteOptions& route, const std::string& path, Findings& findings) {
  const mesh::RouteFallbackOptions& fallback = route.fallback;
  if (fallback.mode == policy::Mode::kOff) return;
  const bool asked = !fallback.after.empty() || !fallback.headers.empty() || !fallback.body.empty();
  if (asked && fallback.status == 0 && !mesh::GivesAnything(fallback)) {
    findings.Warn(path, "gives nothing: write status, last_good or service");
  } else if (fallback.status == 0 && !(fallback.headers.empty() && fallback.body.empty())) {
    findings.Warn(JoinKey(path, "body"), "is never given: there is no status");
  }
  if (fallback.status >= 200 && !fallback.body.empty() && !net::HasBody("GET", fallback.status)) {
    findings.Warn(JoinKey(path, "body"),
                  fmt::format("is never given: a {} has none; write status: 200, or leave it out",
                              fallback.status));
  }
  const mesh::KeepOptions& keep = fallback.last_good;
  if (keep.max_age > Duration::zero() && keep.body > keep.memory) {
    findings.Warn(JoinKey(JoinKey(path, "last_good"), "body"),
                  fmt::format("an answer of {} does not fit into a memory of {}", Print(keep.body),
                              Print(keep.memory)));
  }
  const auto& methods = route.match.method;
  const auto changes = std::ranges::find_if(
      methods, [](const std::string& method) { return method != "GET" && method != "HEAD"; });
  if (fallback.status >= 200 && fallback.status < 300 && changes != methods.end()) {
    findings.Warn(JoinKey(path, "status"), fmt::format("a {} that was not done is answered with {}",
                                                       *changes, fallback.status));
  }
}

}  // namespace

void ValidateFallbacks(const Document& document, Findings& findings) {
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    const mesh::RouteOptions& route = document.routes[i];
    const std::string path = JoinIndex("routes", i);
    ValidateFallback(document, route, JoinKey(path, "fallback"), findings);
    ValidateNames(route.single_flight.by, JoinKey(JoinKey(path, "single_flight"), "by"), findings);
  }
}

void LintFallbacks(const Document& document, Findings& findings) {
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    LintFallback(document.routes[i], JoinKey(JoinIndex("routes", i), "fallback"), findings);
  }
}

}  // namespace hale::host
