#pragma once

#include <cstdint>
#include <functional>

#include "hale/base/clock.h"
#include "hale/base/time.h"

namespace hale {

/// A place where code runs one piece after another: an event loop, or the simulator's. What runs on
/// one never needs a lock against what else runs on it.
class Executor {
 public:
  using Work = std::move_only_function<void()>;
  /// Names an armed timer; 0 names none.
  enum class Timer : std::uint64_t { kNone = 0 };

  virtual ~Executor() = default;
  /// Runs `work` later, in the order of posting, never inside this call. Thread-safe.
  virtual void Post(Work work) = 0;
  /// Runs `work` once at or after `when`, unless cancelled. Loop-bound.
  virtual Timer At(TimePoint when, Work work) = 0;
  /// Forgets a timer and destroys its work; one that has fired or is kNone is ignored. Loop-bound.
  virtual void Cancel(Timer timer) = 0;
  /// The instant of this turn of the loop. Loop-bound.
  virtual TimePoint Now() const = 0;
  virtual const Clock& clock() const = 0;
};

}  // namespace hale
