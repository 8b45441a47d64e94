#include "hale/host/limit_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/base/quantity.h"
#include "hale/config/problem.h"
#include "hale/config/text.h"
#include "hale/guard/lint.h"
#include "hale/net/http1_syntax.h"
#include "hale/policy/gcra.h"
#include "hale/policy/sliding_log.h"

namespace hale::host {
namespace {

using config::Findings;
using config::JoinIndex;
using config::JoinKey;
using config::Quote;
using mesh::LimitCost;
using mesh::LimitKind;
using mesh::LimitOptions;
using policy::Mode;

using Limits = std::vector<LimitOptions>;

void ValidateKey(const LimitOptions& limit, const std::string& path, Findings& findings) {
  const auto key = mesh::ParseLimitKey(limit.by);
  if (!key) {
    std::string message = Quote(limit.by) + " is not all, client_ip or header:NAME";
    const auto near = config::Nearest(limit.by, {"all", "client_ip"});
    if (!near.empty()) message += "; did you mean " + std::string(near) + "?";
    findings.Error(JoinKey(path, "by"), std::move(message));
  } else if (key->kind == mesh::LimitKey::Kind::kHeader && !net::IsToken(key->header)) {
    findings.Error(JoinKey(path, "by"), Quote(key->header) + " is not the name of a header");
  }
}

void ValidateKind(const LimitOptions& limit, const std::string& path, Findings& findings) {
  const bool bucket = limit.kind == LimitKind::kTokenBucket;
  if (limit.kind == LimitKind::kSlidingLog) {
    if (limit.by != "all") {
      findings.Error(JoinKey(path, "kind"),
                     "sliding_log counts all together, it has no log for each " + limit.by +
                         "; write kind: token_bucket");
    }
    if (limit.rate.permits > policy::kMostLogged) {
      findings.Error(JoinKey(path, "rate"),
                     fmt::format("{} are remembered one by one, at most {}; write kind: "
                                 "token_bucket",
                                 limit.rate.permits, policy::kMostLogged));
    }
  }
  if (limit.cost == LimitCost::kBytes && !bucket) {
    findings.Error(JoinKey(path, "cost"), "bytes are settled by a token_bucket only");
  }
  if (limit.warm_up > Duration::zero() && (!bucket || limit.by != "all")) {
    findings.Error(JoinKey(path, "warm_up"), "only a token_bucket by all warms up");
  }
  const bool known =
      !findings.Unread(JoinKey(path, "rate")) && !findings.Unread(JoinKey(path, "burst"));
  const std::uint64_t burst = policy::MakeGcraPlan(limit.rate, limit.burst).burst;
  if (limit.cost == LimitCost::kBytes && known && limit.estimate > burst) {
    findings.Error(JoinKey(path, "estimate"),
                   fmt::format("{} bytes are more than the burst of {}: no request would pass",
                               limit.estimate, burst));
  }
}

void ValidateList(const Limits& limits, const std::string& path, Findings& findings) {
  if (limits.size() > mesh::kMostLimits) {
    findings.Error(path, fmt::format("{} limits, at most {}", limits.size(), mesh::kMostLimits));
  }
  for (std::size_t i = 0; i < limits.size(); ++i) {
    ValidateKey(limits[i], JoinIndex(path, i), findings);
    ValidateKind(limits[i], JoinIndex(path, i), findings);
  }
}

void LintUnused(const LimitOptions& limit, const std::string& path, Findings& findings) {
  const LimitOptions usual;
  const auto unless = [&](bool used, std::string_view key, std::string_view who) {
    if (!used) findings.Warn(JoinKey(path, key), fmt::format("is not used: only {}", who));
  };
  const bool keyed = limit.by != "all";
  unless(limit.kind == LimitKind::kPacing || limit.max_wait == usual.max_wait, "max_wait",
         "kind pacing waits");
  unless(limit.kind != LimitKind::kSlidingLog || limit.burst == usual.burst, "burst",
         "a rate has a burst, a sliding_log has its window");
  unless(limit.warm_up > Duration::zero() || limit.cold == usual.cold, "cold",
         "a limit with a warm_up is ever cold");
  unless(limit.cost == LimitCost::kBytes || limit.estimate == usual.estimate, "estimate",
         "cost bytes is estimated");
  unless(keyed || limit.max_keys == usual.max_keys, "max_keys",
         "a limit by client_ip or header has keys");
  unless(keyed || limit.when_full == usual.when_full, "when_full",
         "a limit by client_ip or header has keys");
}

/// A list of limits and what stands beside it.
struct Listed {
  const Limits& limits;
  std::string path;
  bool edge;                     // clients may be anybody
  bool bounded;                  // another list has a limit that they cannot evade
  Duration deadline = kForever;  // of the route
};

// A limit on something that the client cannot choose bounds what inventing keys can gain.
bool Bounded(const Limits& limits) {
  return std::any_of(limits.begin(), limits.end(), [](const auto& limit) {
    return limit.mode == Mode::kEnforce && !limit.by.starts_with("header:");
  });
}

void LintList(const Listed& listed, Findings& findings) {
  const bool bounded = listed.bounded || Bounded(listed.limits);
  for (std::size_t i = 0; i < listed.limits.size(); ++i) {
    const LimitOptions& limit = listed.limits[i];
    const std::string path = JoinIndex(listed.path, i);
    LintUnused(limit, path, findings);
    const bool chosen = limit.by.starts_with("header:") && listed.edge;
    if (chosen && !bounded) {
      findings.Warn(JoinKey(path, "by"),
                    fmt::format("a client of an edge listener chooses {} itself, so it gets {} as "
                                "often as it invents a value; add a limit by client_ip",
                                limit.by.substr(7), Print(limit.rate)));
    }
    if (chosen && limit.when_full == policy::WhenFull::kRefuse) {
      findings.Warn(JoinKey(path, "when_full"),
                    fmt::format("a client that invents {} values of {} has everybody new refused; "
                                "write share or evict",
                                limit.max_keys, limit.by.substr(7)));
    }
    if (limit.kind == LimitKind::kPacing) {
      std::vector<Remark> remarks;
      guard::LintPace({.mode = limit.mode, .rate = limit.rate, .max_wait = limit.max_wait},
                      listed.deadline, remarks);
      for (auto& remark : remarks) findings.Warn(JoinKey(path, remark.path), remark.text);
    }
    if (limit.cost == LimitCost::kBytes && limit.rate.PerSecond() < 1024) {
      findings.Warn(JoinKey(path, "rate"),
                    fmt::format("{} are bytes, less than a head has", Print(limit.rate)));
    }
  }
}

}  // namespace

void ValidateLimits(const Document& document, Findings& findings) {
  for (const auto& [name, service] : document.services) {
    ValidateList(service.limit, JoinKey(JoinKey("services", name), "limit"), findings);
  }
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    ValidateList(document.routes[i].limit, JoinKey(JoinIndex("routes", i), "limit"), findings);
  }
}

void LintLimits(const Document& document, Findings& findings) {
  const bool edge =
      std::any_of(document.listen.begin(), document.listen.end(),
                  [](const auto& listen) { return listen.trust == mesh::Trust::kEdge; });
  for (const auto& [name, service] : document.services) {
    LintList({.limits = service.limit,
              .path = JoinKey(JoinKey("services", name), "limit"),
              .edge = edge,
              .bounded = false},
             findings);
  }
  for (std::size_t i = 0; i < document.routes.size(); ++i) {
    const auto& route = document.routes[i];
    const auto service = document.services.find(route.service);
    LintList({.limits = route.limit,
              .path = JoinKey(JoinIndex("routes", i), "limit"),
              .edge = edge,
              .bounded = service != document.services.end() && Bounded(service->second.limit),
              .deadline = route.deadline},
             findings);
  }
}

}  // namespace hale::host
