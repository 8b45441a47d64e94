#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "hale/policy/circuit_breaker_window.h"
#include "hale/policy/lanes.h"

namespace hale::policy {

/// What a call through a closed circuit needs to know, in one word, so that it is of one moment:
/// the generation, the number of the newest bucket and what to do with calls. A value.
class CircuitEpoch {
 public:
  enum class Calls : std::uint8_t {
    kAsk,      ///< take the lock
    kCounted,  ///< the circuit is closed and does not ramp: count them in a lane
    kFree,     ///< the breaker is off
    kLocked,   ///< of a permit: taken under the lock, and so it is settled
  };
  /// So many of the newest buckets are counted in lanes.
  static constexpr std::uint32_t kBuckets = 4;

  CircuitEpoch() = default;
  explicit CircuitEpoch(std::uint64_t word) : word_(word) {}
  /// Buckets are told apart modulo 2^24: calls that are out while so many begin are taken for
  /// others.
  CircuitEpoch(std::uint32_t generation, std::uint32_t bucket, Calls calls)
      : word_((std::uint64_t{generation} << 32) | (std::uint64_t{bucket & 0xFF'FFFF} << 8) |
              static_cast<std::uint64_t>(calls)) {}

  std::uint64_t word() const { return word_; }
  std::uint32_t generation() const { return static_cast<std::uint32_t>(word_ >> 32); }
  Calls calls() const { return static_cast<Calls>(word_ & 0xFF); }
  /// Of its bucket, below kBuckets.
  std::uint32_t slot() const { return static_cast<std::uint32_t>(word_ >> 8) % kBuckets; }
  /// Whether a call of that epoch is counted in a lane, and so is its answer now.
  bool Counts(CircuitEpoch admitted) const {
    // The same generation and calls, and at most so many buckets on.
    return std::rotr(word_ - admitted.word_, 8) < kBuckets;
  }

 private:
  std::uint64_t word_ = 0;
};

/// What the calls of one thread, or of many, have come to that went well or were neutral: of the
/// newest buckets only, which whoever begins a bucket or doubts the circuit brings into its memory.
/// Counters only grow and wrap around; what counts is the difference of two readings. One cache
/// line. Thread-safe.
class alignas(64) CircuitLane {
 public:
  explicit CircuitLane(Writers writers) : alone_(writers == Writers::kOne) {}

  void Sent(std::uint32_t slot) { Count(sent_[slot]); }
  void Good(std::uint32_t slot) { Count(good_[slot]); }
  void Ignored(std::uint32_t slot) { Count(ignored_[slot]); }
  void Refused() { Count(refused_); }

  CircuitCounts Read(std::uint32_t slot) const {
    return {.sent = sent_[slot].load(std::memory_order_relaxed),
            .good = good_[slot].load(std::memory_order_relaxed),
            .ignored = ignored_[slot].load(std::memory_order_relaxed)};
  }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kSlots = CircuitEpoch::kBuckets;

  template <class N>
  void Count(std::atomic<N>& cell) {
    if (alone_) {  // about 1 ns
      cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      cell.fetch_add(1, std::memory_order_relaxed);
    }
  }

  std::array<std::atomic<std::uint32_t>, kSlots> sent_{};
  std::array<std::atomic<std::uint32_t>, kSlots> good_{};
  std::array<std::atomic<std::uint32_t>, kSlots> ignored_{};
  std::atomic<std::uint64_t> refused_{0};
  const bool alone_;
};
static_assert(sizeof(CircuitLane) == 64);

}  // namespace hale::policy
