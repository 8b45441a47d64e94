#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "hale/policy/circuit_breaker_timeline.h"

namespace hale::policy {

/// Calls of a breaker that were counted in no bucket, or are only counted.
struct CircuitOutside {
  CircuitSum calls;                 ///< probes, and calls through a forced circuit
  std::uint64_t answered_late = 0;  ///< of the answers: their bucket had left the ring
  std::uint64_t stale = 0;          ///< answers to an earlier generation
  std::uint64_t refused = 0;
  std::uint64_t would_refuse = 0;

  CircuitOutside& operator+=(const CircuitOutside& other);
};

/// What the calls of one thread, or of many, have come to. Counters only grow. One that has a
/// single writer is counted up by a load and a store, about 1 ns; one that is shared by an atomic
/// addition. Thread-safe.
class alignas(64) CircuitLane {
 public:
  enum class Writers : std::uint8_t { kOne, kMany };
  explicit CircuitLane(Writers writers) : alone_(writers == Writers::kOne) {}

  void Sent(std::uint32_t slot) { Count(buckets_[slot].sent); }
  void Answered(std::uint32_t slot, Verdict verdict) { Count(CellOf(buckets_[slot], verdict)); }
  void SentOutside() { Count(outside_.sent); }
  void AnsweredOutside(Verdict verdict) { Count(CellOf(outside_, verdict)); }
  void AnsweredLate(Verdict verdict) {
    AnsweredOutside(verdict);
    Count(answered_late_);
  }
  void Stale() { Count(stale_); }
  void Refused() { Count(refused_); }
  void WouldRefuse() { Count(would_refuse_); }

  CircuitCounts Read(std::uint32_t slot) const;
  CircuitOutside outside() const;
  std::uint64_t answered_late() const { return answered_late_.load(std::memory_order_relaxed); }

 private:
  template <class N>
  struct Cells {
    std::atomic<N> sent{0};
    std::atomic<N> good{0};
    std::atomic<N> failed{0};
    std::atomic<N> slow{0};
    std::atomic<N> ignored{0};
    CircuitFigures<N> Read() const;
  };
  template <class N>
  static std::atomic<N>& CellOf(Cells<N>& cells, Verdict verdict) {
    switch (verdict) {
      case Verdict::kGood:
        return cells.good;
      case Verdict::kFailed:
        return cells.failed;
      case Verdict::kSlow:
        return cells.slow;
      case Verdict::kIgnored:
        break;
    }
    return cells.ignored;
  }
  template <class N>
  void Count(std::atomic<N>& cell) {
    if (alone_) {
      cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      cell.fetch_add(1, std::memory_order_relaxed);
    }
  }

  const bool alone_;
  std::array<Cells<std::uint32_t>, CircuitTimeline::kSlots> buckets_;
  Cells<std::uint64_t> outside_;
  std::atomic<std::uint64_t> answered_late_{0};
  std::atomic<std::uint64_t> stale_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> would_refuse_{0};
};

}  // namespace hale::policy
