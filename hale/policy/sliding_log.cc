#include "hale/policy/sliding_log.h"

#include <algorithm>
#include <utility>

namespace hale::policy {

TimePoint SlidingLogCore::Last(std::uint64_t k) const {
  return k > held_ ? TimePoint::min() : ring_[(logged_ - k) % ring_.size()];
}

std::expected<TimePoint, Rejection> SlidingLogCore::Take(TimePoint now, std::uint64_t weight) {
  const std::uint64_t limit = ring_.size();
  const auto refused = [&](Duration retry_after) {
    return std::unexpected(Rejection{Reason::kRateLimited, retry_after,
                                     static_cast<double>(count(now) + weight),
                                     static_cast<double>(limit)});
  };
  if (weight > limit) return refused(kForever);
  if (weight == 0) return now;
  // A clock that is behind another's counts as that: the log stays in order.
  now = std::max(now, Last(1));
  // The calls that may stay beside these; the one before them must have left.
  const TimePoint leaves = SaturatingAdd(Last(limit - weight + 1), window_);
  if (leaves > now) return refused(leaves - now);
  for (std::uint64_t i = 0; i < weight; ++i) ring_[logged_++ % limit] = now;
  held_ = std::min(held_ + weight, limit);
  return now;
}

void SlidingLogCore::GiveBack(TimePoint at, std::uint64_t weight) {
  const std::uint64_t size = ring_.size();
  std::uint64_t later = 0;  // calls logged after it: none but in a race
  while (later < held_ && Last(later + 1) > at) ++later;
  std::uint64_t found = 0;
  while (found < weight && later + found < held_ && Last(later + found + 1) == at) ++found;
  for (std::uint64_t k = later; k > 0; --k) {
    ring_[(logged_ - k - found) % size] = ring_[(logged_ - k) % size];
  }
  logged_ -= found;
  held_ -= found;
}

void SlidingLogCore::Resize(std::uint64_t limit, Duration window) {
  limit = std::max<std::uint64_t>(limit, 1);
  const auto parts = static_cast<std::int64_t>((limit - 1) / kMostLogged + 1);
  limit /= static_cast<std::uint64_t>(parts);
  const std::uint64_t kept = std::min(held_, limit);
  std::vector<TimePoint> ring(limit);
  for (std::uint64_t k = kept; k > 0; --k) ring[kept - k] = Last(k);
  ring_ = std::move(ring);
  logged_ = held_ = kept;
  window_ = std::max(window - window / parts * (parts - 1), Duration(1));
}

std::uint64_t SlidingLogCore::count(TimePoint now) const {
  // The log is in order: the first that has left is looked for by halves.
  std::uint64_t low = 0;
  std::uint64_t high = held_;
  while (low < high) {
    const std::uint64_t middle = (low + high + 1) / 2;
    const bool inside = SaturatingAdd(Last(middle), window_) > now;
    if (inside) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

SlidingLog::SlidingLog(const SlidingLogOptions& options, RateLimiterContext context)
    : context_(std::move(context)),
      mode_(options.mode),
      core_(options.rate.permits, options.rate.per) {}

std::expected<SlidingLog::Taken, Rejection> SlidingLog::Take(TimePoint now, std::uint64_t weight,
                                                             EventSink* trail) {
  const Mode mode = mode_.load(std::memory_order_relaxed);
  if (mode == Mode::kOff) return {};
  const auto taken = core_.With([&](SlidingLogCore& core) { return core.Take(now, weight); });
  if (taken) return Taken{*taken, weight};
  refusals_.Count(mode);
  if (mode == Mode::kEnforce) return std::unexpected(taken.error());
  TrailOr(trail, context_.events).On(WouldRefuse(taken.error(), context_.name, now));
  return {};
}

void SlidingLog::GiveBack(const Taken& taken) {
  if (taken.weight == 0) return;
  core_.With([&](SlidingLogCore& core) { core.GiveBack(taken.at, taken.weight); });
}

void SlidingLog::Apply(const SlidingLogOptions& options) {
  core_.With([&](SlidingLogCore& core) { core.Resize(options.rate.permits, options.rate.per); });
  mode_.store(options.mode, std::memory_order_relaxed);
}

std::uint64_t SlidingLog::count(TimePoint now) const {
  return core_.With([&](const SlidingLogCore& core) { return core.count(now); });
}

}  // namespace hale::policy
