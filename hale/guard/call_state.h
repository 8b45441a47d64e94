#pragma once

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <string_view>

#include "hale/base/event.h"
#include "hale/base/executor.h"
#include "hale/guard/call_policies.h"
#include "hale/guard/sender.h"
#include "hale/guard/targets.h"

namespace hale::guard {

/// What the attempts of one call have in common. The references outlive it. Loop-bound.
template <class T>
struct CallState {
  Executor& executor;
  const CallPolicies& policies;
  const CallSpec& spec;
  Targets& targets;
  Sender<T>& sender;
  std::stop_token caller = {};        ///< who waits for the call
  Tried tried = {};                   ///< whom attempts were sent to
  std::uint32_t attempts = 0;         ///< second ones of a race included
  Executed executed = Executed::kNo;  ///< the most that any attempt may have done

  /// When an attempt that begins now is no longer waited for.
  TimePoint Until(TimePoint now, std::uint32_t number) const {
    const Duration per_try = PerTry(policies, spec, number);
    return std::min(spec.deadline, SaturatingAdd(now, per_try));
  }
  /// What the next attempt wants of a target.
  Wanted WantedAt(TimePoint now) const { return WantedUntil(Until(now, attempts + 1), now); }
  Wanted WantedUntil(TimePoint until, TimePoint now) const {
    const Duration timeout = until == kNever ? Duration::zero() : until - now;
    return {tried, now, timeout, policies.random, spec.balance_key, &spec.trail};
  }
  void Tell(Event event, std::string_view instance) const {
    event.service = spec.service;
    event.instance = instance;
    spec.trail.On(event);
  }
};

}  // namespace hale::guard
