#include "hale/policy/deadline.h"

#include <algorithm>

namespace hale::policy {
namespace {

constexpr Duration kWindow = 10s;

/// A word: which 10 s (16 bits), the calls in it and those refused (24 bits each). At 16 million
/// calls it stops to count, and keeps to what the share was then.
struct Counted {
  std::uint16_t number = 0;
  std::uint32_t calls = 0;
  std::uint32_t refused = 0;

  static constexpr std::uint32_t kMost = (1U << 24) - 1;
};

std::uint64_t Pack(const Counted& counted) {
  return std::uint64_t{counted.number} << 48 | std::uint64_t{counted.calls} << 24 | counted.refused;
}

Counted Unpack(std::uint64_t word) {
  return {.number = static_cast<std::uint16_t>(word >> 48),
          .calls = static_cast<std::uint32_t>(word >> 24) & Counted::kMost,
          .refused = static_cast<std::uint32_t>(word) & Counted::kMost};
}

/// With so many more calls in it. A clock that steps back begins no window: its calls belong to the
/// last.
Counted WithCalls(Counted counted, std::uint32_t calls, TimePoint now) {
  const auto number = static_cast<std::uint16_t>(now.time_since_epoch() / kWindow);
  const auto passed = static_cast<std::uint16_t>(number - counted.number);
  constexpr std::uint16_t kBehind = 0xffff - 6;
  if (passed != 0 && passed <= kBehind) counted = {.number = number};
  counted.calls = std::min(counted.calls + calls, Counted::kMost);
  return counted;
}

}  // namespace

DeadlineGate::DeadlineGate(const DeadlineOptions& options)
    : mode_(options.mode),
      minimum_calls_(options.minimum_calls),
      quantile_(options.quantile),
      most_refused_(options.most_refused) {}

Duration DeadlineGate::Needed(TimePoint now) {
  if (mode() == Mode::kOff) return Duration::zero();
  return recent_.Read(
      {quantile_.load(std::memory_order_relaxed), minimum_calls_.load(std::memory_order_relaxed)},
      now);
}

std::optional<Rejection> DeadlineGate::Check(Duration remaining, TimePoint now, Look look) {
  if (mode() == Mode::kOff || remaining == kForever) return std::nullopt;
  const Duration needed = Needed(now);
  if (!Count(remaining < needed, now, look)) return std::nullopt;
  return Rejection{
      .reason = Reason::kDeadline, .observed = Seconds(remaining), .threshold = Seconds(needed)};
}

/// Counts it; whether it is to be refused: it is late, and not too many have been already.
bool DeadlineGate::Count(bool late, TimePoint now, Look look) {
  const std::uint32_t calls = look == Look::kFirst ? 1 : 0;
  const double most = most_refused_.load(std::memory_order_relaxed);
  std::uint64_t word = counted_.load(std::memory_order_relaxed);
  Counted counted;
  bool refused = false;
  do {
    counted = WithCalls(Unpack(word), calls, now);
    refused = late && counted.refused + 1 <= most * counted.calls;
    if (refused) ++counted.refused;
  } while (!counted_.compare_exchange_weak(word, Pack(counted), std::memory_order_relaxed));
  return refused;
}

void DeadlineGate::Apply(const DeadlineOptions& options) {
  minimum_calls_.store(options.minimum_calls, std::memory_order_relaxed);
  quantile_.store(options.quantile, std::memory_order_relaxed);
  most_refused_.store(options.most_refused, std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
  recent_.Expire();
}

}  // namespace hale::policy
