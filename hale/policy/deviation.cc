#include "hale/policy/deviation.h"

#include <algorithm>
#include <cmath>

namespace hale::policy {
namespace {

constexpr std::size_t kFewest = 3;  // of two nobody knows which one is odd

// Of a normal distribution the median absolute deviation is the standard deviation ÷ 1.4826.
constexpr double kNormal = 1.4826;

// A set whose latencies agree better than a fifth, or failures better than 5 %, is no finer ruler:
// otherwise who differs by nothing that matters would stand many deviations away.
constexpr double kLeastLogSpread = 0.26;  // log2
constexpr double kLeastFailureSpread = 0.05;
constexpr double kFailureMemory = 16;  // calls that Load::FailureShare stands for

// Below this a difference is the network's or the scheduler's.
constexpr double kNoise = 25e6;  // ns

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// What is usual in a set.
struct Usual {
  double median = 0;
  double spread = 0;
};

Usual UsualOf(const std::vector<double>& values) {
  Usual usual{.median = Median(values)};
  std::vector<double> away;
  away.reserve(values.size());
  for (const double value : values) away.push_back(std::abs(value - usual.median));
  usual.spread = kNormal * Median(std::move(away));
  return usual;
}

double LogOf(const PeerFigures& one) { return std::log2(static_cast<double>(one.latency.count())); }

}  // namespace

std::vector<Deviation> Deviations(std::span<const PeerFigures> set,
                                  const DeviationOptions& options) {
  std::vector<Deviation> deviations(set.size());
  if (options.mode == Mode::kOff) return deviations;
  std::vector<double> logs;
  std::vector<double> failures;
  for (const PeerFigures& one : set) {
    if (one.calls < options.minimum_calls) continue;
    failures.push_back(one.failures);
    if (one.latency > Duration::zero()) logs.push_back(LogOf(one));
  }
  if (failures.size() < kFewest) return deviations;
  const bool timed = logs.size() >= kFewest;
  Usual latency = timed ? UsualOf(logs) : Usual();
  latency.spread = std::max(latency.spread, kLeastLogSpread);
  Usual failing = UsualOf(failures);
  failing.spread = std::max({failing.spread, kLeastFailureSpread,
                             std::sqrt(failing.median * (1 - failing.median) / kFailureMemory)});
  // A ratio of 1 asks for nothing.
  const double slower = std::max(std::log2(options.slower), 1e-9);

  for (std::size_t i = 0; i < set.size(); ++i) {
    const PeerFigures& one = set[i];
    if (one.calls < options.minimum_calls) continue;
    Deviation& deviation = deviations[i];
    deviation.compared = true;
    const double more = one.failures - failing.median;
    deviation.failures =
        std::min(more / failing.spread / options.threshold, more / options.failures);
    if (!timed || one.latency <= Duration::zero()) continue;
    const double away = LogOf(one) - latency.median;
    const double nanoseconds = static_cast<double>(one.latency.count()) - std::exp2(latency.median);
    deviation.latency =
        std::min({away / latency.spread / options.threshold, away / slower, nanoseconds / kNoise});
  }
  return deviations;
}

}  // namespace hale::policy
