#include "hale/policy/subset.h"

#include <algorithm>
#include <numeric>

namespace hale::policy {

std::vector<bool> Subset(std::span<const std::uint64_t> ids, const SubsetOptions& options,
                         std::uint64_t node) {
  const std::size_t count = ids.size();
  if (options.size == 0 || options.size >= count) return std::vector<bool>(count, true);
  std::vector<std::size_t> ring(count);
  std::iota(ring.begin(), ring.end(), std::size_t{0});
  std::ranges::sort(ring, [&](std::size_t a, std::size_t b) {
    return ids[a] != ids[b] ? ids[a] < ids[b] : a < b;
  });

  const auto scaled = [&](std::uint64_t part, std::uint64_t whole) {
    return static_cast<std::size_t>(static_cast<unsigned __int128>(part) * count / whole);
  };
  const std::size_t start = options.clients > 0
                                ? scaled(options.client % options.clients, options.clients)
                                : scaled(node >> 32, std::uint64_t{1} << 32);
  std::vector<bool> used(count);
  for (std::size_t i = 0; i < options.size; ++i) used[ring[(start + i) % count]] = true;
  return used;
}

}  // namespace hale::policy
