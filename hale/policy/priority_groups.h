#pragma once

#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/policy/place.h"

namespace hale::policy {

struct PriorityOptions {
  std::string metadata =
      {};                  ///< the word of an instance's metadata that names its group; empty: off
  double threshold = 0.7;  ///< (0, 1]: with less of its weight usable, a group spills over

  friend bool operator==(const PriorityOptions&, const PriorityOptions&) = default;
};

constexpr auto Fields(Type<PriorityOptions>) {
  using O = PriorityOptions;
  return std::tuple{Field{"metadata", &O::metadata,
                          "the word of the metadata with the group, 0 first; empty: off"},
                    Field{"threshold", &O::threshold, 0.01, 1.0,
                          "a group with less of its weight usable spills over into the next"}};
}
constexpr std::string_view Shorthand(Type<PriorityOptions>) { return "metadata"; }

/// The number in a group's word; whatever is none counts as `last`. Pure.
std::uint32_t ParseGroup(std::string_view word);
inline constexpr std::uint32_t kLastGroup = 1'000'000;

/// What part of the calls goes to each place's group, together with its group. A group takes all
/// that is left while `threshold` of its weight is usable, and usable ÷ threshold of the whole when
/// it is less; the next group takes the rest. When all together can take less than the whole, each
/// takes in proportion (Envoy's priority levels, whose overprovisioning factor 1.4 is threshold
/// 0.71). A group that is left out whole comes back by itself. Pure.
std::vector<double> GroupShares(std::span<const Place> places, const PriorityOptions& options);

}  // namespace hale::policy
