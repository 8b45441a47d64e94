#include "hale/policy/maglev.h"

#include <algorithm>
#include <cmath>

#include "hale/policy/keyed_hash.h"

namespace hale::policy {
namespace {

/// Where an instance's own order of the slots stands, and how often it has had its turn.
struct Turn {
  std::uint64_t slot;
  std::uint64_t skip;
  double weight;  // of the heaviest
  double due = 0;
  std::uint16_t index;
};

}  // namespace

std::uint64_t MaglevId(std::string_view text) {
  constexpr HashSecret kCommon{0x68616c652e6d6167, 0x6c65762e6b657973};  // "hale.mag" "lev.keys"
  return KeyedHash(text, kCommon);
}

MaglevTable::MaglevTable(std::span<const MaglevEntry> entries, std::uint32_t slots) {
  double heaviest = 0;
  std::vector<Turn> turns;
  for (std::size_t i = 0; i < std::min(entries.size(), kMostEntries); ++i) {
    if (entries[i].weight <= 0) continue;
    heaviest = std::max(heaviest, entries[i].weight);
    const std::uint64_t id = entries[i].id;
    turns.push_back({.slot = (id >> 32) % slots,
                     .skip = (id & 0xffffffff) % (slots - 1) + 1,
                     .weight = entries[i].weight,
                     .index = static_cast<std::uint16_t>(i)});
  }
  if (turns.empty()) return;
  for (Turn& turn : turns) turn.weight /= heaviest;

  constexpr std::uint16_t kFree = 0xffff;
  slots_.assign(slots, kFree);
  for (std::uint32_t filled = 0; filled < slots;) {
    for (Turn& turn : turns) {
      // In each round the heaviest takes one slot, who has a third of its weight one in three.
      turn.due += turn.weight;
      if (turn.due < 1 && turn.weight < 1) continue;
      turn.due -= 1;
      while (slots_[turn.slot] != kFree) turn.slot = (turn.slot + turn.skip) % slots;
      slots_[turn.slot] = turn.index;
      if (++filled == slots) break;
    }
  }
}

std::uint32_t BoundedLoad(double bound, std::uint64_t all, double share) {
  const double fair = bound * static_cast<double>(all + 1) * share;
  constexpr double kMost = 4e9;
  return std::max(kNeverFull, static_cast<std::uint32_t>(std::min(kMost, std::ceil(fair))));
}

}  // namespace hale::policy
