#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "hale/base/time.h"
#include "hale/policy/lanes.h"

namespace hale::policy {

/// Half windows of 5 s, told apart by a number that comes round after 91 hours. A value.
class HalfWindow {
 public:
  explicit constexpr HalfWindow(std::uint16_t number) : number_(number) {}
  explicit constexpr HalfWindow(TimePoint now)
      : number_(static_cast<std::uint16_t>(now.time_since_epoch() / kLength)) {}

  constexpr std::uint16_t number() const { return number_; }
  constexpr HalfWindow before() const {
    return HalfWindow(static_cast<std::uint16_t>(number_ - 1));
  }
  /// How many it is after another one; 0 also when it is up to a minute before that, since a clock
  /// that is a little behind, as another loop's may be, turns nothing back.
  constexpr std::uint16_t After(HalfWindow other) const {
    const auto passed = static_cast<std::uint16_t>(number_ - other.number_);
    constexpr std::uint16_t kBehind = 0xffff - 12;
    return passed > kBehind ? 0 : passed;
  }
  friend constexpr bool operator==(HalfWindow, HalfWindow) = default;

 private:
  static constexpr Duration kLength = 5s;
  std::uint16_t number_;
};

/// What the requests of one thread, or of many, have deposited in each of the last two half
/// windows, and how much of that has been brought to where it is spent. One cache line.
/// Thread-safe.
class alignas(64) DepositLane {
 public:
  explicit DepositLane(Writers writers) : alone_(writers == Writers::kOne) {}

  /// Deposits in `half`; by a clock that is behind, in the later one that its cell has begun. True:
  /// it is the first there.
  bool Add(HalfWindow half, std::uint32_t amount) {
    std::atomic<std::uint64_t>& cell = given_[half.number() % 2];
    std::uint64_t word = cell.load(std::memory_order_relaxed);
    while (true) {
      const bool first = word == 0 || half.After(HalfOf(word)) != 0;
      const std::uint64_t next = (first ? Nothing(half) : word) + amount;
      if (alone_) {
        cell.store(next, std::memory_order_relaxed);
        return first;
      }
      if (cell.compare_exchange_weak(word, next, std::memory_order_relaxed)) return first;
    }
  }
  /// What has been deposited in `half` and not been brought yet. It is the caller's, who brings it.
  std::uint64_t Bring(HalfWindow half) {
    const std::uint64_t given = given_[half.number() % 2].load(std::memory_order_relaxed);
    std::atomic<std::uint64_t>& cell = brought_[half.number() % 2];
    std::uint64_t word = cell.load(std::memory_order_relaxed);
    std::uint64_t missing = 0;
    do {
      missing = Missing(half, given, word);
    } while (missing != 0 && !cell.compare_exchange_weak(word, given, std::memory_order_relaxed));
    return missing;
  }
  /// The same, left where it is.
  std::uint64_t Unbrought(HalfWindow half) const {
    return Missing(half, given_[half.number() % 2].load(std::memory_order_relaxed),
                   brought_[half.number() % 2].load(std::memory_order_relaxed));
  }

 private:
  // A cell: 16 bits of a half window's number, 48 of an amount.
  static constexpr std::uint32_t kBits = 48;
  static std::uint64_t Nothing(HalfWindow half) { return std::uint64_t{half.number()} << kBits; }
  static HalfWindow HalfOf(std::uint64_t word) {
    return HalfWindow(static_cast<std::uint16_t>(word >> kBits));
  }
  /// Another thread may have brought more than was read here, or of a later half window.
  static std::uint64_t Missing(HalfWindow half, std::uint64_t given, std::uint64_t brought) {
    if (HalfOf(given) != half) return 0;
    if (HalfOf(brought) == half) return given - std::min(given, brought);
    const bool later = brought != 0 && half.After(HalfOf(brought)) == 0;
    return later ? 0 : given - Nothing(half);
  }

  const bool alone_;
  std::array<std::atomic<std::uint64_t>, 2> given_{};
  std::array<std::atomic<std::uint64_t>, 2> brought_{};
};

}  // namespace hale::policy
