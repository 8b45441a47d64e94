#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hale/policy/place.h"
#include "hale/policy/priority_groups.h"
#include "hale/policy/zone_spill.h"

namespace hale::policy {

/// What a set is narrowed by before a balancer picks from it.
struct Narrowing {
  const PriorityOptions& priority;
  const ZoneOptions& zone;
  std::string_view own_zone;
};

/// A set as it is narrowed.
struct Narrowed {
  /// For each instance a factor of its weight, [0, 1], the largest 1, and 1 for whoever of the
  /// subset is not usable: its verdict keeps calls away, and the probes of its breaker must come.
  /// When nobody is usable, or there is nothing to narrow by, all are 1.
  std::vector<double> factors;
  double local = 1;     ///< share of the calls that stays in the own zone
  double first = 1;     ///< share of the calls that goes to the first group there is
  bool narrow = false;  ///< some factor is not 1
};

/// Groups of priority first, then the zones within each. A narrowing prefers and forbids nothing: a
/// pick that finds nobody there takes whom it finds. `used` says who is in the subset; empty: all.
/// Run it when the set or its verdicts change, not at each pick. Pure.
Narrowed Narrow(std::span<const Place> places, const std::vector<bool>& used,
                const Narrowing& narrowing);

}  // namespace hale::policy
