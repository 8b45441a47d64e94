#include "hale/host/document_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "hale/cluster/instance.h"
#include "hale/config/problem.h"
#include "hale/config/text.h"
#include "hale/host/admission_rules.h"
#include "hale/host/balance_rules.h"
#include "hale/host/fallback_rules.h"
#include "hale/host/limit_rules.h"
#include "hale/host/names.h"
#include "hale/net/address.h"
#include "hale/net/http1_syntax.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinIndex;
using config::JoinKey;
using config::Quote;

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Service and route names become metric labels, log fields and file names.
bool IsName(std::string_view text) {
  constexpr std::size_t kMost = 128;
  return !text.empty() && text.size() <= kMost && std::all_of(text.begin(), text.end(), [](char c) {
    return IsAlnum(c) || c == '_' || c == '-' || c == '.' || c == '/';
  });
}

void CheckListenAddress(std::string_view address, const std::string& path, Findings& findings) {
  if (address.empty()) return findings.Error(path, "is missing, such as 0.0.0.0:8080");
  constexpr std::size_t kMost = 64;  // the longest is about 47 bytes
  if (address.size() > kMost) return findings.Error(path, Quote(address) + " is not an address");
  const auto parsed = net::Address::Parse(address);
  if (parsed) return;
  std::string message = parsed.error().message;
  if (address.starts_with(':')) {
    message += "; for all interfaces write 0.0.0.0" + std::string(address.substr(0, 6));
  } else if (address.starts_with("localhost:")) {
    message += "; write 127.0.0.1" + std::string(address.substr(9, 6));
  } else {
    message += "; the port is 0 to 65535";
  }
  findings.Error(path, std::move(message));
}

// `10.0.0.0/8`, `2001:db8::/32`, or an address alone.
bool IsCidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  const bool v6 = ip.find(':') != std::string_view::npos;
  const auto bracketed = v6 ? fmt::format("[{}]:0", ip) : fmt::format("{}:0", ip);
  if (!net::Address::Parse(bracketed)) return false;
  if (slash == std::string_view::npos) return true;
  const std::string_view bits = text.substr(slash + 1);
  int length = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), length);
  return error == std::errc() && end == bits.data() + bits.size() && length >= 0 &&
         length <= (v6 ? 128 : 32);
}

void ValidateListen(const Document& document, Findings& findings) {
  std::map<std::string_view, std::string> known;
  const auto add = [&](std::string_view address, std::string path) {
    if (address.empty() || address.ends_with(":0")) return;
    const auto [first, fresh] = known.try_emplace(address, path);
    if (!fresh) findings.Error(std::move(path), "is the address of " + first->second + " too");
  };
  for (std::size_t i = 0; i < document.listen.size(); ++i) {
    const auto& listen = document.listen[i];
    const std::string path = JoinIndex("listen", i);
    CheckListenAddress(listen.address, JoinKey(path, "address"), findings);
    add(listen.address, JoinKey(path, "address"));
    for (std::size_t p = 0; p < listen.trusted_proxies.size(); ++p) {
      if (IsCidr(listen.trusted_proxies[p])) continue;
      findings.Error(JoinIndex(JoinKey(path, "trusted_proxies"), p),
                     Quote(listen.trusted_proxies[p]) + " is not a CIDR such as 10.0.0.0/8");
    }
  }
  if (!document.admin.address.empty()) {
    CheckListenAddress(document.admin.address, "admin.address", findings);
    add(document.admin.address, "admin.address");
  }
}

void ValidateInstances(const mesh::InstancesOptions& instances, const std::string& path,
                       Findings& findings) {
  if (instances.fixed.empty() && instances.file.empty()) {
    return findings.Error(path, "no instances, write static: [\"host:port\"] or file: path");
  }
  if (!instances.fixed.empty() && !instances.file.empty()) {
    return findings.Error(path, "static and file exclude each other");
  }
  std::map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < instances.fixed.size(); ++i) {
    const cluster::Instance& instance = instances.fixed[i];
    const std::string place = JoinKey(JoinIndex(JoinKey(path, "static"), i), "address");
    if (auto checked = cluster::Check(instance); !checked) {
      findings.Error(place, std::move(checked.error().message));
    }
    const auto [first, fresh] = known.try_emplace(instance.address, i);
    if (!fresh) {
      findings.Error(place, fmt::format("{} is there already, as static[{}]",
                                        Quote(instance.address), first->second));
    }
  }
}

