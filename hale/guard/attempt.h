#pragma once

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <utility>

#include "hale/base/clock.h"
#include "hale/policy/deadline.h"
#include "hale/policy/priority.h"

namespace hale::guard {

/// What one attempt of a call is told: how long it may take, what it is worth, and whether anybody
/// still waits. Thread-safe.
class Attempt {
 public:
  /// The clock outlives it.
  Attempt(std::uint32_t number, TimePoint until, const Clock& clock, std::stop_token stop,
          policy::Priority priority = policy::Priority::kCritical)
      : number_(number),
        priority_(priority),
        until_(until),
        clock_(&clock),
        stop_(std::move(stop)) {}

  /// From 1.
  std::uint32_t number() const { return number_; }
  /// When its answer is no longer waited for.
  TimePoint until() const { return until_; }
  /// Time left, never negative; kForever without a deadline.
  Duration remaining() const {
    if (until_ == kNever) return kForever;
    return std::max(Duration::zero(), until_ - clock_->Now());
  }
  /// What of it one of the callable's own calls may take: `inner.Call(f, {.within =
  /// attempt.ForChild({.reserve = 50ms})})` leaves 50 ms for the work after it.
  Duration ForChild(const policy::ChildBudget& budget) const {
    return policy::ChildTime(remaining(), budget);
  }
  /// What its call is worth, and so the calls that the callable makes for it.
  policy::Priority priority() const { return priority_; }
  /// Requested when the answer is no longer wanted.
  const std::stop_token& stop() const { return stop_; }

 private:
  std::uint32_t number_;
  policy::Priority priority_;
  TimePoint until_;
  const Clock* clock_;
  std::stop_token stop_;
};

}  // namespace hale::guard
