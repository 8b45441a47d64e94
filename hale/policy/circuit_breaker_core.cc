#include "hale/policy/circuit_breaker_core.h"

namespace hale::policy {

CircuitBreakerCore::CircuitBreakerCore(const CircuitBreakerOptions& options, Random& random)
    : options_(options), random_(&random), window_(options) {}

std::expected<Ticket, Rejection> CircuitBreakerCore::Admit(TimePoint now, Duration timeout) {
  if (window_.Roll(now)) Consider(now);
  CircuitStep step = Enter(word_, {now, timeout}, options_, *random_);
  Become(step.word);
  if (!step.admitted) {
    if (step.rejection.reason == Reason::kCircuitOpen) {
      step.rejection.observed = trip_.observed;
      step.rejection.threshold = trip_.threshold;
    }
    return std::unexpected(step.rejection);
  }
  const bool counted = word_.state == CircuitState::kClosed;
  return Ticket{word_.generation, counted ? window_.Send(now) : now};
}

void CircuitBreakerCore::Record(Ticket ticket, Outcome outcome, TimePoint now) {
  const bool rolled = window_.Roll(now);
  if (ticket.generation == word_.generation) {
    const Verdict verdict = Judge(outcome, now - ticket.admitted, options_.slow_call);
    if (word_.state == CircuitState::kHalfOpen) {
      const CircuitWord next = Settle(word_, verdict, now, options_, *random_);
      if (next.state == CircuitState::kOpen) trip_ = ProbeFailed(word_, options_);
      Become(next);
    } else if (word_.state == CircuitState::kClosed) {
      window_.Answer(ticket.admitted, verdict);
      if (verdict == Verdict::kGood) bad_in_row_ = 0;
      if (IsBad(verdict)) {
        ++bad_in_row_;
        Consider(now);
      }
    }
  }
  if (rolled) Consider(now);
}

void CircuitBreakerCore::Apply(const CircuitBreakerOptions& options, TimePoint now) {
  window_.Roll(now);
  options_ = options;
  window_.Rebucket(options);
}

void CircuitBreakerCore::Force(CircuitState state, TimePoint until) {
  Become(Forced(word_, state, until));
}

void CircuitBreakerCore::Reset() { Become(Fresh(word_)); }

void CircuitBreakerCore::EvidenceOfLife(TimePoint now) { word_ = Awake(word_, now); }

CircuitEvidence CircuitBreakerCore::evidence(TimePoint now) const {
  CircuitEvidence evidence = window_.Evidence(now, HungAfter(options_));
  evidence.bad_in_row = bad_in_row_;
  return evidence;
}

void CircuitBreakerCore::Become(const CircuitWord& word) {
  if (word.generation != word_.generation) {
    window_.Clear();
    bad_in_row_ = 0;
  }
  word_ = word;
}

void CircuitBreakerCore::Consider(TimePoint now) {
  if (word_.state != CircuitState::kClosed) return;
  CircuitEvidence evidence = window_.Evidence(now, HungAfter(options_));
  evidence.bad_in_row = bad_in_row_;
  const auto trip = Decide(evidence, AdmitShare(word_, now, options_), options_);
  if (!trip) return;
  trip_ = *trip;
  Become(Opened(word_, now, options_, *random_));
}

}  // namespace hale::policy
