#include "hale/host/route_memory.h"

#include <string_view>

namespace hale::host {

std::string RouteIdentity(const mesh::RouteOptions& route) {
  std::string all = route.service;
  const auto add = [&](std::string_view part) { all.append(1, '\n').append(part); };
  add(route.match.host);
  add(route.match.path);
  for (const std::string& method : route.match.method) add(method);
  for (const auto& [field, value] : route.match.header) {
    add(field);
    add(value);
  }
  return all;
}

void RouteMemory::Begin(TimePoint now) {
  MarkAllLeft(last_good_, now);
  MarkAllLeft(flights_, now);
}

std::shared_ptr<policy::LastGood> RouteMemory::LastGoodOf(const mesh::RouteOptions& route,
                                                          const std::string& name) {
  const mesh::RouteFallbackOptions& options = route.fallback;
  if (!mesh::GivesAnything(options) || options.last_good.max_age <= Duration::zero()) {
    last_good_.erase(RouteIdentity(route));
    return nullptr;
  }
  Kept<policy::LastGood>& kept = last_good_[RouteIdentity(route)];
  kept.left = kNever;
  if (kept.object) {
    kept.object->Apply(mesh::ToLastGood(options.last_good));
  } else {
    kept.object = std::make_shared<policy::LastGood>(mesh::ToLastGood(options.last_good),
                                                     policy::LastGoodContext{name, events_});
  }
  return kept.object;
}

std::shared_ptr<policy::SingleFlight> RouteMemory::FlightsOf(const mesh::RouteOptions& route,
                                                             const std::string& name) {
  const mesh::RouteSingleFlightOptions& options = route.single_flight;
  Kept<policy::SingleFlight>& kept = flights_[RouteIdentity(route)];
  kept.left = kNever;
  if (kept.object) {
    kept.object->Apply(mesh::ToFlights(options));
  } else if (options.mode != policy::Mode::kOff) {
    kept.object = std::make_shared<policy::SingleFlight>(
        mesh::ToFlights(options), policy::SingleFlightContext{name, events_});
  }
  return kept.object;
}

void RouteMemory::Forget(TimePoint now) {
  ForgetOld(last_good_, now);
  ForgetOld(flights_, now);
}

}  // namespace hale::host
