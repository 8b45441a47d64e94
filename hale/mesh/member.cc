#include "hale/mesh/member.h"

namespace hale::mesh {
Member::Member(const cluster::Instance& instance, const ServiceOptions& options,
               policy::CircuitBreakerContext context)
    : Target(options.breaker,
             [&] {
               context.instance = instance.address;
               return std::move(context);
             }()),
      connections_(options.connections) {}

void Member::Apply(const ServiceOptions& options, TimePoint now) {
  breaker().Apply(options.breaker, now);
  connections_.Apply(options.connections);
}

}  // namespace hale::mesh
