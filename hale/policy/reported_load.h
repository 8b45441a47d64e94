#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hale/base/time.h"

namespace hale::policy {

/// How loaded an instance says that it is, with each answer: 1 is all that it can do, above it
/// calls wait. Among many clients each sees only its own calls, and nobody that an instance is
/// busy; the instance does (B. Wydrowski et al., "Load is not what you should balance: Introducing
/// Prequal", NSDI 2024). Thread-safe.
class ReportedLoad {
 public:
  /// What is believed: beyond these bounds a report counts as the bound, so that a wrong one makes
  /// an instance 64 times as dear as another at most.
  static constexpr double kLeast = 1.0 / 8;
  static constexpr double kMost = 8;

  struct Reading {
    double load = 0;  ///< [kLeast, kMost]; 0: none
    double left = 0;  ///< how much of it still counts, [0, 1]: it fades in 30 s
  };

  void Report(double load, TimePoint now);
  Reading Read(TimePoint now) const;

 private:
  std::atomic<std::uint64_t> word_{0};
};

/// By how much two instances differ in cost: their reports, each brought nearer to 1 in the
/// measure in which the older one has faded (half of it left: 4 counts as 2.5), so that stale
/// reports say nothing; 1 and 1 when one has none. Pure.
struct CostRatio {
  double one = 1;
  double other = 1;
};
CostRatio Compare(const ReportedLoad::Reading& one, const ReportedLoad::Reading& other);

/// Reads the header `hale-load`: digits, a decimal point among them or none (`0.75`); no
/// sign, no exponent, nothing else. Pure.
std::optional<double> ParseLoad(std::string_view text);

}  // namespace hale::policy
