#include "hale/policy/usual_latency.h"

#include <algorithm>
#include <bit>

#include "hale/policy/stamped.h"

namespace hale::policy {
namespace {

constexpr int kCountBits = 11;
constexpr std::uint32_t kMostCalls = (1U << kCountBits) - 1;
constexpr int kFraction = 15;  // bits of a logarithm below the point; 6 are above
constexpr std::int32_t kMemory = 32;

/// The logarithm to base 2, straight between powers: exact enough to average, and read back by the
/// same lines.
std::int32_t LogOf(std::uint64_t value) {
  const auto power = static_cast<int>(std::bit_width(value)) - 1;
  const std::uint64_t fraction = (value << (63 - power) << 1) >> (64 - kFraction);
  return power << kFraction | static_cast<std::int32_t>(fraction);
}

std::int64_t PowerOf(std::int32_t log) {
  const int power = log >> kFraction;
  const std::uint64_t mantissa = (1U << kFraction) | (log & ((1 << kFraction) - 1));
  return static_cast<std::int64_t>(power >= kFraction ? mantissa << (power - kFraction)
                                                      : mantissa >> (kFraction - power));
}

}  // namespace

void UsualLatency::Observe(Outcome outcome, Duration latency, TimePoint now) {
  if (outcome == Outcome::kIgnored) return;
  const std::uint32_t stamp = Stamped::At(now);
  Stamped word = Stamped::From(word_.load(std::memory_order_relaxed));
  if (word.Left(stamp) == 0) word = {};
  auto log = static_cast<std::int32_t>(word.bits >> kCountBits);
  const auto calls = std::min(kMostCalls, (word.bits & kMostCalls) + 1);
  const auto seen = LogOf(static_cast<std::uint64_t>(std::max(latency, Duration(1)).count()));
  const bool failed = outcome == Outcome::kFailure;
  if (log == 0 && !failed) {
    log = std::max(seen, 1);
  } else if (log != 0 && (!failed || seen > log)) {
    log = std::max(1, log + (seen - log) / std::min(kMemory, static_cast<std::int32_t>(calls)));
  }
  word = {stamp, static_cast<std::uint32_t>(log) << kCountBits | calls};
  word_.store(word.word(), std::memory_order_relaxed);
}

UsualLatency::Reading UsualLatency::Read(TimePoint now) const {
  const Stamped word = Stamped::From(word_.load(std::memory_order_relaxed));
  if (word.Left(Stamped::At(now)) == 0) return {};
  const auto log = static_cast<std::int32_t>(word.bits >> kCountBits);
  return {.latency = Duration(log == 0 ? 0 : PowerOf(log)), .calls = word.bits & kMostCalls};
}

}  // namespace hale::policy
