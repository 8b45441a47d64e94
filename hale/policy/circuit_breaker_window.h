#pragma once

#include <array>
#include <cstdint>

#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"
#include "hale/policy/circuit_breaker_timeline.h"

namespace hale::policy {

/// What a breaker remembers of the last seconds, counted by one thread. An answer is counted in the
/// bucket in which its call was sent, if that is still in the window; calls that are out are told
/// apart by age for 31 buckets. Each operation costs at most O(buckets), however far the time
/// leaps. Not thread-safe.
class CircuitWindow {
 public:
  explicit CircuitWindow(const CircuitBreakerOptions& options) : timeline_(options) {}

  /// Forgets what is older than the window at `now`. True if a new bucket has begun.
  bool Roll(TimePoint now) { return timeline_.Roll(now, counted_); }
  /// A call is sent. Returns the instant under which it is counted, for its ticket.
  TimePoint Send(TimePoint now);
  /// The call sent at `sent` is answered.
  void Answer(TimePoint sent, Verdict verdict);
  /// Forgets all.
  void Clear() { timeline_.Clear(counted_); }
  /// Goes on with other parts; nothing is forgotten before its time.
  void Rebucket(const CircuitBreakerOptions& options) { timeline_.Apply(options); }
  /// All but bad_in_row.
  CircuitEvidence Evidence(TimePoint now, Duration hung_after) const {
    return timeline_.Evidence(now, hung_after, counted_);
  }

 private:
  struct Counted final : CircuitSums {
    CircuitCounts Of(std::uint32_t slot) const override { return slots[slot]; }
    std::uint64_t answered_late() const override { return late; }
    std::array<CircuitCounts, CircuitTimeline::kSlots> slots{};
    std::uint64_t late = 0;
  };
  CircuitTimeline timeline_;
  Counted counted_;
};

}  // namespace hale::policy
