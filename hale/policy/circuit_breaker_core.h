#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"
#include "hale/policy/circuit_breaker_window.h"

namespace hale::policy {

/// closed --failure_rate--> open --open_for--> half-open --probes pass--> closed, one fails--> open
/// Stops calling what keeps failing (M. Nygard, "Release It!", 2nd ed., 2018, ch. 5).
/// Each admitted call is settled once by Record with its ticket; a ticket that never is counts as
/// hung until the state changes, and a probe's as lost at the episode's deadline.
/// Pure: no clock, no lock, no I/O. Not thread-safe; `CircuitBreaker` is the same rules behind
/// both.
class CircuitBreakerCore {
 public:
  /// `random` outlives the core; it jitters the rests and throws the ramp's dice.
  CircuitBreakerCore(const CircuitBreakerOptions& options, Random& random);

  /// `timeout`: the longest the call may take, 0 for unknown; a half-open episode lasts as long.
  std::expected<Ticket, Rejection> Admit(TimePoint now, Duration timeout = Duration::zero());
  void Record(Ticket ticket, Outcome outcome, TimePoint now);

  /// Changes the rules and keeps the state: an open circuit stays open until its time.
  void Apply(const CircuitBreakerOptions& options, TimePoint now);
  /// Holds the circuit open or closed until `until`; kForcedOpen or kForcedClosed.
  void Force(CircuitState state, TimePoint until);
  /// Closed, with nothing remembered; verdicts that are out change nothing.
  void Reset();
  /// Ends a rest early: the next call is a probe.
  void EvidenceOfLife(TimePoint now);

  CircuitState state(TimePoint now) const { return StateAt(word_, now); }
  const CircuitWord& word() const { return word_; }
  /// When the rest ends; meaningful while open.
  TimePoint open_until() const { return word_.until; }
  /// Why it opened last.
  const CircuitTrip& trip() const { return trip_; }
  CircuitEvidence evidence(TimePoint now) const;

 private:
  void Become(const CircuitWord& word);
  void Consider(TimePoint now);

  CircuitBreakerOptions options_;
  Random* random_;
  CircuitWord word_;
  CircuitTrip trip_;
  CircuitWindow window_;
  std::uint64_t bad_in_row_ = 0;
};

}  // namespace hale::policy
