#pragma once

#include <array>
#include <cstdint>

#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"

namespace hale::policy {

/// What a breaker remembers of the last seconds: a ring of buckets, each forgotten at once when it
/// leaves the window; calls that are out are told apart by age for 31 buckets. An answer is counted
/// in the bucket in which its call was sent, if that is still in the window. Time that runs back is
/// held at the latest instant seen, so that no bucket comes from the future; more than a window
/// back starts over. Each operation costs at most O(buckets), however far the time leaps. Trivially
/// copyable, about 600 bytes. Not thread-safe.
class CircuitWindow {
 public:
  static constexpr std::int64_t kMostBuckets = 32;

  explicit CircuitWindow(const CircuitBreakerOptions& options);

  /// Forgets what is older than the window at `now`. True if a new bucket has begun.
  bool Roll(TimePoint now);
  /// A call is sent. Returns the instant under which it is counted, for its ticket.
  TimePoint Send(TimePoint now);
  /// The call sent at `sent` is answered.
  void Answer(TimePoint sent, Verdict verdict);
  /// Forgets all.
  void Clear();
  /// Goes on with other parts: what is remembered moves to the part that holds its latest instant,
  /// so that nothing is forgotten before its time.
  void Rebucket(const CircuitBreakerOptions& options);
  /// Adds what a window of the same parts remembers.
  void Merge(const CircuitWindow& other);
  /// All but bad_in_row. Call Roll first.
  CircuitEvidence Evidence(Duration hung_after) const;
  /// Calls that are out.
  std::int64_t out() const;

 private:
  struct Bucket {
    std::uint32_t good = 0;
    std::uint32_t failed = 0;
    std::uint32_t slow = 0;
    std::int32_t out = 0;  // sent and not answered; below 0 for a while after Rebucket
  };

  std::int64_t Index(TimePoint at) const;
  Bucket& At(std::int64_t index);
  const Bucket& At(std::int64_t index) const;
  bool InWindow(std::int64_t index) const { return index > head_ - count_ && index <= head_; }
  bool InRing(std::int64_t index) const { return index > head_ - kMostBuckets && index <= head_; }
  bool RollSlowly(TimePoint now);
  std::int64_t TakeOut();

  Duration width_{0};
  std::int64_t count_ = 0;
  std::int64_t head_ = 0;       // index of the newest bucket
  TimePoint head_end_{};        // the first instant after it
  TimePoint latest_{};          // no time before it is believed
  std::int64_t lingering_ = 0;  // calls out that are older than the ring
  std::array<Bucket, kMostBuckets> ring_{};
};

}  // namespace hale::policy
