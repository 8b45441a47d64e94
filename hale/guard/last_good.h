#pragma once

#include <concepts>
#include <optional>
#include <utility>

#include "hale/base/clock.h"
#include "hale/base/error.h"
#include "hale/base/guarded.h"

namespace hale::guard {

/// The last good value of a call, for when the next one fails, no older than `max_age`. The clock
/// outlives it. Thread-safe.
template <std::copyable T>
class LastGood {
 public:
  explicit LastGood(Duration max_age, const Clock& clock = RealClock())
      : max_age_(max_age), clock_(clock) {}

  void Remember(T value) {
    std::optional<Kept> kept(Kept{std::move(value), clock_.Now()});
    // The old value goes after the lock.
    kept_.With([&](std::optional<Kept>& now) { now.swap(kept); });
  }
  /// Nothing if there is none, or it is too old.
  std::optional<T> Get() const {
    const TimePoint now = clock_.Now();
    return kept_.With([&](const std::optional<Kept>& kept) -> std::optional<T> {
      if (!kept || now - kept->since > max_age_) return std::nullopt;
      return kept->value;
    });
  }
  /// The same for Fallback::Or: without a value the failure stays what it was.
  Result<T> operator()(const Error& why) const {
    if (auto value = Get()) return *std::move(value);
    return std::unexpected(why);
  }

 private:
  struct Kept {
    T value;
    TimePoint since;
  };
  const Duration max_age_;
  const Clock& clock_;
  Guarded<std::optional<Kept>> kept_;
};

}  // namespace hale::guard
