#include "hale/base/thread_slot.h"

#include <atomic>
#include <bit>

namespace hale {
namespace {

constinit std::atomic<std::uint64_t> taken{0};  // a bit a slot

/// Gives the slot back when its thread ends.
class Owner {
 public:
  Owner() {
    std::uint64_t now = taken.load(std::memory_order_relaxed);
    do {
      slot_ = static_cast<std::uint32_t>(std::countr_one(now));
      // Acquire: what the last owner counted is here.
    } while (slot_ < kThreadSlots &&
             !taken.compare_exchange_weak(now, now | Bit(slot_), std::memory_order_acquire,
                                          std::memory_order_relaxed));
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    // Release: to the next owner.
    if (slot_ < kThreadSlots) taken.fetch_and(~Bit(slot_), std::memory_order_release);
  }
  std::uint32_t slot() const { return slot_; }

 private:
  static std::uint64_t Bit(std::uint32_t slot) { return std::uint64_t{1} << slot; }
  std::uint32_t slot_ = 0;
};

}  // namespace

namespace internal {

// Beside the owner, since a plain number is read without asking whether it has been constructed.
thread_local constinit std::uint32_t thread_slot = kNoThreadSlot;

std::uint32_t TakeThreadSlot() {
  thread_local const Owner owner;
  return thread_slot = owner.slot();
}

}  // namespace internal
}  // namespace hale
