#include "hale/host/status.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <utility>

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
  switch (use) {
    case policy::Use::kOut:
      return "out";
    case policy::Use::kAnyway:
      return "anyway";
    case policy::Use::kAside:
      return "aside";
    case policy::Use::kNormal:
      break;
  }
  return "normal";
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

/// How an instance compares with its peers: at a distance of 1 it is left out.
json::object ComparedOf(const mesh::Service& service, const mesh::Member& member, TimePoint now) {
  const policy::Deviation deviation = service.DeviationOf(member.address());
  const auto usual = member.load().usual().Read(now);
  return {{"compared", deviation.compared},
          {"distance", deviation.worse()},
          {"by_latency", deviation.latency},
          {"by_failures", deviation.failures},
          {"usual_latency_seconds", Seconds(usual.latency)},
          {"calls", usual.calls}};
}

/// What is balanced by, and what of the set is left by narrowing.
json::object BalanceOf(mesh::Service& service, const mesh::MemberSet& set) {
  const policy::BalanceOptions& balance = service.options()->balance;
  const auto left = set.narrowed.empty() ? set.members.size() : set.narrowed.size();
  json::object object{{"kind", WordOf(balance.kind)}, {"left", left}};
  if (balance.zone.prefer == policy::ZonePreference::kOwn) object["in_own_zone"] = set.local;
  if (!balance.priority.metadata.empty()) object["in_first_group"] = set.first;
  return object;
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
                        {"circuit", CircuitOf(member.breaker().Status(now), now)},
                        {"factor", set.factors[at]},
                        {"peers", ComparedOf(service, member, now)}};
  const cluster::Instance* known = service.InstanceOf(member.address());
  if (known != nullptr && !known->zone.empty()) instance["zone"] = known->zone;
  if (const auto said = member.load().reported().Read(now); said.left > 0) {
    instance["reported_load"] = said.load;
  }
  if (verdict.reason != Reason::kNone) {
    instance["why"] = Word(verdict.reason);
    instance["for_seconds"] = Seconds(now - verdict.since);
  }
  return instance;
}

json::object HedgeOf(policy::Hedge& hedge, TimePoint now) {
  return {{"mode", WordOf(hedge.mode())},
          {"delay_seconds", SecondsOrNull(hedge.Delay(now))},
          {"recent_calls", hedge.calls()},
          {"sent", hedge.sent()},
          {"won", hedge.won()}};
}

json::object DeadlineOf(policy::DeadlineGate& gate, TimePoint now) {
  return {{"mode", WordOf(gate.mode())},
          {"needed_seconds", Seconds(gate.Needed(now))},
          {"recent_answers", gate.calls()}};
}

/// Of how many the reserve is a share, and who says so.
json::object BudgetOf(mesh::Service& service, TimePoint now) {
  const std::uint32_t said = service.options()->retry.budget.fleet_size;
  const std::uint32_t known = service.fleet();
  return {{"balance", service.budget().balance(now)},
          {"denied", service.budget().denied()},
          {"reserve", service.budget().reserve()},
          {"fleet_size", said > 0 ? said : std::max(known, 1U)},
          {"fleet_size_from", said > 0    ? "document"
                              : known > 0 ? "discovery"
                                          : "unknown"}};
}

json::object ThrottleOf(const policy::Throttle& throttle, const policy::ThrottleOptions& options,
                        TimePoint now) {
  const policy::ThrottleStatus status = throttle.Status(now);
  return {{"mode", WordOf(options.mode)},   {"held_back_share", status.share},
          {"refused", status.refused},      {"would_refuse", status.would_refuse},
          {"sent", status.window.sent},     {"taken", status.window.taken},
          {"held_back", status.window.held}};
}

json::object LimitOf(const policy::ConcurrencyLimit& limit) {
  const policy::ConcurrencyLimitStatus status = limit.Status();
  return {{"mode", WordOf(limit.mode())},
          {"limit", status.limit},
          {"no_load_seconds", Seconds(status.no_load)}};
}

json::object BulkheadOf(mesh::Service& service, TimePoint now) {
  const policy::Bulkhead& bulkhead = service.bulkhead();
  json::object object{{"in_flight", bulkhead.in_flight()},
                      {"waiting", bulkhead.waiting()},
                      {"limit", service.concurrency().limit()},
                      {"most", service.options()->bulkhead.limit},
                      {"mean_call_seconds", Seconds(bulkhead.mean_call())},
                      {"stands", bulkhead.Stands(now)}};
  // Of each partition what it is promised, and has; the first one is those without a share.
  json::array partitions;
  const auto all = bulkhead.partitions();
  for (std::size_t i = 0; all.size() > 1 && i < all.size(); ++i) {
    json::object one{{"guaranteed", all[i].guaranteed},
                     {"in_flight", all[i].in_flight},
                     {"waiting", all[i].waiting}};
    if (i == 0) {
      object["without_partition"] = std::move(one);
    } else {
      one["name"] = all[i].name;
      partitions.push_back(std::move(one));
    }
  }
  object["partitions"] = std::move(partitions);
  return object;
}

