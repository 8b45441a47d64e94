#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "hale/base/field.h"
#include "hale/policy/gcra.h"
#include "hale/policy/mode.h"
#include "hale/policy/rate_limiter.h"
#include "hale/policy/refusals.h"

namespace hale::policy {

/// Calls at even distances.
struct PacerOptions {
  Mode mode = Mode::kEnforce;
  Rate rate{100, 1s};         ///< > 0
  std::uint64_t slack = 10;   ///< turns that a rest left unused and that may be made up for at once
  Duration max_wait = 500ms;  ///< a call whose turn is further away is refused
};

constexpr auto Fields(Type<PacerOptions>) {
  using O = PacerOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, neither waits nor refuses) or enforce"},
      Field{"rate", &O::rate, Rate{1, 24h * 365}, Rate{1'000'000'000, 1s}, "turns in a time"},
      Field{"slack", &O::slack, 0, 1'000'000'000, "turns that a rest lets be made up for at once"},
      Field{"max_wait", &O::max_wait, 0ms, 1min, "longest wait for a turn"},
  };
}

/// Spaces calls evenly: each reserves the next turn and is told how long to wait for it (a leaky
/// bucket as a meter of turns: J. Turner, "New directions in communications", 1986; `Take` with
/// slack of Uber's ratelimit, which waits itself and for ever). The state is one atomic word, GCRA
/// with a burst of slack + 1 whose refusals are turns ahead; so in any time t at most
/// rate × t + 1 + slack calls go, however they came. Who would wait too long is refused and
/// reserves nothing.
///
/// Who stops waiting gives its turn back: the last one is undone, one amid others is kept for
/// whoever comes next and would wait longer (eight at a time; a further one is lost). In `shadow`
/// turns are counted, nobody waits. Waiting is the caller's: sleep, then go; or Cancel.
/// Thread-safe.
class Pacer {
 public:
  /// A turn. A value.
  struct Turn {
    Duration wait{0};  ///< from when it was taken
    GcraTaken taken = {};
  };

  explicit Pacer(const PacerOptions& options, RateLimiterContext context = {});

  /// Reserves the next turn, unless it is further away than `max_wait` or `longest`: then refused
  /// with `rate_limited` (turns owed, turns that may be). A refusal that shadow holds back is told
  /// the call's `trail`.
  std::expected<Turn, Rejection> Take(TimePoint now, Duration longest = kForever,
                                      EventSink* trail = nullptr) {
    const Mode mode = mode_.load(std::memory_order_relaxed);
    if (mode == Mode::kOff) return {};
    return Reserve(mode, now, longest, trail);
  }
  std::expected<Turn, Rejection> Take() { return Take(context_.clock.Now()); }
  /// The turn will not be used.
  void Cancel(const Turn& turn, TimePoint now);

  /// Changes the figures; turns that are reserved stay reserved.
  void Apply(const PacerOptions& options, TimePoint now);
  void Apply(const PacerOptions& options) { Apply(options, context_.clock.Now()); }

  /// How far away the next new turn is; one that was given back may be nearer.
  Duration wait(TimePoint now) const;
  std::uint64_t refused() const { return refusals_.refused(); }
  std::uint64_t would_refuse() const { return refusals_.would_refuse(); }  ///< in shadow
  /// Calls that were told to wait.
  std::uint64_t delayed() const { return delayed_.load(std::memory_order_relaxed); }

 private:
  std::expected<Turn, Rejection> Reserve(Mode mode, TimePoint now, Duration longest,
                                         EventSink* trail);
  std::optional<Turn> TakeReturned(TimePoint now, Duration longest);
  void Keep(std::uint64_t word);

  RateLimiterContext context_;
  GcraPlans plans_;
  std::atomic<Mode> mode_;
  std::atomic<std::int64_t> max_wait_;
  /// Written by all calls, so not beside what they only read.
  alignas(64) std::atomic<std::uint64_t> word_;
  std::array<std::atomic<std::uint64_t>, 8> returned_{};  // turns given back, as words; 0: none
  std::atomic<std::int32_t> kept_{0};                     // so many of them
  Refusals refusals_;
  std::atomic<std::uint64_t> delayed_{0};
  std::mutex applying_;
};

}  // namespace hale::policy
