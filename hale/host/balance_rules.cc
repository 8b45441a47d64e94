#include "hale/host/balance_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "hale/base/field_value.h"
#include "hale/base/quantity.h"
#include "hale/config/text.h"
#include "hale/mesh/balance_key.h"
#include "hale/net/http1_syntax.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinKey;
using config::Quote;
using policy::BalanceKind;

void ValidateKey(const std::string& key, const std::string& path, Findings& findings) {
  if (key.empty()) return;
  const auto parsed = mesh::ParseBalanceKey(key);
  if (!parsed) {
    std::string message = Quote(key) + " is not client_ip, header:NAME or cookie:NAME";
    const auto near = config::Nearest(key, {"client_ip"});
    if (!near.empty()) message += "; did you mean " + std::string(near) + "?";
    return findings.Error(path, std::move(message));
  }
  // A cookie's name is a token too (RFC 6265 §4.1.1).
  if (parsed->kind != mesh::BalanceKey::Kind::kClientIp && !net::IsToken(parsed->name)) {
    findings.Error(path, Quote(parsed->name) + " is not the name of a header or cookie");
  }
}

void LintKey(const policy::BalanceOptions& balance, const std::string& path, Findings& findings) {
  if (balance.kind == BalanceKind::kMaglev && balance.key.empty()) {
    findings.Warn(JoinKey(path, "kind"),
                  "maglev without a key picks as p2c; add one, such as key: client_ip");
  }
  if (balance.kind != BalanceKind::kMaglev && !balance.key.empty()) {
    findings.Warn(JoinKey(path, "key"),
                  Quote(balance.key) + " is used by maglev alone: calls stay nowhere");
  }
  if (balance.kind == BalanceKind::kMaglev && balance.subset.size > 0) {
    findings.Warn(JoinKey(path, "subset"),
                  "each process keeps a key within its own subset: all together call as many "
                  "instances for it as they have subsets");
  }
}

void LintReports(const policy::BalanceOptions& balance, const std::string& path,
                 Findings& findings) {
  const bool in_turn =
      balance.kind == BalanceKind::kRoundRobin || balance.kind == BalanceKind::kWeighted;
  if (!in_turn || balance.reports == policy::Reports::kIgnore) return;
  findings.Warn(JoinKey(path, "reports"),
                fmt::format("are not used: {} takes turns, whatever load an instance reports; "
                            "write kind: p2c or least_request",
                            PrintValue(balance.kind)));
}

void LintZone(const Document& document, const mesh::ServiceOptions& service,
              const std::string& path, Findings& findings) {
  const policy::ZoneOptions& zone = service.balance.zone;
  if (zone.prefer == policy::ZonePreference::kNone) {
    if (zone.share > 0) {
      findings.Warn(path + ".zone.share", "has no effect without prefer: own");
    }
    return;
  }
  const std::string& own = document.node.zone;
  if (own.empty()) {
    return findings.Warn(path + ".zone.prefer", "node.zone says nothing: calls stay in no zone");
  }
  const auto& fixed = service.instances.fixed;
  const bool here =
      std::ranges::any_of(fixed, [&](const auto& instance) { return instance.zone == own; });
  if (!fixed.empty() && !here) {
    findings.Warn(path + ".zone.prefer",
                  fmt::format("none of {} instances is in zone {}: all calls leave it",
                              fixed.size(), Quote(own)));
  }
}

void LintSubset(const mesh::ServiceOptions& service, const std::string& path, Findings& findings) {
  const policy::SubsetOptions& subset = service.balance.subset;
  const std::size_t instances = service.instances.fixed.size();
  if (subset.size == 0 || instances == 0) return;
  if (subset.size >= instances) {
    findings.Warn(path + ".subset.size",
                  fmt::format("{} of {} instances is no subset", subset.size, instances));
  } else if (subset.clients > 0 && std::uint64_t{subset.size} * subset.clients < instances) {
    findings.Warn(
        path + ".subset.size",
        fmt::format("{} processes × {} reach {} of {} instances: the others get nothing",
                    subset.clients, subset.size, subset.clients * subset.size, instances));
  }
}

void LintPriority(const mesh::ServiceOptions& service, const std::string& path,
                  Findings& findings) {
  const std::string& word = service.balance.priority.metadata;
  const auto& fixed = service.instances.fixed;
  if (word.empty() || fixed.empty()) return;
  const bool any = std::ranges::any_of(
      fixed, [&](const auto& instance) { return instance.metadata.contains(word); });
  if (any) return;
  findings.Warn(path + ".priority.metadata",
                fmt::format("none of {} instances has {} in its metadata: all are in one group",
                            fixed.size(), Quote(word)));
}

void LintDeviation(const mesh::ServiceOptions& service, const std::string& path,
                   Findings& findings) {
  const policy::DeviationOptions& deviation = service.outlier.deviation;
  if (deviation.mode == policy::Mode::kOff || deviation.rest <= deviation.max_rest) return;
  findings.Warn(path + ".rest", fmt::format("{} is above max_rest {}", Print(deviation.rest),
                                            Print(deviation.max_rest)));
}

}  // namespace

void ValidateBalance(const Document& document, Findings& findings) {
  for (const auto& [name, service] : document.services) {
    const std::string path = JoinKey(JoinKey("services", name), "balance");
    ValidateKey(service.balance.key, JoinKey(path, "key"), findings);
    const policy::SubsetOptions& subset = service.balance.subset;
    if (subset.clients > 0 && subset.client >= subset.clients) {
      findings.Error(path + ".subset.client",
                     fmt::format("{} is not below clients {}: they count from 0", subset.client,
                                 subset.clients));
    }
  }
}

void LintBalance(const Document& document, Findings& findings) {
  for (const auto& [name, service] : document.services) {
    const std::string path = JoinKey(JoinKey("services", name), "balance");
    LintKey(service.balance, path, findings);
    LintReports(service.balance, path, findings);
    LintZone(document, service, path, findings);
    LintSubset(service, path, findings);
    LintPriority(service, path, findings);
    LintDeviation(service, JoinKey("services", name) + ".outlier.deviation", findings);
  }
}

}  // namespace hale::host
