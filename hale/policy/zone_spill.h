#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/policy/place.h"

namespace hale::policy {

enum class ZonePreference : std::uint8_t {
  kNone,  ///< zones count for nothing
  kOwn,   ///< calls stay in the zone of this process while it has room
};

constexpr auto Names(Type<ZonePreference>) {
  return std::array{Name<ZonePreference>{"none", ZonePreference::kNone},
                    Name<ZonePreference>{"own", ZonePreference::kOwn}};
}

struct ZoneOptions {
  ZonePreference prefer = ZonePreference::kNone;
  double share = 0;  ///< [0, 1] of all calls to the service, made in this zone; 0: each the same

  friend bool operator==(const ZoneOptions&, const ZoneOptions&) = default;
};

constexpr auto Fields(Type<ZoneOptions>) {
  using O = ZoneOptions;
  return std::tuple{
      Field{"prefer", &O::prefer, "none, or own: stay in node.zone while it has room"},
      Field{"share", &O::share, 0.0, 1.0,
            "of all calls to the service, made in this zone; 0: as many as in each other"}};
}
constexpr std::string_view Shorthand(Type<ZoneOptions>) { return "prefer"; }

/// How the calls of a process in zone `own` are divided: for each place a share, together 1, or all
/// 0 when none is usable. They stay in the zone while it has its share of the usable weight; if it
/// has less, so many stay as it has, and the rest is spilled over zones that have more than their
/// own calls need, in proportion to what they have over (Envoy's zone aware routing). So each
/// instance of the service gets the same, and a zone whose instances are all gone is served by the
/// others. Pure.
std::vector<double> ZoneShares(std::span<const Place> places, const ZoneOptions& options,
                               std::string_view own);

}  // namespace hale::policy
