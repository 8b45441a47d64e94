#include "hale/host/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "hale/base/quantity.h"
#include "hale/config/text.h"
#include "hale/guard/lint.h"
#include "hale/host/admission_rules.h"
#include "hale/host/balance_rules.h"
#include "hale/host/fallback_rules.h"
#include "hale/host/limit_rules.h"
#include "hale/net/http_head.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinIndex;
using config::JoinKey;
using policy::Mode;

std::string Percent(double share) { return PrintPercent(share); }

/// What the policies' own rules say, at its place in the document: `deadline` is the route's.
void Warn(const std::vector<Remark>& remarks, const std::string& service_path,
          const std::string& route_path, Findings& findings) {
  for (const Remark& remark : remarks) {
    const std::string& parent = remark.path == "deadline" ? route_path : service_path;
    findings.Warn(parent + "." + remark.path, remark.text);
  }
}

/// A route, the service behind it and where both stand.
struct Pair {
  const mesh::RouteOptions& route;
  const mesh::ServiceOptions& service;
  std::string route_path;
  std::string service_path;
};

// How often a request of the route may be sent: the most, for whatever methods it takes.
std::uint32_t Attempts(const Pair& pair) {
  if (pair.service.retry.mode == Mode::kOff) return 1;
  const auto& methods = pair.route.match.method;
  bool idempotent =
      methods.empty() || std::any_of(methods.begin(), methods.end(), net::IsIdempotent);
  if (pair.route.idempotent != mesh::Idempotent::kAuto) {
    idempotent = pair.route.idempotent == mesh::Idempotent::kYes;
  }
  return policy::MostAttempts(pair.service.retry, idempotent);
}

void LintTimes(const Pair& pair, Findings& findings) {
  const auto& timeout = pair.service.timeout;
  const Duration deadline = pair.route.deadline;
  const guard::CallTimes times{.deadline = deadline,
                               .per_try = timeout.per_try,
                               .attempts = Attempts(pair),
                               .per_try_name = pair.service_path + ".timeout.per_try",
                               .of_caller = " of " + pair.route_path};
  // A default is no mistake of the author's: it gives way where it does not fit.
  if (timeout.connect > deadline && timeout.connect != mesh::TimeoutOptions{}.connect) {
    findings.Warn(pair.service_path + ".timeout.connect",
                  fmt::format("{} is above the whole deadline {} of {}", Print(timeout.connect),
                              Print(deadline), pair.route_path));
  }
  std::vector<Remark> remarks;
  guard::LintTimes(times, pair.service.retry, remarks);
  guard::LintBreakerTimes(times, pair.service.breaker, remarks);
  guard::LintBulkheadTimes(times, pair.service.bulkhead, remarks);
  Warn(remarks, pair.service_path, pair.route_path, findings);
}

void LintIdempotent(const Pair& pair, Findings& findings) {
  const std::uint32_t attempts = Attempts(pair);
  if (pair.route.idempotent != mesh::Idempotent::kYes || attempts < 2) return;
  const auto& methods = pair.route.match.method;
  const auto unsafe = std::find_if_not(methods.begin(), methods.end(), net::IsIdempotent);
  if (!methods.empty() && unsafe == methods.end()) return;
  findings.Warn(
      JoinKey(pair.route_path, "idempotent"),
      fmt::format("a {} may be executed up to {} times: it is sent again after it may have been "
                  "executed",
                  methods.empty() ? "POST" : *unsafe, attempts));
}

