#include "hale/host/routing.h"

namespace hale::host {
namespace {

constexpr Duration kRemembered = std::chrono::minutes(10);

template <class T>
void MarkAllLeft(std::map<std::string, Routing::Kept<T>>& all, TimePoint now) {
  for (auto& [key, kept] : all) {
    if (kept.left == kNever) kept.left = now;
  }
}

template <class T>
void Forget(std::map<std::string, Routing::Kept<T>>& all, TimePoint now) {
  std::erase_if(all, [&](const auto& entry) {
    return entry.second.left != kNever && now - entry.second.left > kRemembered;
  });
}

std::string NameOf(const mesh::RouteOptions& route) {
  return route.name.empty() ? route.match.path : route.name;
}

}  // namespace

mesh::RouteTable Routing::Apply(const Document& document) {
  const TimePoint now = ground_.control.Now();
  MarkAllLeft(services_, now);
  MarkAllLeft(limits_, now);

  for (const auto& [name, options] : document.services) {
    Kept<RunningService>& kept = services_[name];
    kept.left = kNever;
    if (kept.object) {
      kept.object->Apply(options);
    } else {
      kept.object = std::make_shared<RunningService>(name, options, ground_);
    }
  }
  for (auto& [name, kept] : services_) {
    if (kept.left == now) kept.object->Rest();
  }
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
                      .metrics = &metrics_.Route(name)});
  }
  return mesh::RouteTable(std::move(routes));
}

mesh::RouteLimits Routing::LimitsOf(const mesh::RouteOptions& route, const std::string& name,
                                    TimePoint now) {
  std::vector<std::shared_ptr<mesh::RouteLimit>> limits;
  std::map<std::string, int> seen;
  for (const mesh::LimitOptions& options : route.limit) {
    // What a limit counts is its identity; its rate is not.
    const std::string by = options.by + "/" + std::to_string(options.max_keys);
    std::string key = name;
    key.append(" ").append(by).append(" ").append(std::to_string(seen[by]++));
    Kept<mesh::RouteLimit>& kept = limits_[key];
    kept.left = kNever;
    if (kept.object) {
      kept.object->Apply(options, now);
    } else {
      kept.object = std::make_shared<mesh::RouteLimit>(options, name, ground_.events,
                                                       ground_.control.clock());
    }
    limits.push_back(kept.object);
  }
  return mesh::RouteLimits(std::move(limits));
}

void Routing::Judge() {
  const TimePoint now = ground_.control.Now();
  Forget(services_, now);
  Forget(limits_, now);
  for (auto& [name, kept] : services_) {
    if (kept.left == kNever) kept.object->Judge();
  }
}

}  // namespace hale::host
