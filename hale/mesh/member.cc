#include "hale/mesh/member.h"

namespace hale::mesh {
namespace {

/// In a set the balancer ramps who returns: it gives it less without refusing a call, which a ramp
/// of the breaker would do when all instances return at once.
policy::CircuitBreakerOptions WithoutRamp(policy::CircuitBreakerOptions options) {
  options.ramp = Duration::zero();
  return options;
}

}  // namespace

Member::Member(const cluster::Instance& instance, const ServiceOptions& options,
               policy::CircuitBreakerContext context)
    : Target(WithoutRamp(options.breaker),
             [&] {
               context.instance = instance.address;
               return std::move(context);
             }()),
      connections_(options.connections) {}

void Member::Apply(const ServiceOptions& options, TimePoint now) {
  breaker().Apply(WithoutRamp(options.breaker), now);
  connections_.Apply(options.connections);
}

}  // namespace hale::mesh
