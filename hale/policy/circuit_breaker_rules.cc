#include "hale/policy/circuit_breaker_rules.h"

#include <algorithm>
#include <cmath>

namespace hale::policy {
namespace {

constexpr double kFirstShare = 0.1;         // of the calls, right after closing
constexpr std::uint8_t kMostRefailed = 62;  // 2^62 ns × 10 ms is beyond any open_max
constexpr std::int64_t kAgesOfCalls = 31;   // full buckets behind the newest, see CircuitWindow

Duration Left(TimePoint until, TimePoint now) {
  if (until == kNever) return kForever;
  return SaturatingAdd(until, -now.time_since_epoch()).time_since_epoch();
}

CircuitStep Refused(const CircuitWord& word, const Rejection& rejection) {
  return {word, false, rejection};
}

CircuitWord Next(const CircuitWord& word, CircuitState state) {
  CircuitWord next;
  next.generation = word.generation + 1;
  next.state = state;
  next.refailed = word.refailed;
  return next;
}

CircuitWord Episode(const CircuitWord& word, CircuitAsk ask, const CircuitBreakerOptions& options) {
  CircuitWord next = Next(word, CircuitState::kHalfOpen);
  next.until = SaturatingAdd(ask.now, std::max(options.open_for, ask.timeout));
  return next;
}

CircuitWord Closed(const CircuitWord& word, TimePoint now, const CircuitBreakerOptions& options) {
  CircuitWord next = Next(word, CircuitState::kClosed);
  next.refailed = 0;
  next.until = SaturatingAdd(now, options.ramp);
  return next;
}

// What time alone makes of a forced word.
CircuitWord Lapsed(const CircuitWord& word, TimePoint now) {
  return now < word.until ? word : Released(word, now);
}

CircuitStep EnterClosed(const CircuitWord& word, TimePoint now,
                        const CircuitBreakerOptions& options, Random& random) {
  const double share = AdmitShare(word, now, options);
  if (share >= 1) return {word, true, {}};
  const double draw = random.Unit();
  if (draw < share) return {word, true, {}};
  return Refused(word, {Reason::kProbing, Duration::zero(), draw, share});
}

CircuitStep EnterHalfOpen(CircuitWord word, const CircuitBreakerOptions& options) {
  if (word.out + word.passed >= static_cast<int>(options.probes)) {
    return Refused(word, {Reason::kProbing, Duration::zero(), static_cast<double>(word.out),
                          static_cast<double>(options.probes)});
  }
  ++word.out;
  return {word, true, {}};
}

}  // namespace

Verdict Judge(Outcome outcome, Duration latency, Duration slow_call) {
  if (outcome == Outcome::kIgnored) return Verdict::kIgnored;
  if (outcome == Outcome::kFailure) return Verdict::kFailed;
  const bool slow = slow_call > Duration::zero() && latency >= slow_call;
  return slow ? Verdict::kSlow : Verdict::kGood;
}

Duration HungAfter(const CircuitBreakerOptions& options) {
  Duration after = kForever;
  if (options.slow_call > Duration::zero()) after = options.slow_call;
  if (options.hung_after > Duration::zero()) after = std::min(after, options.hung_after);
  return after <= options.window / options.buckets * kAgesOfCalls ? after : kForever;
}

double AdmitShare(const CircuitWord& word, TimePoint now, const CircuitBreakerOptions& options) {
  if (word.state != CircuitState::kClosed || now >= word.until) return 1;
  if (options.ramp <= Duration::zero()) return 1;
  const double left = std::min(1.0, Seconds(Left(word.until, now)) / Seconds(options.ramp));
  return 1 - (1 - kFirstShare) * left;
}

std::optional<CircuitTrip> Decide(const CircuitEvidence& evidence, double admit_share,
                                  const CircuitBreakerOptions& options) {
  const auto share_of = [&](std::uint64_t part) {
    const std::uint64_t all = evidence.good + evidence.failed + evidence.slow + evidence.hung;
    return static_cast<double>(part) / static_cast<double>(all);
  };
  const std::uint64_t bad = evidence.failed + evidence.slow + evidence.hung;
  double minimum = options.minimum_calls;
  if (admit_share < 1) {
    minimum = std::min(minimum, std::max<double>(options.probes, minimum * admit_share));
  }
  if (static_cast<double>(evidence.good + bad) >= minimum) {
    // Divided, not multiplied: 7 of 100 is then exactly the 0.07 of a document.
    if (share_of(bad) >= options.failure_rate) {
      const auto most = std::max({evidence.failed, evidence.slow, evidence.hung});
      const Reason reason = evidence.failed == most ? Reason::kFailureRate
                            : evidence.slow == most ? Reason::kSlowRate
                                                    : Reason::kHungCalls;
      return CircuitTrip{reason, share_of(bad), options.failure_rate};
    }
    if (share_of(evidence.slow) >= options.slow_rate) {
      return CircuitTrip{Reason::kSlowRate, share_of(evidence.slow), options.slow_rate};
    }
  }
  const std::uint64_t in_row = evidence.bad_in_row + evidence.hung_in_row;
  if (options.consecutive_failures > 0 && in_row >= options.consecutive_failures) {
    const bool answered = evidence.bad_in_row >= options.consecutive_failures;
    return CircuitTrip{answered ? Reason::kConsecutiveFailures : Reason::kHungCalls,
                       static_cast<double>(in_row),
                       static_cast<double>(options.consecutive_failures)};
  }
  return std::nullopt;
}

CircuitStep Enter(CircuitWord word, CircuitAsk ask, const CircuitBreakerOptions& options,
                  Random& random) {
  word = Lapsed(word, ask.now);
  switch (word.state) {
    case CircuitState::kClosed:
      return EnterClosed(word, ask.now, options, random);
    case CircuitState::kForcedClosed:
      return {word, true, {}};
    case CircuitState::kForcedOpen:
      return Refused(word, {Reason::kForced, Left(word.until, ask.now), 0, 0});
    case CircuitState::kOpen:
      if (ask.now < word.until) {
        return Refused(word, {Reason::kCircuitOpen, Left(word.until, ask.now), 0, 0});
      }
      return EnterHalfOpen(Episode(word, ask, options), options);
    case CircuitState::kHalfOpen:
      if (ask.now >= word.until) word = Episode(word, ask, options);
      return EnterHalfOpen(word, options);
  }
  return {word, true, {}};
}

CircuitWord Settle(CircuitWord word, Verdict verdict, TimePoint now,
                   const CircuitBreakerOptions& options, Random& random) {
  // Past the deadline a probe is lost, whether or not somebody has asked since.
  if (word.state != CircuitState::kHalfOpen || now >= word.until) return word;
  if (word.out > 0) --word.out;
  if (verdict == Verdict::kIgnored) return word;
  if (verdict != Verdict::kGood) {
    word.refailed = std::min<std::uint8_t>(word.refailed + 1, kMostRefailed);
    return Opened(word, now, options, random);
  }
  ++word.passed;
  return word.passed >= options.probes ? Closed(word, now, options) : word;
}

CircuitWord Opened(CircuitWord word, TimePoint now, const CircuitBreakerOptions& options,
                   Random& random) {
  const Duration most = std::max(options.open_for, options.open_max);
  const Duration rest = std::min(most, Scale(options.open_for, std::ldexp(1.0, word.refailed)));
  CircuitWord next = Next(word, CircuitState::kOpen);
  next.until = SaturatingAdd(SaturatingAdd(now, rest), Scale(rest, options.jitter * random.Unit()));
  return next;
}

CircuitWord Forced(const CircuitWord& word, CircuitState state, TimePoint until) {
  CircuitWord next = Next(word, state);
  next.refailed = 0;
  next.until = until;
  return next;
}

// A circuit that was held open probes before it is trusted.
CircuitWord Released(CircuitWord word, TimePoint now) {
  if (word.state == CircuitState::kForcedClosed) return Fresh(word);
  if (word.state != CircuitState::kForcedOpen) return word;
  word = Next(word, CircuitState::kOpen);
  word.until = now;
  return word;
}

CircuitWord Fresh(const CircuitWord& word) {
  CircuitWord next = Next(word, CircuitState::kClosed);
  next.refailed = 0;
  return next;
}

CircuitWord Awake(CircuitWord word, TimePoint now) {
  if (word.state == CircuitState::kOpen && now < word.until) word.until = now;
  return word;
}

CircuitTrip ProbeFailed(const CircuitWord& word, const CircuitBreakerOptions& options) {
  return {Reason::kProbeFailed, static_cast<double>(word.passed),
          static_cast<double>(options.probes)};
}

CircuitState StateAt(const CircuitWord& word, TimePoint now) {
  const CircuitWord lapsed = Lapsed(word, now);
  const bool rested = lapsed.state == CircuitState::kOpen && now >= lapsed.until;
  return rested ? CircuitState::kHalfOpen : lapsed.state;
}

CircuitState StateInForce(const CircuitWord& word, TimePoint now,
                          const CircuitBreakerOptions& options) {
  const CircuitState state = StateAt(word, now);
  const bool binds =
      options.mode == Mode::kEnforce || (options.mode == Mode::kShadow && IsForced(state));
  return binds ? state : CircuitState::kClosed;
}

TimePoint AdmitsFrom(const CircuitWord& word, const CircuitBreakerOptions& options) {
  if (options.mode == Mode::kOff) return TimePoint::min();
  if (word.state == CircuitState::kForcedOpen) return word.until;
  if (options.mode == Mode::kShadow) return TimePoint::min();
  const bool full = word.out + word.passed >= static_cast<int>(options.probes);
  const bool waits =
      word.state == CircuitState::kOpen || (word.state == CircuitState::kHalfOpen && full);
  return waits ? word.until : TimePoint::min();
}

}  // namespace hale::policy
