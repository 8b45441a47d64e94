#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"

namespace hale::policy {

struct DeviationOptions {
  Mode mode = Mode::kEnforce;
  double threshold = 5;                      ///< robust standard deviations from the median of all
  double slower = 3;                         ///< and at least so many times the median latency,
  double failures = 0.25;                    ///< or so much above the median share of failures
  std::uint32_t minimum_calls = 50;          ///< calls to an instance before it is compared
  Duration rest = std::chrono::seconds(10);  ///< how long it is left out; doubles each time
  Duration max_rest = std::chrono::minutes(5);

  friend bool operator==(const DeviationOptions&, const DeviationOptions&) = default;
};

constexpr auto Fields(Type<DeviationOptions>) {
  using O = DeviationOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (only the distance is shown) or enforce"},
      Field{"threshold", &O::threshold, 1.0, 1000.0,
            "robust standard deviations from the median of all"},
      Field{"slower", &O::slower, 1.0, 1000.0, "and at least so many times the median latency"},
      Field{"failures", &O::failures, 0.01, 1.0, "or so much above the median share of failures"},
      Field{"minimum_calls", &O::minimum_calls, 1, 2000,
            "calls to an instance before it is compared"},
      Field{"rest", &O::rest, 10ms, 1h, "how long it is left out; doubles each time"},
      Field{"max_rest", &O::max_rest, 10ms, 24h, "and never longer than this"}};
}

/// What is compared of one instance.
struct PeerFigures {
  Duration latency{0};      ///< what an answer usually takes, see UsualLatency; 0: not known
  double failures = 0;      ///< share of its calls, [0, 1]
  std::uint32_t calls = 0;  ///< that these figures stand for
};

/// How far an instance is from being left out: 0 or less with its peers, 1 and more beyond all
/// thresholds.
struct Deviation {
  double latency = 0;
  double failures = 0;
  bool compared = false;  ///< it and enough others have had enough calls

  double worse() const { return latency > failures ? latency : failures; }

  friend bool operator==(const Deviation&, const Deviation&) = default;
};

/// Compares the instances of a set with each other. Spread is the median absolute deviation from
/// the median, × 1.4826 a robust standard deviation (F. Hampel, "The Influence Curve and Its Role
/// in Robust Estimation", 1974), which the odd one out cannot move; latencies are compared as
/// logarithms, so that only ratios count and a set that is slow as a whole has nobody that
/// deviates. Each condition is a figure that is 1 where it is met, and the distance is the smallest
/// of them: for latency deviations ÷ threshold, ratio to the median ÷ slower, and 25 ms; for
/// failures deviations ÷ threshold, and the difference ÷ `failures`. Needs three instances with
/// enough calls. Pure.
std::vector<Deviation> Deviations(std::span<const PeerFigures> set,
                                  const DeviationOptions& options);

}  // namespace hale::policy
