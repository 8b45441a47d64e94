#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hale::policy {

/// One instance that keys are spread over.
struct MaglevEntry {
  std::uint64_t id = 0;  ///< MaglevId of its address
  double weight = 1;     ///< [0, …); 0 takes no keys
};

/// What a key or an address is in a table: the same in each process, so that all gateways send a
/// key to the same instance. Whoever makes keys up can make them meet; the bound on loads is what
/// stands against it. Pure.
std::uint64_t MaglevId(std::string_view text);

/// Which instance a key belongs to: a table of a prime number of slots that instances fill by
/// turns, each in an order of its own (D. Eisenbud et al., "Maglev: A Fast and Reliable Software
/// Network Load Balancer", NSDI 2016, §3.4). Shares follow the weights within a percent up to some
/// 600 instances, and when one comes or goes few keys move but those that must. A value of 128 KiB,
/// worked out in some milliseconds where the set changes, never where a call is. Pure.
class MaglevTable {
 public:
  static constexpr std::uint32_t kSlots = 65537;
  static constexpr std::size_t kMostEntries = 65535;  // beyond, the rest takes no keys

  MaglevTable() = default;
  /// The order of the entries must not change from one table to the next: sort them.
  explicit MaglevTable(std::span<const MaglevEntry> entries, std::uint32_t slots = kSlots);

  bool empty() const { return slots_.empty(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(slots_.size()); }
  /// Where the search for a key begins.
  std::uint32_t SlotOf(std::uint64_t key) const {
    return static_cast<std::uint32_t>(key % slots_.size());
  }
  std::uint32_t Next(std::uint32_t slot) const { return slot + 1 == size() ? 0 : slot + 1; }
  /// Whose slot it is: an index into the entries.
  std::uint32_t At(std::uint32_t slot) const { return slots_[slot]; }

 private:
  std::vector<std::uint16_t> slots_;
};

/// How many calls may be in flight at an instance that has `share` of all weight while `all` are in
/// flight, with one more to place: ⌈bound × (all + 1) × share⌉ (V. Mirrokni, M. Thorup,
/// M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018), yet never below
/// kNeverFull, so that a quiet service keeps its keys where they are. Pure.
std::uint32_t BoundedLoad(double bound, std::uint64_t all, double share);

/// Nobody is overloaded by so few.
inline constexpr std::uint32_t kNeverFull = 4;

}  // namespace hale::policy
