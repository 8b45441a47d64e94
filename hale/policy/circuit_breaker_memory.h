#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"
#include "hale/policy/circuit_breaker_window.h"

namespace hale::policy {

class CircuitMemory;

/// Calls that went well and were counted elsewhere, by threads that ask nobody. They are sent for
/// when they matter: by a failure, and when a bucket begins.
class CircuitElsewhere {
 public:
  virtual ~CircuitElsewhere() = default;
  /// Adds what has been counted since the last time.
  virtual void Bring(CircuitMemory& memory) = 0;
};

/// What a circuit is judged by, and with. The references outlive the call.
struct CircuitRules {
  const CircuitBreakerOptions& options;
  Random& random;                         ///< jitters the rests and throws the ramp's dice
  CircuitElsewhere* elsewhere = nullptr;  ///< null: all calls are told to Admit and Record
};

/// All that is kept of one circuit, and what calls make of it: `CircuitBreakerCore` is this with
/// its rules, `CircuitBreaker` behind a lock. With the default options 184 bytes. Pure: no clock,
/// no lock, no I/O. Not thread-safe.
class CircuitMemory {
 public:
  explicit CircuitMemory(const CircuitBreakerOptions& options) : window_(options) {}

  std::expected<Ticket, Rejection> Admit(CircuitAsk ask, const CircuitRules& rules);
  /// What the answer was, or kIgnored for one to a call of an earlier generation.
  Verdict Record(const Ticket& ticket, Outcome outcome, TimePoint now, const CircuitRules& rules);
  /// One more failure now, of a call of `generation` whose answer is recorded. Nothing, and false,
  /// unless the circuit is closed and still in it.
  bool Fail(std::uint32_t generation, TimePoint now, const CircuitRules& rules);
  /// Calls of this generation, sent at about `sent`, that went well or were neutral.
  void Add(TimePoint sent, const CircuitCounts& counts);

  /// Goes on with other parts of the window. False if they are the same.
  bool Apply(const CircuitRules& rules, TimePoint now);
  /// Makes it this state: Forced(), Released(), Fresh() or Awake() of its word.
  void Become(const CircuitWord& word);

  const CircuitWord& word() const { return word_; }
  /// Why it opened last; its figures have seven digits.
  CircuitTrip trip() const;
  const CircuitWindow& window() const { return window_; }
  CircuitEvidence Evidence(TimePoint now, const CircuitBreakerOptions& options) const;

 private:
  bool Roll(TimePoint now, const CircuitRules& rules);
  void Consider(TimePoint now, const CircuitRules& rules);

  void Opens(const CircuitTrip& why);

  CircuitWord word_;
  CircuitWindow window_;
  float observed_ = 0;  ///< of the trip
  float threshold_ = 0;
  Reason reason_ = Reason::kNone;
  std::uint32_t bad_in_row_ = 0;
};

}  // namespace hale::policy
