#pragma once

#include <cstdint>
#include <string_view>

#include "hale/base/time.h"
#include "hale/policy/priority.h"

namespace hale::guard {

/// Whom one call of a guard is made for: how long that one waits, and what it is worth when not all
/// can be served. Nothing of it is taken from a call that this one is made within, unless it is
/// said: `{.within = attempt.ForChild({.reserve = 50ms}), .priority = attempt.priority()}`.
struct Caller {
  Duration within = kForever;  ///< waits no longer, if that is shorter than the guard's deadline
  policy::Priority priority = policy::Priority::kCritical;
  std::string_view partition = {};  ///< whose share of the bulkhead it uses; outlives the call
  /// A hash of who it is, with a secret (policy::KeyedHash) where strangers can choose it: calls of
  /// one key take turns in the queue as one. 0: said by nobody.
  std::uint64_t fair_key = 0;
};

}  // namespace hale::guard
