#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "hale/base/field.h"

namespace hale::policy {

struct SubsetOptions {
  std::uint32_t size = 0;     ///< instances that this process calls; 0: all
  std::uint32_t client = 0;   ///< which of the fleet's processes this is, from 0
  std::uint32_t clients = 0;  ///< processes in the fleet; 0: not known, a place by the node's id

  friend bool operator==(const SubsetOptions&, const SubsetOptions&) = default;
};

constexpr auto Fields(Type<SubsetOptions>) {
  using O = SubsetOptions;
  return std::tuple{
      Field{"size", &O::size, 0, 1'000'000, "instances that this process calls; 0: all"},
      Field{"client", &O::client, 0, 10'000'000, "which process of the fleet this is, from 0"},
      Field{"clients", &O::clients, 0, 10'000'000,
            "processes in the fleet; 0: unknown, a place by the node's id"}};
}
constexpr std::string_view Shorthand(Type<SubsetOptions>) { return "size"; }

/// Which instances one client of a fleet uses, so that not each keeps connections to all of them
/// (B. Beyer et al., "Site Reliability Engineering", 2016, ch. 20). Instances stand on a ring in
/// the order of the hash of their address; client i of N takes `size` of them from ⌊i·n/N⌋ on. As
/// ⌊i·n/N⌋ is spread as evenly as can be, each instance has the same number of clients, one more or
/// less (the book's shuffled rounds leave some out when n is no multiple of the size). When an
/// instance comes or goes, a client exchanges at most two. With `clients` 0 the place is drawn from
/// `node`: even on average only. Neighbours on the ring are no neighbours by address, so that a
/// rolling restart does not take one client's whole subset.
///
/// `ids` are hashes of the addresses. True for those that are used. Pure.
std::vector<bool> Subset(std::span<const std::uint64_t> ids, const SubsetOptions& options,
                         std::uint64_t node);

}  // namespace hale::policy
