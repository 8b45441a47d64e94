#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <tuple>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/policy/lanes.h"
#include "hale/policy/mode.h"
#include "hale/policy/reception.h"
#include "hale/policy/refusals.h"
#include "hale/policy/throttle_lane.h"

namespace hale::policy {

struct ThrottleOptions {
  Mode mode = Mode::kOff;
  double k = 2;                      ///< > 1: calls let through for each that is taken
  Duration window = 10s;             ///< how far back attempts are remembered, in whole seconds
  double max_share = 0.95;           ///< [0, 1) of calls held back, at most
  std::uint32_t minimum_calls = 20;  ///< in the window before anything is held back

  friend bool operator==(const ThrottleOptions&, const ThrottleOptions&) = default;
};

constexpr auto Fields(Type<ThrottleOptions>) {
  using O = ThrottleOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"k", &O::k, 1.1, 10.0, "calls let through for each that the service takes"},
      Field{"window", &O::window, 2s, 1min, "how far back attempts are remembered, whole seconds"},
      Field{"max_share", &O::max_share, 0.0, 0.999, "of calls held back, at most"},
      Field{"minimum_calls", &O::minimum_calls, 1, 1'000'000,
            "in the window before anything is held back"}};
}

/// The share of calls to hold back, [0, max_share]: (requests - k × taken) / (requests + 1) of the
/// whole window (B. Beyer et al., "Site Reliability Engineering", 2016, ch. 21, "Client-side
/// throttling"); `requests` are those sent and those held back. By that alone a service that is
/// well again gets its load back by a factor of k a window only. So while nine of ten that were
/// sent in the `recent` second or two are taken, those decide where that lets more through: the
/// same law, in a shorter time. Pure.
double ShareHeldBack(const ThrottleOptions& options, const ThrottleCounts& window,
                     const ThrottleCounts& recent);

/// What surrounds a throttle. The references outlive it.
struct ThrottleContext {
  std::string service{};  ///< for events
  EventSink& events = NullSink();
};

/// For /status.
struct ThrottleStatus {
  double share = 0;                ///< of calls held back now
  ThrottleCounts window;           ///< what is remembered
  std::uint64_t refused = 0;       ///< calls held back since it was made
  std::uint64_t would_refuse = 0;  ///< in shadow
};

/// Does not send a share of the calls to a service that turns much away, since also a refusal costs
/// it work. Lets one call of each second through whatever happens; within a window after the last
/// attempt that was turned away it is out of the way. One for each service, shared by all loops: a
/// call that is not held back reads one word, its attempts count in their thread's own lane. Counts
/// while it is not off. Refusals in `enforce` are the caller's to tell. Thread-safe.
class Throttle {
 public:
  explicit Throttle(const ThrottleOptions& options = {}, ThrottleContext context = {});
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;

  /// A call wants to be sent: it may, or is held back (`throttled`, with the share and the share of
  /// requests that was taken), which counts as a request that was not taken. A refusal that shadow
  /// holds back is told the call's `trail`.
  std::expected<void, Rejection> Admit(TimePoint now, Random& random, EventSink* trail = nullptr) {
    if (!Troubled(now)) return {};
    return AdmitInTrouble(now, random, trail);
  }
  /// How an attempt was received, each of a call's.
  void Count(Reception reception, TimePoint now) {
    if (mode_.load(std::memory_order_relaxed) != Mode::kOff) Remember(reception, now);
  }

  bool enforced() const { return mode_.load(std::memory_order_relaxed) == Mode::kEnforce; }
  /// The share of calls that would be held back now.
  double share(TimePoint now) const;
  ThrottleStatus Status(TimePoint now) const;

  /// New options at once; what is remembered stays.
  void Apply(const ThrottleOptions& options);

 private:
  struct Sums {
    ThrottleCounts window;
    ThrottleCounts recent;
  };

  /// Whether anything has been turned away in the window: without that nothing is held back.
  bool Troubled(TimePoint now) const {
    const std::int64_t last = turned_away_.load(std::memory_order_relaxed);
    return last != kNeverYet &&
           now.time_since_epoch().count() - last <= window_.load(std::memory_order_relaxed).count();
  }
  void Remember(Reception reception, TimePoint now);
  std::expected<void, Rejection> AdmitInTrouble(TimePoint now, Random& random, EventSink* trail);
  bool TakeProbe(TimePoint now);
  ThrottleOptions options() const;
  Sums Sum(TimePoint now) const;

  static constexpr std::int64_t kNeverYet = INT64_MIN;

  const ThrottleContext context_;
  std::atomic<Mode> mode_;
  std::atomic<double> k_;
  std::atomic<Duration> window_;
  std::atomic<double> max_share_;
  std::atomic<std::uint32_t> minimum_calls_;
  std::atomic<std::int64_t> turned_away_{kNeverYet};  // when, last
  /// Written in trouble only, so not beside what all calls read.
  alignas(64) std::atomic<std::int64_t> let_through_{kNeverYet};  // the second of the last
  Refusals refusals_;
  Lanes<ThrottleLane> lanes_;
};

}  // namespace hale::policy
