#include "hale/host/admission_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/quantity.h"
#include "hale/config/problem.h"
#include "hale/config/text.h"
#include "hale/host/names.h"
#include "hale/mesh/fair_key.h"
#include "hale/net/http1_syntax.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinIndex;
using config::JoinKey;
using config::Quote;
using policy::BulkheadOptions;
using policy::Mode;
using policy::PartitionKey;
using policy::PartitionsOptions;

std::string Percent(double share) { return fmt::format("{:.4g}%", share * 100); }

bool IsPriority(std::string_view word) {
  return std::ranges::any_of(Names(Type<policy::Priority>{}),
                             [&](const auto& name) { return name.word == word; });
}

void ValidatePartitions(const PartitionsOptions& partitions, const std::string& path,
                        Findings& findings) {
  const auto key = policy::ParsePartitionKey(partitions.by);
  if (!key || key->kind == PartitionKey::Kind::kCall) {  // a request says nothing itself
    findings.Error(JoinKey(path, "by"),
                   Quote(partitions.by) + " is not header:NAME, priority or route");
    return;
  }
  if (key->kind == PartitionKey::Kind::kHeader && !net::IsToken(key->header)) {
    findings.Error(JoinKey(path, "by"), Quote(key->header) + " is not the name of a header");
  }
  const std::string shares = JoinKey(path, "shares");
  for (const auto& remark : policy::CheckShares(partitions)) {
    findings.Error(remark.path.empty() ? shares : JoinKey(shares, remark.path), remark.text);
  }
  for (const auto& [name, share] : partitions.shares) {
    if (key->kind == PartitionKey::Kind::kPriority && name != "*" && !IsPriority(name)) {
      findings.Error(JoinKey(shares, name),
                     Quote(name) + " is not critical_plus, critical, sheddable_plus or sheddable");
    }
  }
}

void LintPartitions(const Document& document, const std::string& service,
                    const BulkheadOptions& bulkhead, Findings& findings) {
  const PartitionsOptions& partitions = bulkhead.partitions;
  const std::string path = JoinKey("services", service) + ".bulkhead.partitions";
  if (partitions.by.empty() != partitions.shares.empty()) {
    findings.Warn(path, partitions.by.empty()
                            ? "shares without by: nothing is divided"
                            : "by without shares: nothing is promised to anybody");
    return;
  }
  if (partitions.by.empty()) return;
  if (bulkhead.queue == 0 && partitions.lend > 0) {
    findings.Warn(JoinKey(path, "lend"),
                  fmt::format("{} of a share may be lent, and with queue 0 a lent place goes to "
                              "whoever comes first when it comes back",
                              Percent(partitions.lend)));
  }
  for (const auto& [name, share] : partitions.shares) {
    const std::string place = JoinKey(JoinKey(path, "shares"), name);
    const double places = bulkhead.limit * share;
    if (places + 1e-6 < 1) {
      findings.Warn(place, fmt::format("{} of limit {} is less than one place: nothing is promised",
                                       Percent(share), bulkhead.limit));
    }
    const bool known = partitions.by != "route" || name == "*" ||
                       std::ranges::any_of(document.routes, [&](const auto& route) {
                         return route.service == service && NameOf(route) == name;
                       });
    if (!known) findings.Warn(place, "is no route to this service: its share is never used");
  }
}

}  // namespace

void ValidateAdmission(const Document& document, Findings& findings) {
  for (const auto& [name, service] : document.services) {
    ValidatePartitions(service.bulkhead.partitions,
                       JoinKey("services", name) + ".bulkhead.partitions", findings);
  }
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    const std::string& by = document.routes[i].fair_by;
    if (mesh::FairKey::Valid(by)) continue;
    findings.Error(JoinKey(JoinIndex("routes", i), "fair_by"),
                   Quote(by) + " is not client_ip or header:NAME");
  }
}

void LintAdmission(const Document& document, Findings& findings) {
  for (const auto& [name, service] : document.services) {
    if (service.bulkhead.mode == Mode::kOff) continue;
    LintPartitions(document, name, service.bulkhead, findings);
  }
}

}  // namespace hale::host
