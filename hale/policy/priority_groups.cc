#include "hale/policy/priority_groups.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace hale::policy {
namespace {

struct Group {
  double weight = 0;
  double usable = 0;
  double calls = 0;
};

}  // namespace

std::uint32_t ParseGroup(std::string_view word) {
  std::uint32_t group = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), group);
  const bool whole = error == std::errc() && end == word.data() + word.size() && !word.empty();
  return whole ? std::min(group, kLastGroup) : kLastGroup;
}

std::vector<double> GroupShares(std::span<const Place> places, const PriorityOptions& options) {
  if (options.metadata.empty()) return std::vector<double>(places.size(), 1.0);
  std::map<std::uint32_t, Group> groups;
  for (const Place& place : places) {
    Group& group = groups[place.group];
    group.weight += std::max(0.0, place.weight);
    if (place.usable) group.usable += std::max(0.0, place.weight);
  }
  double left = 1;
  for (auto& [number, group] : groups) {
    if (group.usable <= 0) continue;
    const double takes = std::min(1.0, group.usable / group.weight / options.threshold);
    group.calls = std::min(left, takes);
    left -= group.calls;
  }
  std::vector<double> shares;
  for (const Place& place : places) {
    shares.push_back(left < 1 ? groups[place.group].calls / (1 - left) : 0);
  }
  return shares;
}

}  // namespace hale::policy
