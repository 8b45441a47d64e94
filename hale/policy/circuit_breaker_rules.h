#pragma once

#include <cstdint>
#include <optional>

#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"

namespace hale::policy {

/// The whole admission state of a breaker. Trivially copyable, 16 bytes.
struct CircuitWord {
  std::uint32_t generation = 1;  ///< grows at each change of state; 0 is never a circuit's
  CircuitState state = CircuitState::kClosed;
  std::uint8_t out = 0;       ///< half-open: probes that have not answered
  std::uint8_t passed = 0;    ///< half-open: probes that succeeded
  std::uint8_t refailed = 0;  ///< rests in a row that ended in a failed probe
  /// Closed: the end of the ramp. Open: from here on a probe is let through. Half-open: the
  /// episode's deadline. Forced: until then.
  TimePoint until = TimePoint::min();

  friend bool operator==(const CircuitWord&, const CircuitWord&) = default;
};
static_assert(sizeof(CircuitWord) == 16);

/// What an answer means to a breaker.
enum class Verdict : std::uint8_t { kGood, kFailed, kSlow, kIgnored };

/// A success that took `slow_call` or longer is slow; 0: none is. Pure.
Verdict Judge(Outcome outcome, Duration latency, Duration slow_call);

constexpr bool IsBad(Verdict verdict) {
  return verdict == Verdict::kFailed || verdict == Verdict::kSlow;
}

/// The figures of a window that decide.
struct CircuitEvidence {
  std::uint64_t good = 0;
  std::uint64_t failed = 0;
  std::uint64_t slow = 0;
  std::uint64_t hung = 0;         ///< calls out for longer than HungAfter()
  std::uint64_t hung_in_row = 0;  ///< those of them sent after the last call that went well
  std::uint64_t bad_in_row = 0;   ///< bad answers since the last good one
};

/// Why a circuit opens.
struct CircuitTrip {
  Reason reason = Reason::kNone;
  double observed = 0;
  double threshold = 0;
};

/// How long a call may be out before it counts as bad: the shorter of `slow_call` (beyond it the
/// answer will be slow whatever it is) and `hung_after`; kForever when neither is on, or when it is
/// more than the 31 buckets for which calls that are out are told apart by age. Pure.
Duration HungAfter(const CircuitBreakerOptions& options);

/// The share of calls let through at `now`: 0.1 to 1 over the ramp, 1 after it. Pure.
double AdmitShare(const CircuitWord& word, TimePoint now, const CircuitBreakerOptions& options);

/// Whether a closed circuit must open. In the ramp fewer calls pass, so that fewer are asked for:
/// `minimum_calls` × AdmitShare, at least `probes`. Pure.
std::optional<CircuitTrip> Decide(const CircuitEvidence& evidence, double admit_share,
                                  const CircuitBreakerOptions& options);

/// A call that asks to enter.
struct CircuitAsk {
  TimePoint now;
  Duration timeout{0};  ///< the longest the call may take; 0: unknown
};

struct CircuitStep {
  CircuitWord word;
  bool admitted = true;
  /// Of a refusal: kCircuitOpen, kProbing or kForced. Figures only of kProbing: probes that are out
  /// and how many there may be, or in a ramp what was drawn and the share below it.
  Rejection rejection;
};

/// What a call that asks makes of the word. A forced state past its time, an open circuit that has
/// rested (`now >= until`) and a half-open episode past its deadline change state here. Pure.
CircuitStep Enter(CircuitWord word, CircuitAsk ask, const CircuitBreakerOptions& options,
                  Random& random);

/// What a probe's answer makes of a half-open word: closed when all have passed, open for twice as
/// long when one is bad, a free place when it is ignored. Pure.
CircuitWord Settle(CircuitWord word, Verdict verdict, TimePoint now,
                   const CircuitBreakerOptions& options, Random& random);

/// `word` opened at `now`: the next generation, resting open_for × 2^refailed, at most open_max,
/// plus jitter. Pure.
CircuitWord Opened(CircuitWord word, TimePoint now, const CircuitBreakerOptions& options,
                   Random& random);

/// Held open or closed until `until`, by kForcedOpen or kForcedClosed. Pure.
CircuitWord Forced(const CircuitWord& word, CircuitState state, TimePoint until);
/// What follows an order that is lifted at `now`: a circuit that was held open has rested, one that
/// was held closed is closed; others stay. Pure.
CircuitWord Released(CircuitWord word, TimePoint now);
/// Closed without a ramp. Pure.
CircuitWord Fresh(const CircuitWord& word);
/// The same with the rest at its end, if it is resting: the next call is a probe. Pure.
CircuitWord Awake(CircuitWord word, TimePoint now);
/// Why a half-open circuit opens. Pure.
CircuitTrip ProbeFailed(const CircuitWord& word, const CircuitBreakerOptions& options);

/// The state that a person sees at `now`: an open circuit that has rested is half-open, a forced
/// one past its time what it will become. Pure.
CircuitState StateAt(const CircuitWord& word, TimePoint now);
/// The state that others are to go by: in shadow an operator's order or kClosed, off kClosed. Pure.
CircuitState StateInForce(const CircuitWord& word, TimePoint now,
                          const CircuitBreakerOptions& options);

/// From when on a call can hope to be let through; TimePoint::min() for at once. Pure.
TimePoint AdmitsFrom(const CircuitWord& word, const CircuitBreakerOptions& options);

}  // namespace hale::policy