void LintCalls(const Document& document, const std::string& name,
               const mesh::ServiceOptions& service, Findings& findings) {
  // The most calls that the limits of all routes to it let through in one window.
  const auto& breaker = service.breaker;
  const auto most_by = [&](const std::vector<mesh::LimitOptions>& limits) {
    double most = INFINITY;
    for (const auto& limit : limits) {
      if (limit.by != "all" || limit.mode != Mode::kEnforce) continue;
      if (limit.cost != mesh::LimitCost::kRequests) continue;
      most = std::min(most,
                      guard::MostCalls({.rate = limit.rate, .burst = limit.burst}, breaker.window));
    }
    return most;
  };
  double calls = 0;
  for (const auto& route : document.routes) {
    if (route.service == name) calls += most_by(route.limit);
  }
  calls = std::min(calls, most_by(service.limit));
  const auto instances = std::max<std::size_t>(1, service.instances.fixed.size());
  std::vector<Remark> remarks;
  guard::LintBreaker(breaker, remarks);
  guard::LintSupply({.calls = calls / static_cast<double>(instances),
                     .limits = "the routes' limits let",
                     .reach = fmt::format("reach each of {} instances", instances)},
                    breaker, remarks);
  guard::LintRetry(service.retry, true, remarks);
  Warn(remarks, JoinKey("services", name), {}, findings);
}

void LintHealth(const mesh::ServiceOptions& service, const std::string& path, Findings& findings) {
  const auto& health = service.health;
  const auto kind = cluster::EffectiveKind(health);
  if (!health.path.empty() && kind != cluster::HealthKind::kHttp) {
    findings.Warn(path + ".path", "is not used: only kind http asks for a path");
  }
  if (kind == cluster::HealthKind::kOff) return;
  if (health.timeout > health.interval) {
    findings.Warn(path + ".timeout",
                  fmt::format("{} is above the interval {}: a check would still be out when the "
                              "next is due",
                              Print(health.timeout), Print(health.interval)));
  }
  const Duration noticed = health.interval * health.fall;
  if (noticed > std::chrono::minutes(1)) {
    findings.Warn(path + ".interval",
                  fmt::format("{} × fall {} = {} until a dead instance is noticed by its checks",
                              Print(health.interval), health.fall, Print(noticed)));
  }
  const std::size_t instances = service.instances.fixed.size();
  if (health.fall == 1 && instances > 0) {
    findings.Warn(path + ".fall",
                  fmt::format("1: one lost check leaves out an instance, {} of the capacity",
                              Percent(1.0 / static_cast<double>(instances))));
  }
}

// Law 6: leaving out the share f of instances that still carry load is safe only while the load is
// below 0.95 × (1 − f) of capacity; beyond, leaving out is the outage. Where f is so much that
// panic begins it is never reached at all.
void LintSick(const mesh::ServiceOptions& service, const std::string& path, Findings& findings) {
  const policy::OutlierOptions& outlier = service.outlier;
  const policy::OutlierOptions usual;
  const auto instances = static_cast<double>(service.instances.fixed.size());
  constexpr double kSafe = 0.25;  // to 71 % load
  const double places = std::max(1.0, std::floor(outlier.max_sick * instances));
  const double share = instances > 0 ? places / instances : outlier.max_sick;
  const bool one = instances > 0 && places == 1;  // is always allowed
  const std::string of = instances > 0 ? fmt::format("{} of {} instances", places, instances)
                                       : Percent(share) + " of the instances";
  const bool said = outlier.max_sick != usual.max_sick || outlier.panic != usual.panic;
  // As the judgement counts: 1 − 0.8 is less than 0.2 in binary.
  const bool too_few = instances > 0 ? instances - places < outlier.panic * instances
                                     : outlier.max_sick + outlier.panic > 1;
  if (said && instances != 1 && too_few) {
    findings.Warn(path + (outlier.panic != usual.panic ? ".panic" : ".max_sick"),
                  fmt::format("with {} left out as sick fewer than {} are left, and all of them "
                              "are used again",
                              of, Percent(outlier.panic)));
  } else if (outlier.max_sick > kSafe && share > kSafe && !one) {
    findings.Warn(path + ".max_sick",
                  fmt::format("{} may be left out while they carry load: safe only below {} of "
                              "capacity",
                              of, Percent(0.95 * (1 - share))));
  }
}

void LintOutlier(const mesh::ServiceOptions& service, const std::string& path, Findings& findings) {
  const auto& outlier = service.outlier;
  if (outlier.mode == Mode::kOff) return;
  LintSick(service, path, findings);
  if (outlier.rest > outlier.max_rest) {
    findings.Warn(path + ".rest", fmt::format("{} is above max_rest {}", Print(outlier.rest),
                                              Print(outlier.max_rest)));
  }
}

