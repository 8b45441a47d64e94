#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hale/guard/call_policies.h"
#include "hale/mesh/forward.h"
#include "hale/mesh/service_options.h"
#include "hale/net/http_head.h"
#include "hale/policy/priority.h"

namespace hale::mesh {

/// What a request is worth: what it carries, or else what its route says. Pure.
constexpr policy::Priority PriorityOf(const Passport& passport, policy::Priority of_route) {
  return passport.priority.value_or(of_route);
}

/// Writes the route's priority into a request that carries none, for the next hop. What nobody has
/// said anything about stays unsaid, so that the next hop's own route may.
void StampPriority(net::RequestHead& request, const Passport& passport, policy::Priority of_route);

/// Of a request, what may put it into a partition of a bulkhead.
struct PartitionFacts {
  const net::Fields& fields;
  std::string_view route;
  policy::Priority priority;
};

/// The partition that `by` puts a request into; empty when nothing is said. A part of `facts`.
/// Pure.
std::string_view PartitionOf(std::string_view by, const PartitionFacts& facts);

}  // namespace hale::mesh
