#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"

namespace hale::policy {

/// Calls that were sent, and what became of them. A value.
template <class N>
struct CircuitFigures {
  N sent = 0;
  N good = 0;
  N failed = 0;
  N slow = 0;
  N ignored = 0;

  template <class M>
  CircuitFigures& operator+=(const CircuitFigures<M>& other) {
    sent += other.sent;
    good += other.good;
    failed += other.failed;
    slow += other.slow;
    ignored += other.ignored;
    return *this;
  }
  CircuitFigures operator-(const CircuitFigures& other) const {
    return {sent - other.sent, good - other.good, failed - other.failed, slow - other.slow,
            ignored - other.ignored};
  }
  void Add(Verdict verdict) {
    good += verdict == Verdict::kGood ? 1 : 0;
    failed += verdict == Verdict::kFailed ? 1 : 0;
    slow += verdict == Verdict::kSlow ? 1 : 0;
    ignored += verdict == Verdict::kIgnored ? 1 : 0;
  }
  /// Not answered. Of a difference, since figures wrap around.
  std::int32_t out() const {
    return static_cast<std::int32_t>(sent - good - failed - slow - ignored);
  }
};
/// Of one bucket: they only grow and wrap around; what counts is the difference of two.
using CircuitCounts = CircuitFigures<std::uint32_t>;
/// Of all time.
using CircuitSum = CircuitFigures<std::uint64_t>;

/// Where the counters of all threads are read: of one slot of the ring, and of calls that were
/// answered when their bucket had left it.
class CircuitSums {
 public:
  virtual ~CircuitSums() = default;
  virtual CircuitCounts Of(std::uint32_t slot) const = 0;
  virtual std::uint64_t answered_late() const = 0;
};

/// Which of the counters count: the last 32 buckets in which something happened, each with the
/// sums it began at. Counters are never set back, so that who counts needs no lock, and a change of
/// state just begins a bucket and forgets those before. A bucket keeps its instant when the parts
/// of the window change. Time that runs back is held at the latest instant seen, unless it runs
/// back more than a window. Not thread-safe.
class CircuitTimeline {
 public:
  static constexpr std::uint32_t kSlots = 32;
  explicit CircuitTimeline(const CircuitBreakerOptions& options);

  /// Begins a bucket if `now` is past the newest one; true if it did.
  bool Roll(TimePoint now, const CircuitSums& sums);
  /// Forgets all.
  void Clear(const CircuitSums& sums);
  /// Goes on with other parts; nothing is forgotten before its time.
  void Apply(const CircuitBreakerOptions& options);

  /// The newest bucket: its number, which grows by one, and its time, [begin, end).
  std::uint32_t head() const { return head_; }
  TimePoint begin() const { return TimePoint(width_ * head_index_); }
  TimePoint end() const { return SaturatingAdd(begin(), width_); }
  /// No time before it is believed.
  TimePoint latest() const { return latest_; }

  /// The bucket that an instant belongs to, unless it is forgotten.
  std::optional<std::uint32_t> Find(TimePoint at) const;

  /// What is known at `now`, all but bad_in_row.
  CircuitEvidence Evidence(TimePoint now, Duration hung_after, const CircuitSums& sums) const;
  /// All calls that were ever counted in a bucket.
  CircuitSum totals(const CircuitSums& sums) const;

 private:
  struct Bucket {
    TimePoint last{};        // the latest instant that it may hold
    std::int64_t index = 0;  // in parts of the window, of `last`
    CircuitCounts base;
  };

  std::int64_t Index(TimePoint at) const;
  void Begin(std::int64_t index, const CircuitSums& sums);
  Bucket& At(std::uint32_t number) { return ring_[number % kSlots]; }
  const Bucket& At(std::uint32_t number) const { return ring_[number % kSlots]; }
  /// Since the last Clear, and in the ring.
  bool Known(std::uint32_t number) const {
    return static_cast<std::int32_t>(number - first_) >= 0 && head_ - number < kSlots;
  }
  std::int64_t Out(const CircuitSums& sums) const;

  Duration width_{0};
  std::int64_t count_ = 0;
  std::uint32_t head_ = kSlots;
  std::uint32_t first_ = kSlots;
  std::int64_t head_index_ = 0;
  TimePoint latest_{};
  TimePoint dropped_ = TimePoint::min();  // the latest instant of a bucket that left the ring
  std::int64_t lingering_ = 0;            // out, and older than the ring
  std::uint64_t answered_before_ = 0;
  std::array<Bucket, kSlots> ring_{};
  CircuitSum folded_;
};

}  // namespace hale::policy
