#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/policy/priority_groups.h"
#include "hale/policy/subset.h"
#include "hale/policy/zone_spill.h"

namespace hale::policy {

enum class BalanceKind : std::uint8_t {
  kP2c,           ///< the better of two drawn at random, by cost, calls in flight and weight
  kRoundRobin,    ///< one after another, whatever their weight
  kWeighted,      ///< one after another in proportion to their weight, interleaved
  kLeastRequest,  ///< the one with the fewest calls in flight for its weight
  kMaglev,        ///< the one that the call's key belongs to, while that is not overloaded
};

constexpr auto Names(Type<BalanceKind>) {
  return std::array{Name<BalanceKind>{"p2c", BalanceKind::kP2c},
                    Name<BalanceKind>{"round_robin", BalanceKind::kRoundRobin},
                    Name<BalanceKind>{"weighted", BalanceKind::kWeighted},
                    Name<BalanceKind>{"least_request", BalanceKind::kLeastRequest},
                    Name<BalanceKind>{"maglev", BalanceKind::kMaglev}};
}

/// What is done with the load that instances report.
enum class Reports : std::uint8_t {
  kIgnore,
  kUse,  ///< who says that it is twice as loaded costs twice as much
};

constexpr auto Names(Type<Reports>) {
  return std::array{Name<Reports>{"ignore", Reports::kIgnore}, Name<Reports>{"use", Reports::kUse}};
}

struct BalanceOptions {
  BalanceKind kind = BalanceKind::kP2c;
  Duration slow_start = std::chrono::seconds(10);  ///< ramp of who joins or returns; 0: none
  std::string key = {};                            ///< maglev: what calls are told apart by
  double bound = 1.25;  ///< > 1, maglev: calls at one instance, of its fair share at most
  Reports reports = Reports::kIgnore;
  SubsetOptions subset = {};
  ZoneOptions zone = {};
  PriorityOptions priority = {};

  friend bool operator==(const BalanceOptions&, const BalanceOptions&) = default;
};

constexpr auto Fields(Type<BalanceOptions>) {
  using O = BalanceOptions;
  return std::tuple{
      Field{"kind", &O::kind, "p2c, round_robin, weighted, least_request or maglev"},
      Field{"slow_start", &O::slow_start, 0ms, 1h, "ramp of an instance that joins or returns"},
      Field{"key", &O::key, "maglev: client_ip, header:NAME or cookie:NAME"},
      Field{"bound", &O::bound, 1.01, 100.0,
            "maglev: an instance's load, of its fair share at most"},
      Field{"reports", &O::reports, "ignore or use what instances say in hale-load"},
      Field{"subset", &O::subset, "how many of the instances this process calls"},
      Field{"zone", &O::zone, "whether calls stay in the zone of this process"},
      Field{"priority", &O::priority, "groups of instances that are used one after another"}};
}
constexpr std::string_view Shorthand(Type<BalanceOptions>) { return "kind"; }

}  // namespace hale::policy
