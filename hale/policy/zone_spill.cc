#include "hale/policy/zone_spill.h"

#include <algorithm>
#include <map>

namespace hale::policy {
namespace {

/// A zone's usable weight, what share of all that is, and its share of the calls to be divided.
struct Zone {
  double weight = 0;
  double capacity = 0;
  double calls = 0;
};

using Zones = std::map<std::string_view, Zone>;

double Usable(const Place& place) { return place.usable ? std::max(0.0, place.weight) : 0; }

void Divide(Zones& zones, const ZoneOptions& options, std::string_view own) {
  const auto count = static_cast<double>(zones.size());
  const double here = options.share > 0 ? options.share : 1 / count;
  Zone& local = zones[own];
  local.calls = std::min(1.0, local.capacity / here);
  const double rest = 1 - local.calls;
  if (rest <= 0) return;

  const double elsewhere = count > 1 ? (1 - here) / (count - 1) : 0;  // calls made in each other
  double over = 0;
  double others = 0;
  for (const auto& [name, zone] : zones) {
    if (name == own) continue;
    over += std::max(0.0, zone.capacity - elsewhere);
    others += zone.capacity;
  }
  for (auto& [name, zone] : zones) {
    if (name == own) continue;
    const double part =
        over > 0 ? std::max(0.0, zone.capacity - elsewhere) / over : zone.capacity / others;
    zone.calls = rest * part;
  }
}

}  // namespace

std::vector<double> ZoneShares(std::span<const Place> places, const ZoneOptions& options,
                               std::string_view own) {
  double all = 0;
  Zones zones;
  for (const Place& place : places) {
    zones[place.zone].weight += Usable(place);
    all += Usable(place);
  }
  std::vector<double> shares(places.size());
  if (all <= 0) return shares;
  for (auto& [name, zone] : zones) zone.capacity = zone.weight / all;

  const bool aware = options.prefer == ZonePreference::kOwn && !own.empty() && zones.contains(own);
  if (aware) {
    Divide(zones, options, own);
  } else {
    for (auto& [name, zone] : zones) zone.calls = zone.capacity;
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Zone& zone = zones[places[i].zone];
    if (zone.weight > 0) shares[i] = zone.calls * Usable(places[i]) / zone.weight;
  }
  return shares;
}

}  // namespace hale::policy
