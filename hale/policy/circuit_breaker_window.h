#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"

namespace hale::policy {

/// Calls of one bucket that were counted elsewhere. A value.
struct CircuitCounts {
  std::uint32_t sent = 0;
  std::uint32_t good = 0;
  std::uint32_t ignored = 0;

  CircuitCounts& operator+=(const CircuitCounts& other) {
    sent += other.sent;
    good += other.good;
    ignored += other.ignored;
    return *this;
  }
  CircuitCounts operator-(const CircuitCounts& other) const {
    return {sent - other.sent, good - other.good, ignored - other.ignored};
  }
  friend bool operator==(const CircuitCounts&, const CircuitCounts&) = default;
};

/// What a breaker remembers of the last seconds. An answer is counted in the bucket in which its
/// call was sent, if that is still in the window; calls that are out are told apart by age, as far
/// back as the window and HungAfter() reach. Time that runs back is held at the latest instant
/// seen, unless it runs back more than a window. Each operation costs at most O(buckets), however
/// far the time leaps. Not thread-safe.
class CircuitWindow {
 public:
  explicit CircuitWindow(const CircuitBreakerOptions& options);

  /// Forgets what is older than the window at `now`. True if a new bucket has begun.
  bool Roll(TimePoint now);
  /// Whether Roll would begin one.
  bool Rolls(TimePoint now) const;
  /// A call is sent. Returns the instant under which it is counted, for its ticket.
  TimePoint Send(TimePoint now);
  /// The call sent at `sent` is answered.
  void Answer(TimePoint sent, Verdict verdict);
  /// Calls sent at about `sent`, in one bucket, and answers to such calls.
  void Add(TimePoint sent, const CircuitCounts& counts);
  /// Forgets all.
  void Clear();
  /// Goes on with other parts; nothing is forgotten before its time. Calls that are out are from
  /// here on as old as the newest. False if the parts are the same.
  bool Rebucket(const CircuitBreakerOptions& options);

  /// The newest bucket is [begin, end).
  TimePoint begin() const { return TimePoint(width_ * Index(latest_)); }
  TimePoint end() const { return SaturatingAdd(begin(), width_); }

  /// What is known at `now`, all but bad_in_row.
  CircuitEvidence Evidence(TimePoint now, Duration hung_after) const;
  /// Of what it has on the heap.
  std::size_t bytes() const { return sizeof(std::uint32_t) * slots_ * rows_; }

 private:
  static constexpr std::uint8_t kNotMoved = 255;
  enum Row : std::uint8_t { kGood, kFailed, kOut, kSlow };

  std::int64_t Index(TimePoint at) const;
  bool Holds(std::int64_t index) const;
  std::size_t Slot(std::int64_t index) const;
  std::uint32_t& Cell(Row row, std::int64_t index) const;
  void CountOut(TimePoint sent, std::int32_t by);

  Duration width_{0};
  TimePoint latest_{};
  /// Counters, row by row; a bucket is found by its index modulo slots_.
  std::unique_ptr<std::uint32_t[]> cells_;
  std::int32_t lingering_ = 0;  ///< out, and older than the ring
  std::uint8_t window_slots_ = 0;
  std::uint8_t slots_ = 0;
  std::uint8_t rows_ = 0;  ///< without a slow_call nothing is slow
  /// Buckets since Rebucket: calls sent before are out since then.
  std::uint8_t moved_ = kNotMoved;
};

}  // namespace hale::policy
