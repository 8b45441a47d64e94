#include "hale/policy/throttle_lane.h"

#include <algorithm>

namespace hale::policy {
namespace {

constexpr int kStampBits = 20;  // comes round in twelve days
constexpr int kCountBits = 22;
constexpr std::uint64_t kMost = (std::uint64_t{1} << kCountBits) - 1;
constexpr std::uint64_t kMostHeld = (std::uint64_t{1} << (2 * kCountBits)) - 1;

/// The upper bits of a cell of that second. A cell that was never used seems to hold nothing of
/// some second, which is true.
std::uint64_t Stamp(std::int64_t second) {
  return static_cast<std::uint64_t>(second) & ((std::uint64_t{1} << kStampBits) - 1);
}

std::uint64_t Begun(std::uint64_t word, std::uint64_t stamp) {
  const std::uint64_t fresh = stamp << (2 * kCountBits);
  return (word >> (2 * kCountBits)) == stamp ? word : fresh;
}

}  // namespace

std::int64_t ThrottleLane::Second(TimePoint at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

template <class Step>
void ThrottleLane::Change(Cell& cell, Step step) {
  std::uint64_t word = cell.load(std::memory_order_relaxed);
  if (alone_) {
    cell.store(step(word), std::memory_order_relaxed);
    return;
  }
  while (!cell.compare_exchange_weak(word, step(word), std::memory_order_relaxed)) {
  }
}

void ThrottleLane::Sent(std::int64_t second, bool taken) {
  Change(sent_[Slot(second)], [stamp = Stamp(second), taken](std::uint64_t word) {
    word = Begun(word, stamp);
    // Four million in a second are as good as more: then both figures stay.
    if (((word >> kCountBits) & kMost) == kMost) return word;
    return word + (std::uint64_t{1} << kCountBits) + (taken ? 1 : 0);
  });
}

void ThrottleLane::Held(std::int64_t second) {
  Change(held_[Slot(second)], [stamp = Stamp(second)](std::uint64_t word) {
    word = Begun(word, stamp);
    return (word & kMostHeld) == kMostHeld ? word : word + 1;
  });
}

ThrottleCounts ThrottleLane::Read(std::int64_t second) const {
  const std::uint64_t stamp = Stamp(second);
  const std::uint64_t sent = Begun(sent_[Slot(second)].load(std::memory_order_relaxed), stamp);
  const std::uint64_t held = Begun(held_[Slot(second)].load(std::memory_order_relaxed), stamp);
  return {.sent = (sent >> kCountBits) & kMost, .taken = sent & kMost, .held = held & kMostHeld};
}

}  // namespace hale::policy
