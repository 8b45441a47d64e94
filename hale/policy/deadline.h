#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/outcome.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"
#include "hale/policy/recent_latency.h"

namespace hale::policy {

struct DeadlineOptions {
  Mode mode = Mode::kShadow;  ///< what has no time left at all is refused in each mode
  double quantile = 0.05;     ///< (0, 0.5] of recent answers came sooner than what a call needs
  std::uint32_t minimum_calls = 100;  ///< recent answers before anything is refused
  double most_refused = 0.2;          ///< [0, 1] of the calls in 10 s: more would be our mistake

  friend bool operator==(const DeadlineOptions&, const DeadlineOptions&) = default;
};

constexpr auto Fields(Type<DeadlineOptions>) {
  using O = DeadlineOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"quantile", &O::quantile, 0.001, 0.5, "share of recent answers that came sooner"},
      Field{"minimum_calls", &O::minimum_calls, 1, 100'000,
            "recent answers that are needed to tell"},
      Field{"most_refused", &O::most_refused, 0.0, 1.0, "of the calls in 10 s, at most"}};
}

/// What of the remaining time a call of one's own may take, so that enough is left for the rest.
struct ChildBudget {
  Duration reserve{0};  ///< for the work after it
  double share = 1;     ///< of what remains without the reserve; (0, 1]
};

/// The time for such a call; never negative, kForever when there is no deadline. Pure.
constexpr Duration ChildTime(Duration remaining, const ChildBudget& budget) {
  if (remaining == kForever) return kForever;
  return std::max(Duration::zero(), Scale(remaining - budget.reserve, budget.share));
}

/// Refuses a call at once when its deadline cannot be met: hardly one recent answer came as soon as
/// it would have to. Work that will be thrown away keeps a service down that could recover (L5 in
/// doc/deadline.md). A low quantile, not a mean: of calls of many kinds to one service it refuses
/// only those that all of them would take too long for. However wrong a clock or a carried deadline
/// is, no more than a share of the calls of 10 s is refused (Finagle's DeadlineFilter). To check is
/// one compare-and-swap. Thread-safe.
class DeadlineGate {
 public:
  explicit DeadlineGate(const DeadlineOptions& options = {});

  /// An answer took so long.
  void Record(Duration latency) {
    if (mode() != Mode::kOff) recent_.Record(latency);
  }
  /// Whether a call is seen for the first time, or once more after it has waited.
  enum class Look : std::uint8_t { kFirst, kAgain };
  /// Counts a call that has so much time left, at the first look. The rejection (`deadline`:
  /// seconds that remain, seconds needed) when it is too late for it; in shadow the call goes on
  /// all the same.
  std::optional<Rejection> Check(Duration remaining, TimePoint now, Look look = Look::kFirst);
  /// The time that a call needs; zero: nothing is known, or it is off.
  Duration Needed(TimePoint now);

  Mode mode() const { return mode_.load(std::memory_order_relaxed); }
  bool enforced() const { return mode() == Mode::kEnforce; }
  /// Recent answers that this stands on.
  std::uint64_t calls() const { return recent_.count(); }

  void Apply(const DeadlineOptions& options);

 private:
  bool Count(bool late, TimePoint now, Look look);

  RecentLatency recent_;
  std::atomic<Mode> mode_;
  std::atomic<std::uint32_t> minimum_calls_;
  std::atomic<double> quantile_;
  std::atomic<double> most_refused_;
  alignas(64) std::atomic<std::uint64_t> counted_{0};  // number of the 10 s | calls | refused
};

}  // namespace hale::policy
