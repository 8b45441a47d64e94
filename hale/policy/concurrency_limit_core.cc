#include "hale/policy/concurrency_limit_core.h"

#include <algorithm>
#include <cmath>

namespace hale::policy {
namespace {

constexpr double kStray = 0.01;     // of a window's attempts: their loss says nothing
constexpr double kBackOff = 0.9;    // AIMD's decrease
constexpr double kSmoothing = 0.2;  // Gradient2's, as are the two below
constexpr double kLeastQueue = 4;
constexpr double kSteepest = 0.5;
constexpr double kLearning = 0.1;  // a window's weight for what calls take without load

}  // namespace

ConcurrencyLimitCore::ConcurrencyLimitCore(const ConcurrencyLimitOptions& options,
                                           std::uint32_t most)
    : options_(options), most_(most), limit_(Clamped(options.start)) {}

void ConcurrencyLimitCore::Apply(const ConcurrencyLimitOptions& options, std::uint32_t most) {
  if (options_.kind != options.kind) fall_ = {};
  options_ = options;
  most_ = most;
  limit_ = Clamped(limit_);
}

double ConcurrencyLimitCore::Clamped(double limit) const {
  return std::min(std::max(limit, static_cast<double>(options_.min)), most_);
}

void ConcurrencyLimitCore::OnWindow(const LimitWindow& window) {
  const auto samples = static_cast<double>(window.answered + window.dropped);
  if (samples == 0) return;
  const bool in_use = window.in_flight >= limit_ / 2;
  double next = limit_;
  if (window.answered > 0) {
    Learn(window, in_use);
    if (in_use) next = options_.kind == LimitKind::kGradient2 ? Gradient(window) : limit_ + 1;
  }
  if (static_cast<double>(window.dropped) > kStray * samples) {
    next = std::min(next, limit_ * kBackOff);
  }
  if (!window.in_force) next = std::max(next, WentWell(window));
  limit_ = Clamped(next);
}

/// Calls that nobody holds back are as many and as slow whatever the limit is, so that it would
/// fall and fall by them. By Little's law (1961) so many would be out if each took no longer than
/// tolerated and none were dropped: where a limit in force would come to rest.
double ConcurrencyLimitCore::WentWell(const LimitWindow& window) const {
  if (window.answered == 0) return 0;
  const auto answered = static_cast<double>(window.answered);
  const double share = answered / (answered + static_cast<double>(window.dropped));
  const bool by_latency = options_.kind == LimitKind::kGradient2;
  return window.in_flight * share * (by_latency ? std::min(1.0, Tolerated(window)) : 1);
}

/// The latency that is tolerated, as a multiple of the window's.
double ConcurrencyLimitCore::Tolerated(const LimitWindow& window) const {
  return options_.tolerance * Seconds(no_load_) / Seconds(window.latency);
}

double ConcurrencyLimitCore::Gradient(const LimitWindow& window) {
  const double gradient = std::max(kSteepest, Tolerated(window));
  if (gradient < 1) {
    Watch(window);
    return limit_ * (1 - kSmoothing * (1 - gradient));
  }
  fall_ = {};
  return limit_ + kSmoothing * std::max(kLeastQueue, std::sqrt(limit_));
}

void ConcurrencyLimitCore::Learn(const LimitWindow& window, bool in_use) {
  const Duration latency = std::max(window.latency, Duration(1));
  if (no_load_ == Duration::zero()) {
    no_load_ = latency;
    return;
  }
  // A mean of few may be low by chance: what it is surely no more than is two deviations above, of
  // times that vary as much as their mean.
  const double doubt = 1 + 2 / std::sqrt(static_cast<double>(window.answered));
  no_load_ = std::min(no_load_, Scale(latency, doubt));
  if (!in_use) no_load_ += Scale(latency - no_load_, kLearning);
}

/// A queue of ours becomes shorter with the limit, and calls faster; the service's own time does
/// not. By the middle between the two it is judged which it was, when the limit has been halved or
/// can fall no further. Nothing follows from a limit that binds nobody, or that is not reached yet:
/// more are out than were allowed a step ago.
void ConcurrencyLimitCore::Watch(const LimitWindow& window) {
  if (!window.in_force || window.in_flight > limit_ / kBackOff) {
    fall_ = {};
    return;
  }
  const Duration latency = window.latency;
  if (fall_.limit == 0) fall_ = {limit_, latency};
  const bool lowest = limit_ <= Clamped(0);
  if (limit_ > fall_.limit / 2 && !lowest) return;
  const double ratio = limit_ / fall_.limit;
  if (latency > Scale(fall_.latency, (1 + ratio) / 2) || (lowest && ratio == 1)) {
    no_load_ += lowest ? Scale(latency - no_load_, kLearning) : latency - no_load_;
  }
  fall_ = {limit_, latency};
}

}  // namespace hale::policy
