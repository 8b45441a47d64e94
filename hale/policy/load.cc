#include "hale/policy/load.h"

#include <algorithm>
#include <utility>

#include "hale/policy/stamped.h"

namespace hale::policy {
namespace {

constexpr float kCalls = 16;  // the failure share's memory
constexpr float kNoFailures = 1e-3F;
constexpr double kLeastSuccess = 1.0 / 64;

}  // namespace

void Load::Token::Settle(Outcome outcome, Duration latency, TimePoint now) {
  Observe(outcome, latency, now);
  if (Load* load = std::exchange(load_, nullptr)) load->End();
}

Load::Token Load::Start() {
  std::uint32_t out = in_flight();
  while (out < most()) {
    if (in_flight_.compare_exchange_weak(out, out + 1, std::memory_order_relaxed)) {
      return Token(*this);
    }
  }
  return {};
}

void Load::Observe(Outcome outcome, Duration latency, TimePoint now) {
  const std::uint32_t stamp = Stamped::At(now);
  const bool failed = outcome == Outcome::kFailure;
  usual_.Observe(outcome, latency, now);

  const auto seen = static_cast<float>(std::max(latency, Duration(1)).count());  // 0: not known
  std::uint64_t word = latency_.load(std::memory_order_relaxed);
  while (true) {
    const Stamped before = Stamped::From(word);
    const double left = before.value() == 0 ? 0 : before.Left(stamp);
    // A failure says how slow it can be, not how fast: refusing at once is no merit.
    if (failed && (left == 0 || seen <= before.value())) break;
    float after = seen;
    if (left != 0 && seen <= before.value()) {
      after = static_cast<float>(before.value() * left + seen * (1 - left));
    }
    if (latency_.compare_exchange_weak(word, Stamped::Of(stamp, after).word(),
                                       std::memory_order_relaxed))
      break;
  }

  word = failures_.load(std::memory_order_relaxed);
  while (failed || Stamped::From(word).value() != 0) {
    const Stamped before = Stamped::From(word);
    auto share = static_cast<float>(before.value() * before.Left(stamp));
    share += ((failed ? 1.0F : 0.0F) - share) / kCalls;
    if (share < kNoFailures) share = 0;
    const std::uint64_t after = Stamped::Of(stamp, share).word();
    if (failures_.compare_exchange_weak(word, after, std::memory_order_relaxed)) break;
  }
}

Duration Load::Latency(TimePoint now) const {
  const Stamped figure = Stamped::From(latency_.load(std::memory_order_relaxed));
  if (figure.value() == 0) return Duration::zero();
  return Duration(static_cast<std::int64_t>(figure.value() * figure.Left(Stamped::At(now))));
}

double Load::FailureShare(TimePoint now) const {
  const Stamped figure = Stamped::From(failures_.load(std::memory_order_relaxed));
  return figure.value() == 0 ? 0 : figure.value() * figure.Left(Stamped::At(now));
}

double Load::PenaltyOfFailures(TimePoint now) const {
  const double success = std::max(1 - FailureShare(now), kLeastSuccess);
  return 1 / (success * success);
}

}  // namespace hale::policy
