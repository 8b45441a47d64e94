#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "hale/base/quantity.h"
#include "hale/config/text.h"
#include "hale/host/lint.h"
#include "hale/net/http_head.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinIndex;
using config::JoinKey;
using policy::Mode;

std::string Percent(double share) { return fmt::format("{:.4g}%", share * 100); }

/// Whether a request of the route may be one that can be sent twice.
bool MayBeTwice(const mesh::RouteOptions& route) {
  if (route.idempotent != mesh::Idempotent::kAuto) {
    return route.idempotent == mesh::Idempotent::kYes;
  }
  const auto& methods = route.match.method;
  return methods.empty() || std::any_of(methods.begin(), methods.end(), net::IsIdempotent);
}

void LintMeans(const mesh::ServiceOptions& service, const std::string& path, Findings& findings) {
  const auto& budget = service.retry.budget;
  const double wanted = 1 - service.hedge.percentile;
  const double allowed = budget.ratio / 2;  // races and hedges have half
  if (budget.mode == Mode::kEnforce && allowed == 0) {
    findings.Warn(
        JoinKey(path, "mode"),
        "no second attempt is ever sent: retry.budget.ratio is 0, and hedges have nothing "
        "of its reserve");
  } else if (budget.mode == Mode::kEnforce && wanted > allowed + 1e-9) {
    findings.Warn(
        JoinKey(path, "percentile"),
        fmt::format("{} would be hedged, {} of the calls, and the budget lets hedges have "
                    "half of its {}: {}",
                    Percent(service.hedge.percentile) + " and slower", Percent(wanted),
                    Percent(budget.ratio), Percent(allowed)));
  }
  if (service.instances.fixed.size() == 1) {
    findings.Warn(JoinKey(path, "mode"),
                  "there is one instance: a slow call has nobody else to go to");
  }
}

void LintRoutes(const Document& document, const std::string& name, const std::string& path,
                Findings& findings) {
  const mesh::ServiceOptions& service = document.services.at(name);
  const Duration floor = service.hedge.floor;
  bool any = false;
  bool twice = false;
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    const auto& route = document.routes[i];
    if (route.service != name) continue;
    any = true;
    twice = twice || MayBeTwice(route);
    const Duration per_try = service.timeout.per_try;
    const Duration longest =
        per_try > Duration::zero() ? std::min(per_try, route.deadline) : route.deadline;
    if (floor < longest) continue;
    findings.Warn(JoinKey(path, "floor"),
                  fmt::format("no attempt is alone for {}: one of {} ends after {}", Print(floor),
                              JoinIndex("routes", i), Print(longest)));
  }
  if (any && !twice) {
    findings.Warn(JoinKey(path, "mode"),
                  "no route to it takes requests that may be sent twice, so none is hedged");
  }
}

}  // namespace

void LintHedge(const Document& document, Findings& findings) {
  for (const auto& [name, service] : document.services) {
    const std::string path = JoinKey("services", name);
    if (service.hedge.mode != Mode::kOff) {
      LintMeans(service, JoinKey(path, "hedge"), findings);
      LintRoutes(document, name, JoinKey(path, "hedge"), findings);
    }
    constexpr double kUsual = 0.5;
    if (service.deadline.mode == Mode::kEnforce && service.deadline.most_refused > kUsual) {
      findings.Warn(
          path + ".deadline.most_refused",
          fmt::format("{} of the calls may be refused: a caller whose deadlines are wrong "
                      "stops the service; 20% leaves most of them",
                      Percent(service.deadline.most_refused)));
    }
  }
}

}  // namespace hale::host
