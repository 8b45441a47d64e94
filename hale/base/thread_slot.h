#pragma once

#include <cstdint>

namespace hale {

/// A small number that belongs to the calling thread alone until it ends, the lowest that is free
/// when it first asks: for counters of which each has one writer. What its last owner wrote is seen
/// by the next one. Beyond kThreadSlots threads all further ones share kThreadSlots. Thread-safe.
inline constexpr std::uint32_t kThreadSlots = 64;

namespace internal {
inline constexpr std::uint32_t kNoThreadSlot = ~std::uint32_t{0};
extern thread_local constinit std::uint32_t thread_slot;
std::uint32_t TakeThreadSlot();
}  // namespace internal

inline std::uint32_t ThreadSlot() {
  const std::uint32_t slot = internal::thread_slot;
  return slot != internal::kNoThreadSlot ? slot : internal::TakeThreadSlot();
}

}  // namespace hale
