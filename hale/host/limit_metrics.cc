#include "hale/host/limit_metrics.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "hale/base/event.h"

namespace hale::host {

void SampleLimits(const mesh::RouteTable& table, telemetry::SampleSink& sink) {
  struct Decided {
    std::uint64_t refused = 0;
    std::uint64_t would_refuse = 0;
  };
  std::map<std::tuple<mesh::LimitOf, std::string_view, std::size_t, std::string_view>, Decided> all;
  // Each once: one of a service is at all routes to it.
  std::set<const mesh::RouteLimit*> seen;
  const auto add = [&](const mesh::RouteLimits& list) {
    for (const auto& [limit, of, place, which] : list.limits()) {
      if (!seen.insert(limit.get()).second) continue;
      Decided& decided = all[{of, limit->owner(), place, limit->options().by}];
      decided.refused += limit->refused();
      decided.would_refuse += limit->would_refuse();
    }
  };
  for (const mesh::Route& route : table.routes()) {
    add(route.limits);
    if (route.fallback) add(route.fallback->limits);
  }
  for (const auto& [limit, decided] : all) {
    const auto& [of, owner, place, by] = limit;
    const bool routes = of == mesh::LimitOf::kRoute;
    const std::string_view route = routes ? owner : std::string_view();
    const std::string_view service = routes ? std::string_view() : owner;
    const std::string number = std::to_string(place);
    const auto tell = [&](EventKind kind, std::uint64_t count) {
      sink.Sample({route, service, number, by, Word(kind)}, static_cast<double>(count));
    };
    tell(EventKind::kRefused, decided.refused);
    tell(EventKind::kWouldRefuse, decided.would_refuse);
  }
}

}  // namespace hale::host
