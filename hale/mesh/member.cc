#include "hale/mesh/member.h"

#include <algorithm>

namespace hale::mesh {

Member::Member(const cluster::Instance& instance, const ServiceOptions& options,
               policy::CircuitBreakerContext context)
    : Target(
          options.breaker,
          [&] {
            context.instance = instance.address;
            return std::move(context);
          }(),
          options.connections),
      connections_(options.connections) {
  const auto numeric = net::Address::Parse(address());
  named_ = !numeric;
  if (numeric) place_.With([&](auto& place) { place = *numeric; });
}

void Member::OnPlaces(std::span<const net::Address> places) {
  if (!named_ || places.empty()) return;
  place_.With([&](std::optional<net::Address>& place) {
    if (place && std::ranges::find(places, *place) != places.end()) return;
    const bool moved = place.has_value();
    place = places.front();
    // Release: who sees the move sees the place.
    if (moved) moves_.fetch_add(1, std::memory_order_release);
  });
}

void Member::Apply(const ServiceOptions& options, Duration hung_after, TimePoint now) {
  policy::CircuitBreakerOptions circuit = options.breaker;
  circuit.hung_after = hung_after;
  breaker().Apply(circuit, now);
  load().Apply(options.connections);
  connections_.Apply(options.connections);
}

}  // namespace hale::mesh