void LintCapacity(const mesh::ServiceOptions& service, const std::string& path,
                  Findings& findings) {
  const auto instances = service.instances.fixed.size();
  const auto connections = instances * service.connections;
  const auto& bulkhead = service.bulkhead;
  if (instances == 0 || bulkhead.limit == policy::BulkheadOptions{}.limit) return;
  if (bulkhead.mode == Mode::kOff || bulkhead.limit <= connections) return;
  findings.Warn(path + ".bulkhead.limit",
                fmt::format("{} calls can never be in flight: {} instances × {} connections = {}",
                            bulkhead.limit, instances, service.connections, connections));
}

void LintOverload(const mesh::ServiceOptions& service, const std::string& path,
                  Findings& findings) {
  std::vector<Remark> remarks;
  guard::LintOrder(service.bulkhead, remarks);
  guard::LintThrottle(service.throttle, remarks);
  guard::LintConcurrency(service.concurrency, service.bulkhead, remarks);
  Warn(remarks, path, {}, findings);
}

void LintListen(const Document& document, Findings& findings) {
  for (std::size_t i = 0; i < document.listen.size(); ++i) {
    const auto& listen = document.listen[i];
    const std::string path = JoinIndex("listen", i);
    if (listen.limits.body.bytes == 0) {
      findings.Warn(path + ".limits.body", "0: one request may bring a body without end");
    }
    for (std::size_t p = 0; p < listen.trusted_proxies.size(); ++p) {
      if (!listen.trusted_proxies[p].ends_with("/0")) continue;
      findings.Warn(JoinIndex(path + ".trusted_proxies", p),
                    listen.trusted_proxies[p] +
                        " believes X-Forwarded-For of everybody: a client chooses its own "
                        "client_ip");
    }
  }
  const std::string& admin = document.admin.address;
  const bool loopback = admin.empty() || admin.starts_with("127.") || admin.starts_with("[::1]");
  if (!loopback && document.admin.token.empty()) {
    findings.Warn("admin.address", admin + " is reached from other machines, and there is no " +
                                       "token: nobody may write");
  }
}

void LintDrain(const Document& document, Findings& findings) {
  const auto longest =
      std::max_element(document.routes.begin(), document.routes.end(),
                       [](const auto& a, const auto& b) { return a.deadline < b.deadline; });
  if (longest == document.routes.end() || longest->deadline <= document.drain.timeout) return;
  findings.Warn("drain.timeout",
                fmt::format("{} is below the deadline {} of routes[{}]: its requests may be broken "
                            "off",
                            Print(document.drain.timeout), Print(longest->deadline),
                            longest - document.routes.begin()));
}

}  // namespace

void Lint(const Document& document, Findings& findings) {
  LintListen(document, findings);
  if (document.services.empty() && findings.origins().Has("services")) {
    findings.Warn("services", "holds no service; leave the key out if none is called");
  }
  for (const auto& [name, service] : document.services) {
    const std::string path = JoinKey("services", name);
    LintHealth(service, JoinKey(path, "health"), findings);
    LintCalls(document, name, service, findings);
    LintOutlier(service, JoinKey(path, "outlier"), findings);
    LintCapacity(service, path, findings);
    LintOverload(service, path, findings);
  }
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    const auto& route = document.routes[i];
    const auto service = document.services.find(route.service);
    if (service == document.services.end()) continue;
    const Pair pair{route, service->second, JoinIndex("routes", i),
                    JoinKey("services", route.service)};
    LintTimes(pair, findings);
    LintIdempotent(pair, findings);
  }
  LintLimits(document, findings);
  LintFallbacks(document, findings);
  LintAdmission(document, findings);
  LintBalance(document, findings);
  LintHedge(document, findings);
  LintShadowed(document, findings);
  LintDrain(document, findings);
}

}  // namespace hale::host
