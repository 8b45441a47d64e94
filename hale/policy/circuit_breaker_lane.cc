#include "hale/policy/circuit_breaker_lane.h"

namespace hale::policy {

CircuitOutside& CircuitOutside::operator+=(const CircuitOutside& other) {
  calls += other.calls;
  answered_late += other.answered_late;
  stale += other.stale;
  refused += other.refused;
  would_refuse += other.would_refuse;
  return *this;
}

template <class N>
CircuitFigures<N> CircuitLane::Cells<N>::Read() const {
  return {.sent = sent.load(std::memory_order_relaxed),
          .good = good.load(std::memory_order_relaxed),
          .failed = failed.load(std::memory_order_relaxed),
          .slow = slow.load(std::memory_order_relaxed),
          .ignored = ignored.load(std::memory_order_relaxed)};
}

CircuitCounts CircuitLane::Read(std::uint32_t slot) const { return buckets_[slot].Read(); }

CircuitOutside CircuitLane::outside() const {
  return {.calls = outside_.Read(),
          .answered_late = answered_late(),
          .stale = stale_.load(std::memory_order_relaxed),
          .refused = refused_.load(std::memory_order_relaxed),
          .would_refuse = would_refuse_.load(std::memory_order_relaxed)};
}

}  // namespace hale::policy
