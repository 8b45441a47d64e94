#include "hale/policy/circuit_breaker_lane.h"

namespace hale::policy {

CircuitOutside& CircuitOutside::operator+=(const CircuitOutside& other) {
  sent += other.sent;
  good += other.good;
  failed += other.failed;
  slow += other.slow;
  ignored += other.ignored;
  answered_late += other.answered_late;
  stale += other.stale;
  refused += other.refused;
  would_refuse += other.would_refuse;
  return *this;
}

CircuitCounts CircuitLane::Read(std::uint32_t slot) const {
  const Cells<std::uint32_t>& cells = buckets_[slot];
  return {.sent = cells.sent.load(std::memory_order_relaxed),
          .good = cells.good.load(std::memory_order_relaxed),
          .failed = cells.failed.load(std::memory_order_relaxed),
          .slow = cells.slow.load(std::memory_order_relaxed),
          .ignored = cells.ignored.load(std::memory_order_relaxed)};
}

CircuitOutside CircuitLane::outside() const {
  return {.sent = outside_.sent.load(std::memory_order_relaxed),
          .good = outside_.good.load(std::memory_order_relaxed),
          .failed = outside_.failed.load(std::memory_order_relaxed),
          .slow = outside_.slow.load(std::memory_order_relaxed),
          .ignored = outside_.ignored.load(std::memory_order_relaxed),
          .answered_late = answered_late(),
          .stale = stale_.load(std::memory_order_relaxed),
          .refused = refused_.load(std::memory_order_relaxed),
          .would_refuse = would_refuse_.load(std::memory_order_relaxed)};
}

}  // namespace hale::policy
