#include "hale/policy/concurrency_limit.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

/// The mean of fewer says too little; a window goes on until it has them.
constexpr std::uint64_t kFewest = 20;

}  // namespace

void LimitLane::Add(std::atomic<std::uint64_t>& cell, std::uint64_t more) {
  if (alone_) {
    cell.store(cell.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  } else {
    cell.fetch_add(more, std::memory_order_relaxed);
  }
}

void LimitLane::Add(const Sums& more) {
  Add(answered_, more.answered);
  Add(dropped_, more.dropped);
  Add(latency_, more.latency);
  Add(in_flight_, more.in_flight);
}

LimitLane::Sums LimitLane::Read() const {
  return {.answered = answered_.load(std::memory_order_relaxed),
          .dropped = dropped_.load(std::memory_order_relaxed),
          .latency = latency_.load(std::memory_order_relaxed),
          .in_flight = in_flight_.load(std::memory_order_relaxed)};
}

ConcurrencyLimit::ConcurrencyLimit(const ConcurrencyLimitOptions& options, std::uint32_t most,
                                   ConcurrencyLimitContext context)
    : context_(std::move(context)),
      mode_(options.mode),
      slow_call_(options.slow_call),
      most_(most),
      core_(options, most),
      kind_(options.kind),
      window_(options.window) {
  found_.store(core_.limit(), std::memory_order_relaxed);
}

void ConcurrencyLimit::Apply(const ConcurrencyLimitOptions& options, std::uint32_t most) {
  const std::lock_guard lock(turning_);
  if (options.mode != mode() || options.kind != kind_) BeginWindow();
  core_.Apply(options, most);
  kind_ = options.kind;
  window_ = options.window;
  most_.store(most, std::memory_order_relaxed);
  slow_call_.store(options.slow_call, std::memory_order_relaxed);
  found_.store(core_.limit(), std::memory_order_relaxed);
  mode_.store(options.mode, std::memory_order_relaxed);
}

void ConcurrencyLimit::KeptBy(Mode bulkhead) {
  if (bulkhead_.load(std::memory_order_relaxed) == bulkhead) return;
  const std::lock_guard lock(turning_);
  bulkhead_.store(bulkhead, std::memory_order_relaxed);
  BeginWindow();
}

/// With the next attempt; what was counted before says nothing about it.
void ConcurrencyLimit::BeginWindow() {
  before_ = Sum();
  due_.store(TimePoint::min(), std::memory_order_relaxed);
}

bool ConcurrencyLimit::Count(const LimitSample& sample, TimePoint now, EventSink* trail) {
  if (sample.reception == Reception::kUnknown) return false;
  const Duration slow = slow_call_.load(std::memory_order_relaxed);
  const bool too_slow = slow > Duration::zero() && sample.latency >= slow;
  const bool answered = sample.reception == Reception::kTaken && !too_slow;
  LimitLane::Sums one{.in_flight = sample.in_flight};
  if (answered) {
    one.answered = 1;
    one.latency = static_cast<std::uint64_t>(std::max(sample.latency, Duration::zero()).count());
  } else {
    one.dropped = 1;
  }
  lanes_.Mine().Add(one);
  if (mode() == Mode::kShadow) TellWouldRefuse(sample.in_flight, now, trail);
  return now >= due_.load(std::memory_order_relaxed) && Turn(now);
}

LimitLane::Sums ConcurrencyLimit::Sum() const {
  LimitLane::Sums all;
  lanes_.ForEach([&](const LimitLane& lane) {
    const LimitLane::Sums sums = lane.Read();
    all.answered += sums.answered;
    all.dropped += sums.dropped;
    all.latency += sums.latency;
    all.in_flight += sums.in_flight;
  });
  return all;
}

bool ConcurrencyLimit::Turn(TimePoint now) {
  const std::unique_lock lock(turning_, std::try_to_lock);
  if (!lock || now < due_.load(std::memory_order_relaxed)) return false;
  const bool first = due_.load(std::memory_order_relaxed) == TimePoint::min();
  const LimitLane::Sums all = Sum();
  const std::uint64_t answered = all.answered - before_.answered;
  const std::uint64_t dropped = all.dropped - before_.dropped;
  const std::uint64_t samples = answered + dropped;
  if (!first && samples >= kFewest) {
    // A lane may be between two of its additions; one call of many is a little off.
    const std::uint64_t latency =
        (all.latency - before_.latency) / std::max<std::uint64_t>(1, answered);
    core_.OnWindow({.answered = answered,
                    .dropped = dropped,
                    .latency = Duration(static_cast<Duration::rep>(latency)),
                    .in_flight = static_cast<double>(all.in_flight - before_.in_flight) /
                                 static_cast<double>(samples),
                    .in_force = mode() == Mode::kEnforce &&
                                bulkhead_.load(std::memory_order_relaxed) == Mode::kEnforce});
    before_ = all;
  }
  // What the new limit does shows in calls that began after it.
  due_.store(SaturatingAdd(now, std::max(window_, 2 * core_.no_load())), std::memory_order_relaxed);
  return found_.exchange(core_.limit(), std::memory_order_relaxed) != core_.limit();
}

void ConcurrencyLimit::TellWouldRefuse(std::uint32_t in_flight, TimePoint now,
                                       EventSink* trail) const {
  if (in_flight <= found()) return;
  Event event;
  event.at = now;
  event.kind = EventKind::kWouldRefuse;
  event.reason = Reason::kConcurrency;
  event.policy = "concurrency_limit";
  event.service = context_.service;
  event.observed = in_flight;
  event.threshold = found();
  TrailOr(trail, context_.events).On(event);
}

ConcurrencyLimitStatus ConcurrencyLimit::Status() const {
  const std::lock_guard lock(turning_);
  return {.limit = core_.limit(), .no_load = core_.no_load()};
}

void ApplyLimited(Bulkhead& bulkhead, BulkheadOptions options, ConcurrencyLimit& limit,
                  const ConcurrencyLimitOptions& limit_options) {
  limit.Apply(limit_options, options.limit);
  options.limit = limit.limit();
  bulkhead.Apply(options);
  Drive(bulkhead, limit);
}

void Drive(Bulkhead& bulkhead, ConcurrencyLimit& limit) {
  std::uint32_t told = 0;
  Mode mode{};
  do {
    told = limit.limit();
    mode = bulkhead.mode();
    bulkhead.SetLimit(told);
    limit.KeptBy(mode);
  } while (told != limit.limit() || mode != bulkhead.mode());
}

}  // namespace hale::policy
