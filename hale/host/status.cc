#include "hale/host/status.h"

#include <boost/json.hpp>

namespace hale::host {
namespace {

namespace json = boost::json;

template <class E>
std::string_view WordOf(E value) {
  for (const auto& name : Names(Type<E>{})) {
    if (name.value == value) return name.word;
  }
  return "?";
}

std::string_view WordOf(policy::Use use) {
  return use == policy::Use::kOut ? "out" : use == policy::Use::kAnyway ? "anyway" : "normal";
}

json::value SecondsOrNull(Duration span) {
  if (span == kForever) return nullptr;
  return Seconds(span);
}

json::object CircuitOf(const policy::CircuitStatus& status, TimePoint now) {
  json::object circuit{{"state", WordOf(status.state)},    {"mode", WordOf(status.mode)},
                       {"generation", status.generation},  {"admitted", status.totals.admitted},
                       {"refused", status.totals.refused}, {"failed", status.totals.failed},
                       {"slow", status.totals.slow},       {"opened", status.totals.opened}};
  if (status.state == policy::CircuitState::kOpen) {
    circuit["probes_in"] = Seconds(std::max(Duration::zero(), status.until - now));
  }
  if (status.trip.reason != Reason::kNone) {
    circuit["opened_by"] = json::object{{"reason", Word(status.trip.reason)},
                                        {"observed", status.trip.observed},
                                        {"threshold", status.trip.threshold}};
  }
  if (!status.why.empty()) circuit["why"] = status.why;
  return circuit;
}

json::object InstanceOf(const mesh::Service& service, std::size_t at, const mesh::MemberSet& set,
                        const RunningService& running, TimePoint now) {
  const mesh::Member& member = *set.members[at];
  const policy::InstanceVerdict verdict = service.VerdictOf(member.address());
  json::object instance{{"address", member.address()},
                        {"weight", set.weights[at]},
                        {"standing", verdict.standing == policy::Standing::kIn     ? "in"
                                     : verdict.standing == policy::Standing::kSick ? "sick"
                                                                                   : "dead"},
                        {"use", WordOf(member.verdict().use())},
                        {"health", WordOf(running.health().health(member.address()))},
                        {"stalled", member.pulse().stalled()},
                        {"in_flight", member.load().in_flight()},
                        {"latency_seconds", Seconds(member.load().Latency(now))},
                        {"failure_share", member.load().FailureShare(now)},
                        {"circuit", CircuitOf(member.breaker().Status(now), now)}};
  if (verdict.reason != Reason::kNone) {
    instance["why"] = Word(verdict.reason);
    instance["for_seconds"] = Seconds(now - verdict.since);
  }
  return instance;
}

json::object ServiceOf(const RunningService& running, TimePoint now) {
  mesh::Service& service = *running.service();
  const auto set = service.members();
  json::array instances;
  for (std::size_t i = 0; i < set->members.size(); ++i) {
    instances.push_back(InstanceOf(service, i, *set, running, now));
  }
  json::object object{{"instances", std::move(instances)},
                      {"panic", service.panic()},
                      {"bulkhead", json::object{{"in_flight", service.bulkhead().in_flight()},
                                                {"waiting", service.bulkhead().waiting()},
                                                {"limit", service.options()->bulkhead.limit}}},
                      {"retry_budget", json::object{{"balance", service.budget().balance(now)},
                                                    {"denied", service.budget().denied()}}},
                      {"stall_after_seconds", Seconds(policy::StallThreshold(service.replies()))}};
  if (const cluster::Watcher* watcher = running.watcher()) {
    const cluster::WatchStatus status = watcher->status();
    object["registry"] = json::object{{"freshness", WordOf(status.freshness)},
                                      {"age_seconds", SecondsOrNull(status.age)},
                                      {"holding", status.holding},
                                      {"failures", status.failures},
                                      {"error", status.error}};
  }
  return object;
}

json::array RoutesOf(const mesh::RouteTable& table) {
  json::array routes;
  for (const mesh::Route& route : table.routes()) {
    json::array limits;
    for (const auto& limit : route.limits.limits()) {
      limits.push_back(json::object{{"by", limit->options().by},
                                    {"rate", Print(limit->options().rate)},
                                    {"refused", limit->refused()}});
    }
    routes.push_back(json::object{
        {"name", route.name}, {"service", route.service->name()}, {"limits", std::move(limits)}});
  }
  return routes;
}

json::object ConfigOf(const StatusParts& parts) {
  json::array rejected;
  for (const config::Problem& problem : parts.rejected) {
    rejected.push_back(json::string(config::Print(problem)));
  }
  json::array warnings;
  for (const config::Problem& problem : parts.document.warnings) {
    warnings.push_back(json::string(config::Print(problem)));
  }
  json::array next;
  for (const std::string& section : parts.at_next_start) next.push_back(json::string(section));
  return {{"revision", parts.document.revision},
          {"hash", parts.document.hash},
          {"source", parts.document.file},
          {"rejected", std::move(rejected)},
          {"warnings", std::move(warnings)},
          {"at_next_start", std::move(next)},
          {"effective",
           json::parse(config::DumpWithOrigins(parts.document.value, parts.document.origins))}};
}

}  // namespace

std::string StatusJson(const StatusParts& parts) {
  json::object services;
  for (const auto& [name, kept] : parts.routing.services()) {
    if (kept.left == kNever) services[name] = ServiceOf(*kept.object, parts.now);
  }
  const NodeOptions& node = parts.document.value.node;
  return json::serialize(json::object{{"service", node.service},
                                      {"zone", node.zone},
                                      {"id", NodeId(node)},
                                      {"uptime_seconds", Seconds(parts.now - parts.started)},
                                      {"draining", parts.draining},
                                      {"services", std::move(services)},
                                      {"routes", RoutesOf(parts.routes)},
                                      {"config", ConfigOf(parts)}});
}

}  // namespace hale::host
