#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "hale/base/thread_slot.h"

namespace hale::policy {

/// Who counts in a lane: one thread, by a load and a store, or many, by atomic additions.
enum class Writers : std::uint8_t { kOne, kMany };

/// An `L` for each of the first eight threads that count something, and one that all further ones
/// share, so that who counts meets nobody. Each is made, by `L(Writers)`, at its first use. What
/// is read while others count is of about then. Thread-safe.
template <class L>
class Lanes {
 public:
  Lanes() = default;
  ~Lanes() {
    for (const auto& lane : lanes_) delete lane.load(std::memory_order_acquire);
  }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  L& Mine() {
    const std::size_t i = std::min<std::size_t>(ThreadSlot(), kOwn);
    L* const lane = lanes_[i].load(std::memory_order_acquire);
    return lane != nullptr ? *lane : Make(i);
  }

  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& each : lanes_) {
      // Acquire: of a lane that has just been made.
      if (const L* lane = each.load(std::memory_order_acquire)) visit(*lane);
    }
  }
  template <class Visit>
  void ForEach(Visit visit) {
    for (auto& each : lanes_) {
      if (L* lane = each.load(std::memory_order_acquire)) visit(*lane);
    }
  }

 private:
  static constexpr std::size_t kOwn = 8;  // a reader visits all of them

  L& Make(std::size_t i) {
    auto fresh = std::make_unique<L>(i < kOwn ? Writers::kOne : Writers::kMany);
    L* there = nullptr;
    // Release: a lane that is seen has been made.
    if (!lanes_[i].compare_exchange_strong(there, fresh.get(), std::memory_order_acq_rel)) {
      return *there;
    }
    return *fresh.release();
  }

  std::array<std::atomic<L*>, kOwn + 1> lanes_{};
};

}  // namespace hale::policy
