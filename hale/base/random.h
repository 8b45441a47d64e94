#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "hale/base/time.h"

namespace hale {

/// A source of randomness, handed to whatever throws dice. A UniformRandomBitGenerator.
class Random {
 public:
  using result_type = std::uint64_t;
  virtual ~Random() = default;
  /// 64 random bits.
  virtual std::uint64_t Next() = 0;

  std::uint64_t operator()() { return Next(); }
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return std::numeric_limits<std::uint64_t>::max(); }

  /// Uniform in [0, bound); 0 when bound is 0. D. Lemire, "Fast Random Integer Generation in an
  /// Interval", 2019, without the rejection step: the bias is below 2^-32 for the bounds used here.
  std::uint64_t Below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }
  /// Uniform in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  /// Uniform in [low, high]; low when high < low.
  Duration Between(Duration low, Duration high) {
    if (high <= low) return low;
    const auto width =
        static_cast<std::uint64_t>(high.count()) - static_cast<std::uint64_t>(low.count());
    return Duration(
        static_cast<std::int64_t>(static_cast<std::uint64_t>(low.count()) + Below(width + 1)));
  }
};

/// xoshiro256++ (D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021):
/// the same seed gives the same sequence on every machine. Not thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  std::uint64_t Next() override;

 private:
  std::array<std::uint64_t, 4> state_;
};

/// The calling thread's generator, seeded from the system. Keep it no longer than the thread.
Random& ThreadRandom();

}  // namespace hale
