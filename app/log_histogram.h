#pragma once

#include <array>
#include <cstdint>

#include "hale/base/time.h"

namespace hale::app {

/// Counts of time spans in buckets that are 1/128 wide of what they hold, so that every quantile is
/// exact to 0.8 % from 1 ns to 73 min (longer ones count as that). G. Tene's HdrHistogram, in 18
/// KB. Not thread-safe.
class LogHistogram final {
 public:
  void Add(Duration span);
  void Merge(const LogHistogram& other);

  std::uint64_t count() const { return count_; }
  Duration max() const { return max_; }
  Duration mean() const { return count_ == 0 ? Duration(0) : sum_ / static_cast<long>(count_); }
  /// The smallest span that at least `share` of the spans do not exceed, at the upper end of its
  /// bucket; zero when nothing was counted. `share` is in [0, 1].
  Duration Quantile(double share) const;

 private:
  static constexpr int kSubBits = 7;
  static constexpr int kTopBit = 41;
  static constexpr std::size_t kBuckets = static_cast<std::size_t>(kTopBit - kSubBits + 2)
                                          << kSubBits;
  static std::size_t IndexOf(std::uint64_t nanos);
  static std::uint64_t UpperEnd(std::size_t index);

  std::array<std::uint32_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
  Duration max_{0};
};

}  // namespace hale::app
