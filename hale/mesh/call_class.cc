#include "hale/mesh/call_class.h"

namespace hale::mesh {

void StampPriority(net::RequestHead& request, const Passport& passport, policy::Priority of_route) {
  if (passport.priority || of_route == policy::Priority::kCritical) return;
  request.fields.Set("hale-priority", Word(of_route));
}

std::string_view PartitionOf(std::string_view by, const PartitionFacts& facts) {
  using Kind = policy::PartitionKey::Kind;
  if (by.empty()) return {};
  const auto key = policy::ParsePartitionKey(by).value_or(policy::PartitionKey{});
  switch (key.kind) {
    case Kind::kPriority:
      return Word(facts.priority);
    case Kind::kRoute:
      return facts.route;
    case Kind::kHeader:
      return facts.fields.Find(key.header).value_or("");
    case Kind::kCall:  // no request's
    case Kind::kNone:
      break;
  }
  return {};
}

}  // namespace hale::mesh