json::object ServiceOf(const RunningService& running, TimePoint now) {
  mesh::Service& service = *running.service();
  const auto set = service.members();
  json::array instances;
  for (std::size_t i = 0; i < set->members.size(); ++i) {
    instances.push_back(InstanceOf(service, i, *set, running, now));
  }
  json::object object{
      {"instances", std::move(instances)},
      {"balance", BalanceOf(service, *set)},
      {"panic", service.panic()},
      {"bulkhead", BulkheadOf(service, now)},
      {"throttle", ThrottleOf(service.throttle(), service.options()->throttle, now)},
      {"concurrency", LimitOf(service.concurrency())},
      {"retry_budget", BudgetOf(service, now)},
      {"hedge", HedgeOf(service.hedge(), now)},
      {"deadline", DeadlineOf(service.gate(), now)},
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

/// One of a service stands at each of its routes, and where they fall back to it, and is one all
/// the same: `of` says.
json::object LimitOf(const mesh::RouteLimit& limit, TimePoint now) {
  const mesh::LimitOptions& options = limit.options();
  json::object object{{"of", limit.owner()},          {"kind", WordOf(options.kind)},
                      {"mode", WordOf(options.mode)}, {"by", options.by},
                      {"cost", WordOf(options.cost)}, {"rate", Print(options.rate)},
                      {"refused", limit.refused()},   {"would_refuse", limit.would_refuse()}};
  if (options.by != "all") {
    object["keys"] = limit.keys(now);
    object["max_keys"] = options.max_keys;
    object["overflowed"] = limit.overflowed();
  }
  return object;
}

json::array RoutesOf(const mesh::RouteTable& table, TimePoint now) {
  json::array routes;
  // Each once: to count the keys of a limit is O(max_keys), and one of a service is at many routes.
  std::map<const mesh::RouteLimit*, json::object> told;
  for (const mesh::Route& route : table.routes()) {
    json::array limits;
    const auto tell = [&](const mesh::RouteLimits& list) {
      for (const mesh::ListedLimit& listed : list.limits()) {
        const auto [known, fresh] = told.try_emplace(listed.limit.get());
        if (fresh) known->second = LimitOf(*listed.limit, now);
        limits.push_back(known->second);
      }
    };
    tell(route.limits);
    if (route.fallback) tell(route.fallback->limits);
    json::object object{
        {"name", route.name}, {"service", route.service->name()}, {"limits", std::move(limits)}};
    if (route.fallback && route.fallback->last_good) {
      const policy::LastGood& kept = *route.fallback->last_good;
      object["last_good"] = json::object{
          {"entries", kept.entries()}, {"bytes", kept.bytes()}, {"dropped", kept.dropped()}};
    }
    if (route.flights) {
      object["single_flight"] =
          json::object{{"flights", route.flights->flights()}, {"joined", route.flights->joined()}};
    }
    routes.push_back(std::move(object));
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
  return {{"revision", parts.document.revision}, {"hash", parts.document.hash},
          {"source", parts.document.file},       {"rejected", std::move(rejected)},
          {"warnings", std::move(warnings)},     {"at_next_start", std::move(next)}};
}

/// Appends it with figures that a person reads: six digits of what is not whole, no exponent where
/// none is needed.
void Append(const json::value& value, std::string& out) {
  if (const double* number = value.if_double()) {
    const bool large = std::abs(*number) >= 999'999.5;  // what six digits would round to 1e+06
    out += large ? fmt::format("{:.0f}", *number) : fmt::format("{:.6g}", *number);
  } else if (const json::array* array = value.if_array()) {
    char before = '[';
    for (const json::value& item : *array) {
      out += std::exchange(before, ',');
      Append(item, out);
    }
    out += array->empty() ? "[]" : "]";
  } else if (const json::object* object = value.if_object()) {
    char before = '{';
    for (const auto& [key, item] : *object) {
      out.append(1, std::exchange(before, ',')).append(json::serialize(json::string(key)));
      out += ':';
      Append(item, out);
    }
    out += object->empty() ? "{}" : "}";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string StatusJson(const StatusParts& parts) {
  json::object services;
  for (const auto& [name, kept] : parts.routing.services()) {
    if (kept.left == kNever) services[name] = ServiceOf(*kept.object, parts.now);
  }
  const NodeOptions& node = parts.document.value.node;
  std::string text;
  Append(json::object{{"service", node.service},
                      {"zone", node.zone},
                      {"id", NodeId(node)},
                      {"uptime_seconds", Seconds(parts.now - parts.started)},
                      {"draining", parts.draining},
                      {"services", std::move(services)},
                      {"routes", RoutesOf(parts.routes, parts.now)}},
         text);
  text.back() = ',';
  text += "\"config\":";
  Append(ConfigOf(parts), text);
  text.back() = ',';
  // In its own words: not a digit less than what is in force.
  text += "\"effective\":";
  return text + config::DumpWithOrigins(parts.document.value, parts.document.origins) + "}}";
}

}  // namespace hale::host
