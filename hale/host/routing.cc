#include "hale/host/routing.h"

#include "hale/host/names.h"

namespace hale::host {

mesh::RouteTable Routing::Apply(const Document& document) {
  const TimePoint now = ground_.control.Now();
  MarkAllLeft(services_, now);
  MarkAllLeft(limits_, now);
  memory_.Begin(now);
  service_limits_.clear();

  for (const auto& [name, options] : document.services) {
    Kept<RunningService>& kept = services_[name];
    kept.left = kNever;
    if (kept.object) {
      kept.object->Apply(options);
    } else {
      kept.object = std::make_shared<RunningService>(name, options, ground_);
    }
    service_limits_[name] = Limits(options.limit, {name, "service " + name}, now);
  }
  for (auto& [name, kept] : services_) {
    if (kept.left == now) kept.object->Rest();
  }
  ShareOut();
  const auto secret = policy::HashSecret::Draw(ThreadRandom());
  std::vector<mesh::Route> routes;
  routes.reserve(document.routes.size());
  for (const mesh::RouteOptions& options : document.routes) {
    const std::string name = NameOf(options);
    const auto& service = services_.at(options.service).object->service();
    routes.push_back({.options = options,
                      .name = name,
                      .service = service,
                      .service_options = service->options(),
                      .limits = LimitsOf(options, name, now),
                      .fair = mesh::FairKey(options.fair_by, secret),
                      .fallback = FallbackOf(options, name),
                      .flights = memory_.FlightsOf(options, name),
                      .metrics = &metrics_.Route(name)});
  }
  return mesh::RouteTable(std::move(routes));
}

/// The limits of a route or service, each the same object as long as it is the same limit.
std::vector<std::shared_ptr<mesh::RouteLimit>> Routing::Limits(
    const std::vector<mesh::LimitOptions>& list, const Owner& owner, TimePoint now) {
  std::vector<std::shared_ptr<mesh::RouteLimit>> limits;
  std::map<std::string, int> seen;
  for (const mesh::LimitOptions& options : list) {
    const std::string identity = mesh::LimitIdentity(options);
    std::string key = owner.identity;
    key.append(" ").append(identity).append(" ").append(std::to_string(seen[identity]++));
    Kept<mesh::RouteLimit>& kept = limits_[key];
    kept.left = kNever;
    if (kept.object) {
      kept.object->Apply(options, now);
    } else {
      kept.object = std::make_shared<mesh::RouteLimit>(options, owner.name, ground_.events,
                                                       ground_.control.clock());
    }
    limits.push_back(kept.object);
  }
  return limits;
}

/// A route's own come first: who is refused by them leaves those of the service alone. Routes may
/// share a name, which tells none of them apart, and a limit tells its events by the one it has.
mesh::RouteLimits Routing::LimitsOf(const mesh::RouteOptions& route, const std::string& name,
                                    TimePoint now) {
  return mesh::RouteLimits(
      Limits(route.limit, {name, "route " + name + "\n" + RouteIdentity(route)}, now),
      service_limits_.at(route.service));
}

std::shared_ptr<const mesh::RouteFallback> Routing::FallbackOf(const mesh::RouteOptions& route,
                                                               const std::string& name) {
  const mesh::RouteFallbackOptions& options = route.fallback;
  auto last_good = memory_.LastGoodOf(route, name);
  if (!mesh::GivesAnything(options)) return nullptr;
  mesh::RouteFallback fallback{.options = options,
                               .rule = policy::FallbackRule(mesh::ToRule(options)),
                               .last_good = std::move(last_good)};
  if (!options.service.empty()) {
    fallback.service = services_.at(options.service).object->service();
    fallback.service_options = fallback.service->options();
    fallback.limits = mesh::RouteLimits({}, service_limits_.at(options.service));
  }
  return std::make_shared<const mesh::RouteFallback>(std::move(fallback));
}

void Routing::Judge() {
  const TimePoint now = ground_.control.Now();
  ForgetOld(services_, now);
  ForgetOld(limits_, now);
  memory_.Forget(now);
  for (auto& [name, kept] : services_) {
    if (kept.left == kNever) kept.object->Judge();
  }
  ShareOut();
}

/// What each process has for itself is multiplied by the processes, so it is shared among those
/// that discovery knows. Who is not alive counts too: a share that is too small does no harm.
void Routing::ShareOut() {
  const auto own = services_.find(fleet_);
  const bool known = own != services_.end() && own->second.left == kNever;
  const auto processes =
      known ? static_cast<std::uint32_t>(own->second.object->service()->members()->members.size())
            : 0;
  for (auto& [name, kept] : services_) kept.object->service()->SetFleet(processes);
}

}  // namespace hale::host