void ValidateService(std::string_view name, const mesh::ServiceOptions& service,
                     Findings& findings) {
  const std::string path = JoinKey("services", name);
  if (!IsName(name)) {
    findings.Error(path, "a name has 1 to 128 letters, digits, '_', '-', '.' or '/'");
  }
  ValidateInstances(service.instances, JoinKey(path, "instances"), findings);
  const std::string& health = service.health.path;
  if (!health.empty() && (!health.starts_with('/') || health.find(' ') != std::string::npos)) {
    findings.Error(JoinKey(JoinKey(path, "health"), "path"),
                   Quote(health) + " is not a path: it begins with '/' and has no spaces");
  }
  const auto& statuses = service.retry.retry_on_status;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    // Below 500 an answer is the caller's affair: no attempt has failed.
    if (statuses[i] >= 500 && statuses[i] <= 599) continue;
    findings.Error(JoinIndex(path + ".retry.retry_on_status", i),
                   fmt::format("{} is out of range, 500 to 599 is allowed", statuses[i]));
  }
}

// Requests' paths are normalised before they are compared, so some patterns can never match.
std::string_view WrongPath(std::string_view path) {
  if (!path.starts_with('/')) return "does not begin with '/'";
  if (path.find_first_of("?# ") != std::string_view::npos) return "holds '?', '#' or a space";
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment == "." || segment == "..") return "holds a '.' or '..', which is normalised away";
    rest.remove_prefix(segment.size());
  }
  return {};
}

bool IsHostPattern(std::string_view host) {
  if (host.starts_with("*.")) host.remove_prefix(2);
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return IsAlnum(c) || c == '.' || c == '-' || c == '_';
  });
}

void ValidateMatch(const mesh::MatchOptions& match, const std::string& path, Findings& findings) {
  if (const auto wrong = WrongPath(match.path); !wrong.empty()) {
    findings.Error(JoinKey(path, "path"), Quote(match.path) + " " + std::string(wrong));
  }
  if (!match.host.empty() && !IsHostPattern(match.host)) {
    findings.Error(JoinKey(path, "host"),
                   Quote(match.host) + " is not a name such as example.com or *.example.com");
  }
  for (std::size_t i = 0; i < match.method.size(); ++i) {
    const std::string& method = match.method[i];
    const bool lower =
        std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (net::IsToken(method) && !lower) continue;
    findings.Error(JoinIndex(JoinKey(path, "method"), i),
                   Quote(method) + " is not a method such as GET; methods are in upper case");
  }
  for (const auto& [name, value] : match.header) {
    if (net::IsToken(name)) continue;
    findings.Error(JoinKey(JoinKey(path, "header"), name), "is not the name of a header");
  }
}

void ValidateRoutes(const Document& document, Findings& findings) {
  std::map<std::string_view, std::size_t> names;
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    const mesh::RouteOptions& route = document.routes[i];
    const std::string path = JoinIndex("routes", i);
    if (!route.name.empty()) {
      if (!IsName(route.name)) {
        findings.Error(JoinKey(path, "name"),
                       "a name has 1 to 128 letters, digits, '_', '-', '.' or '/'");
      }
      const auto [first, fresh] = names.try_emplace(route.name, i);
      if (!fresh) {
        findings.Error(JoinKey(path, "name"), fmt::format("{} is the name of routes[{}] too",
                                                          Quote(route.name), first->second));
      }
    }
    ValidateMatch(route.match, JoinKey(path, "match"), findings);
    if (route.service.empty()) {
      findings.Error(JoinKey(path, "service"), "is missing: where do its requests go?");
    } else if (!document.services.contains(route.service)) {
      findings.Error(JoinKey(path, "service"), UnknownService(document, route.service));
    }
  }
}

}  // namespace

void Validate(const Document& document, Findings& findings) {
  ValidateListen(document, findings);
  for (const auto& [name, service] : document.services) ValidateService(name, service, findings);
  ValidateRoutes(document, findings);
  ValidateLimits(document, findings);
  ValidateFallbacks(document, findings);
  ValidateAdmission(document, findings);
  ValidateBalance(document, findings);
  if (const std::string& fleet = document.node.fleet;
      !fleet.empty() && !document.services.contains(fleet)) {
    findings.Error("node.fleet", UnknownService(document, fleet));
  }
  if (!IsName(document.node.service)) {
    findings.Error("node.service", "a name has 1 to 128 letters, digits, '_', '-', '.' or '/'");
  }
}

}  // namespace hale::host
