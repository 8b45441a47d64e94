#pragma once

#include <expected>

#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_memory.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"

namespace hale::policy {

/// closed --failure_rate--> open --open_for--> half-open --probes pass--> closed, one fails--> open
/// Stops calling what keeps failing (M. Nygard, "Release It!", 2nd ed., 2018, ch. 5).
/// Each admitted call is settled once by Record with its ticket; a ticket that never is counts as
/// hung until the state changes, and a probe's as lost at the episode's deadline.
/// Pure: no clock, no lock, no I/O. Not thread-safe; `CircuitBreaker` is the same memory behind
/// both.
class CircuitBreakerCore {
 public:
  /// `random` outlives the core; it jitters the rests and throws the ramp's dice.
  CircuitBreakerCore(const CircuitBreakerOptions& options, Random& random)
      : options_(options), random_(&random), memory_(options) {}

  /// `timeout`: the longest the call may take, 0 for unknown; a half-open episode lasts as long.
  /// Refused with `circuit_open`, `probing` or `forced`, see CircuitBreaker::Admit.
  std::expected<Ticket, Rejection> Admit(TimePoint now, Duration timeout = Duration::zero()) {
    return memory_.Admit({now, timeout}, rules());
  }
  void Record(const Ticket& ticket, Outcome outcome, TimePoint now) {
    memory_.Record(ticket, outcome, now, rules());
  }

  /// Changes the rules and keeps the state: an open circuit stays open until its time.
  void Apply(const CircuitBreakerOptions& options, TimePoint now) {
    options_ = options;
    memory_.Apply(rules(), now);
  }
  /// Holds the circuit open or closed until `until`; kForcedOpen or kForcedClosed.
  void Force(CircuitState state, TimePoint until) { memory_.Become(Forced(word(), state, until)); }
  /// Closed, with nothing remembered; verdicts that are out change nothing.
  void Reset() { memory_.Become(Fresh(word())); }
  /// Ends a rest early: the next call is a probe.
  void EvidenceOfLife(TimePoint now) { memory_.Become(Awake(word(), now)); }

  CircuitState state(TimePoint now) const { return StateAt(word(), now); }
  const CircuitWord& word() const { return memory_.word(); }
  /// When the rest ends; meaningful while open.
  TimePoint open_until() const { return word().until; }
  /// Why it opened last.
  CircuitTrip trip() const { return memory_.trip(); }
  CircuitEvidence evidence(TimePoint now) const { return memory_.Evidence(now, options_); }

 private:
  CircuitRules rules() { return {options_, *random_}; }

  CircuitBreakerOptions options_;
  Random* random_;
  CircuitMemory memory_;
};

}  // namespace hale::policy
