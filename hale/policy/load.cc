#include "hale/policy/load.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace hale::policy {
namespace {

/// A figure and when it was last seen, in 2^20 ns: about a millisecond, round after 52 days.
struct Figure {
  std::uint32_t stamp = 0;
  float value = 0;
};

constexpr int kStampShift = 20;
constexpr double kFade = 10e9 / (1 << kStampShift);  // 10 s, in stamps
constexpr double kForgotten = 30e9 / (1 << kStampShift);
constexpr float kCalls = 16;  // the failure share's memory
constexpr float kNoFailures = 1e-3F;
constexpr double kLeastSuccess = 1.0 / 64;

std::uint64_t Pack(Figure figure) {
  return std::uint64_t{figure.stamp} << 32 | std::bit_cast<std::uint32_t>(figure.value);
}

Figure Unpack(std::uint64_t word) {
  return {.stamp = static_cast<std::uint32_t>(word >> 32),
          .value = std::bit_cast<float>(static_cast<std::uint32_t>(word))};
}

std::uint32_t Stamp(TimePoint now) {
  return static_cast<std::uint32_t>(now.time_since_epoch().count() >> kStampShift);
}

/// How much of a figure is left; a clock that is behind takes nothing away.
double Left(Figure figure, std::uint32_t stamp) {
  const auto age = static_cast<std::int32_t>(stamp - figure.stamp);
  if (age <= 0) return 1;
  return age > kForgotten ? 0 : std::exp(-age / kFade);
}

}  // namespace

Load::Token::Token(Token&& other) noexcept : load_(std::exchange(other.load_, nullptr)) {}

Load::Token& Load::Token::operator=(Token&& other) noexcept {
  std::swap(load_, other.load_);
  return *this;
}

Load::Token::~Token() {
  if (load_ != nullptr) load_->End();
}

void Load::Token::Settle(Outcome outcome, Duration latency, TimePoint now) {
  Load* load = std::exchange(load_, nullptr);
  if (load == nullptr) return;
  load->End();
  if (outcome != Outcome::kIgnored) load->Observe(outcome, latency, now);
}

Load::Token Load::Start() {
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  return Token(*this);
}

void Load::Observe(Outcome outcome, Duration latency, TimePoint now) {
  const std::uint32_t stamp = Stamp(now);
  const bool failed = outcome == Outcome::kFailure;

  const auto seen = static_cast<float>(std::max(latency, Duration(1)).count());  // 0: not known
  std::uint64_t word = latency_.load(std::memory_order_relaxed);
  while (true) {
    const Figure before = Unpack(word);
    const double left = before.value == 0 ? 0 : Left(before, stamp);
    // A failure says how slow it can be, not how fast: refusing at once is no merit.
    if (failed && (left == 0 || seen <= before.value)) break;
    Figure after{.stamp = stamp, .value = seen};
    if (left != 0 && seen <= before.value) {
      after.value = static_cast<float>(before.value * left + seen * (1 - left));
    }
    if (latency_.compare_exchange_weak(word, Pack(after), std::memory_order_relaxed)) break;
  }

  word = failures_.load(std::memory_order_relaxed);
  while (failed || Unpack(word).value != 0) {
    const Figure before = Unpack(word);
    auto share = static_cast<float>(before.value * Left(before, stamp));
    share += ((failed ? 1.0F : 0.0F) - share) / kCalls;
    if (share < kNoFailures) share = 0;
    const Figure after{.stamp = stamp, .value = share};
    if (failures_.compare_exchange_weak(word, Pack(after), std::memory_order_relaxed)) break;
  }
}

Duration Load::Latency(TimePoint now) const {
  const Figure figure = Unpack(latency_.load(std::memory_order_relaxed));
  if (figure.value == 0) return Duration::zero();
  return Duration(static_cast<std::int64_t>(figure.value * Left(figure, Stamp(now))));
}

double Load::FailureShare(TimePoint now) const {
  const Figure figure = Unpack(failures_.load(std::memory_order_relaxed));
  return figure.value == 0 ? 0 : figure.value * Left(figure, Stamp(now));
}

double Load::Penalty(TimePoint now) const {
  const double success = std::max(1 - FailureShare(now), kLeastSuccess);
  return 1 / (success * success);
}

}  // namespace hale::policy
