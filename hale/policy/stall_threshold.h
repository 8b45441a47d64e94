#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hale/base/time.h"

namespace hale::policy {

/// Counts latencies in buckets whose width is an eighth of a power of two, 65 µs to 137 s (of the
/// kind of G. Tene's HdrHistogram): a quantile is read off at most 12.5 % too high, never too low.
/// Older counts fade: at 2^17 replies all are halved. 0.7 KiB. Thread-safe; what is read while
/// others record is of about then.
class LatencyHistogram {
 public:
  void Record(Duration latency);
  /// Replies that it stands for.
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  /// The latency that a share `quantile` of replies did not exceed; zero without replies.
  Duration Quantile(double quantile) const;
  /// Halves all counts; what was seen once is forgotten.
  void Fade();
  /// What takes this long or longer is told apart no more.
  static constexpr Duration Longest() { return Duration(std::int64_t{1} << (kLowest + kPowers)); }

 private:
  static constexpr int kSteps = 8;    // a power of two
  static constexpr int kLowest = 16;  // 2^16 ns
  static constexpr int kPowers = 21;
  static constexpr std::size_t kBuckets = kSteps * kPowers + 1;
  static std::size_t Index(Duration latency);
  static Duration Upper(std::size_t index);

  std::atomic<std::uint64_t> count_{0};
  std::array<std::atomic<std::uint32_t>, kBuckets> buckets_{};
};

/// θ: how long an instance may leave a call without a byte before it can be called stalled:
/// max(250 ms, 3 × p99.9 of the route class); 1 s before 100 replies, and between 500 ms and 1 s
/// before 1,000. Scans the buckets, under a
/// microsecond: for a coarse interval, not for each call. Pure in its argument.
Duration StallThreshold(const LatencyHistogram& replies);

/// How long a call may be out before a breaker counts it as hung: 4 × p99.9, at least 2 s, at most
/// `most`, and that before 100 replies. When all instances stop at once none is stalled; what they
/// are sent until their breakers open is what they must work off before they answer anybody again.
/// Pure in its arguments.
Duration HungThreshold(const LatencyHistogram& replies, Duration most);

}  // namespace hale::policy
