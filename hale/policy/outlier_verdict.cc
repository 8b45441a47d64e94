#include "hale/policy/outlier_verdict.h"

#include <algorithm>

namespace hale::policy {
namespace {

std::int64_t Ticks(TimePoint at) { return at.time_since_epoch().count(); }

/// The end of a rest that begins now, after so many rests before it.
TimePoint EndOfRest(const OutlierOptions& options, std::uint32_t rests, Random& random,
                    TimePoint now) {
  Duration rest = options.rest;
  for (std::uint32_t i = 0; i < rests && rest < options.max_rest; ++i) rest *= 2;
  rest = std::min(rest, std::max(options.rest, options.max_rest));
  return SaturatingAdd(now, rest + Scale(rest, 0.2 * random.Unit()));
}

}  // namespace

void PublishedVerdict::Publish(const InstanceVerdict& verdict, const OutlierOptions& options,
                               Random& random, TimePoint now) {
  const Use before = use_.load(std::memory_order_relaxed);
  ramp_from_.store(Ticks(verdict.ramp_from), std::memory_order_relaxed);
  if (verdict.use != Use::kOut) {
    probe_at_.store(Ticks(kNever), std::memory_order_relaxed);
  } else if (before != Use::kOut) {
    rests_.store(0, std::memory_order_relaxed);
    rests_from_.store(Ticks(now), std::memory_order_relaxed);
    probe_at_.store(Ticks(EndOfRest(options, 0, random, now)), std::memory_order_relaxed);
  }
  // Release: who sees the use sees the ramp and the rest that belong to it.
  use_.store(verdict.use, std::memory_order_release);
}

bool PublishedVerdict::TakeProbe(const OutlierOptions& options, Random& random, TimePoint now) {
  std::int64_t at = probe_at_.load(std::memory_order_relaxed);
  if (Ticks(now) < at) return false;
  const std::uint32_t rests = rests_.load(std::memory_order_relaxed) + 1;
  const std::int64_t next = Ticks(EndOfRest(options, rests, random, now));
  if (!probe_at_.compare_exchange_strong(at, next, std::memory_order_relaxed)) return false;
  rests_.fetch_add(1, std::memory_order_relaxed);
  rests_from_.store(Ticks(now), std::memory_order_relaxed);
  return true;
}

void PublishedVerdict::Hasten(const OutlierOptions& options, TimePoint now) {
  std::int64_t at = probe_at_.load(std::memory_order_relaxed);
  const TimePoint from(Duration(rests_from_.load(std::memory_order_relaxed)));
  const std::int64_t soon = Ticks(std::max(now, SaturatingAdd(from, options.rest)));
  if (at == Ticks(kNever) || soon >= at) return;
  probe_at_.compare_exchange_strong(at, soon, std::memory_order_relaxed);
}

}  // namespace hale::policy
