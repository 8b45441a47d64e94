#include "hale/policy/narrow.h"

#include <algorithm>
#include <set>

namespace hale::policy {

Narrowed Narrow(std::span<const Place> places, const std::vector<bool>& used,
                const Narrowing& narrowing) {
  const std::size_t count = places.size();
  std::vector<Place> in(places.begin(), places.end());
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) in[i].weight = 0;
  }
  const std::vector<double> groups = GroupShares(in, narrowing.priority);
  const bool grouped = !narrowing.priority.metadata.empty();
  std::set<std::uint32_t> numbers;
  for (const Place& place : in) numbers.insert(grouped ? place.group : 0);

  Narrowed narrowed{.factors = std::vector<double>(count)};
  double all = 0;
  double local = 0;
  double first = 0;
  for (const std::uint32_t number : numbers) {
    std::vector<Place> members;
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < count; ++i) {
      if (grouped && in[i].group != number) continue;
      members.push_back(in[i]);
      index.push_back(i);
    }
    const auto shares = ZoneShares(members, narrowing.zone, narrowing.own_zone);
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::size_t i = index[m];
      const double calls = shares[m] * groups[i];
      if (calls <= 0) continue;
      narrowed.factors[i] = calls / in[i].weight;
      all += calls;
      if (in[i].zone == narrowing.own_zone) local += calls;
      if (number == *numbers.begin()) first += calls;
    }
  }
  const double most = count == 0 ? 0 : *std::ranges::max_element(narrowed.factors);
  if (most <= 0) return {.factors = std::vector<double>(count, 1.0)};
  // Weights that differ leave traces of rounding.
  constexpr double kWhole = 1 - 1e-9;
  for (std::size_t i = 0; i < count; ++i) {
    double& factor = narrowed.factors[i];
    // Who is left out is kept away by its verdict; where that lets a probe through, it must come.
    const bool probed = !in[i].usable && in[i].weight > 0;
    factor = probed || factor / most > kWhole ? 1 : factor / most;
    if (factor < 1) narrowed.narrow = true;
  }
  narrowed.local = local / all;
  narrowed.first = first / all;
  return narrowed;
}

}  // namespace hale::policy
