#include "hale/policy/throttle.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

double ByTheBook(double k, const ThrottleCounts& counts) {
  const auto requests = static_cast<double>(counts.requests());
  return (requests - k * static_cast<double>(counts.taken)) / (requests + 1);
}

bool NearlyAllTaken(const ThrottleCounts& counts) {
  return counts.taken > 0 && 10 * counts.taken >= 9 * counts.sent;
}

}  // namespace

double ShareHeldBack(const ThrottleOptions& options, const ThrottleCounts& window,
                     const ThrottleCounts& recent) {
  if (window.requests() < options.minimum_calls) return 0;
  double share = ByTheBook(options.k, window);
  if (NearlyAllTaken(recent)) share = std::min(share, ByTheBook(options.k, recent));
  return std::clamp(share, 0.0, options.max_share);
}

Throttle::Throttle(const ThrottleOptions& options, ThrottleContext context)
    : context_(std::move(context)) {
  Apply(options);
}

void Throttle::Apply(const ThrottleOptions& options) {
  mode_.store(options.mode, std::memory_order_relaxed);
  k_.store(options.k, std::memory_order_relaxed);
  window_.store(options.window, std::memory_order_relaxed);
  max_share_.store(options.max_share, std::memory_order_relaxed);
  minimum_calls_.store(options.minimum_calls, std::memory_order_relaxed);
}

ThrottleOptions Throttle::options() const {
  return {.mode = mode_.load(std::memory_order_relaxed),
          .k = k_.load(std::memory_order_relaxed),
          .window = window_.load(std::memory_order_relaxed),
          .max_share = max_share_.load(std::memory_order_relaxed),
          .minimum_calls = minimum_calls_.load(std::memory_order_relaxed)};
}

void Throttle::Remember(Reception reception, TimePoint now) {
  if (reception == Reception::kUnknown) return;
  const bool taken = reception == Reception::kTaken;
  lanes_.Mine().Sent(ThrottleLane::Second(now), taken);
  if (!taken) turned_away_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

/// What is remembered at `now`. Another loop may be ahead by the beginning of a second.
Throttle::Sums Throttle::Sum(TimePoint now) const {
  const std::int64_t last = ThrottleLane::Second(now) + 1;
  const auto window =
      std::chrono::floor<std::chrono::seconds>(window_.load(std::memory_order_relaxed)).count();
  Sums sums;
  lanes_.ForEach([&](const ThrottleLane& lane) {
    for (std::int64_t back = 0; back <= window; ++back) {
      const ThrottleCounts counts = lane.Read(last - back);
      sums.window += counts;
      if (back <= 2) sums.recent += counts;
    }
  });
  return sums;
}

double Throttle::share(TimePoint now) const {
  if (!Troubled(now) || mode_.load(std::memory_order_relaxed) == Mode::kOff) return 0;
  const Sums sums = Sum(now);
  return ShareHeldBack(options(), sums.window, sums.recent);
}

std::expected<void, Rejection> Throttle::AdmitInTrouble(TimePoint now, Random& random,
                                                        EventSink* trail) {
  const ThrottleOptions options = this->options();
  if (options.mode == Mode::kOff) return {};
  const Sums sums = Sum(now);
  const double share = ShareHeldBack(options, sums.window, sums.recent);
  if (share <= 0) return {};
  if (random.Unit() >= share) {
    let_through_.store(ThrottleLane::Second(now), std::memory_order_relaxed);
    return {};
  }
  if (TakeProbe(now)) return {};

  refusals_.Count(options.mode);
  const Rejection rejection{.reason = Reason::kThrottled,
                            .observed = share,
                            .threshold = static_cast<double>(sums.window.taken) /
                                         static_cast<double>(sums.window.requests())};
  if (options.mode == Mode::kEnforce) {
    lanes_.Mine().Held(ThrottleLane::Second(now));
    return std::unexpected(rejection);
  }
  Event event;
  event.at = now;
  event.kind = EventKind::kWouldRefuse;
  event.reason = rejection.reason;
  event.policy = "throttle";
  event.service = context_.service;
  event.observed = rejection.observed;
  event.threshold = rejection.threshold;
  TrailOr(trail, context_.events).On(event);
  return {};
}

/// Whether nothing has been let through in this second: then one of all threads' calls is.
bool Throttle::TakeProbe(TimePoint now) {
  const std::int64_t second = ThrottleLane::Second(now);
  std::int64_t last = let_through_.load(std::memory_order_relaxed);
  return last != second &&
         let_through_.compare_exchange_strong(last, second, std::memory_order_relaxed);
}

ThrottleStatus Throttle::Status(TimePoint now) const {
  return {.share = share(now),
          .window = Sum(now).window,
          .refused = refusals_.refused(),
          .would_refuse = refusals_.would_refuse()};
}

}  // namespace hale::policy
