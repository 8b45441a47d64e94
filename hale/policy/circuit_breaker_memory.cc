#include "hale/policy/circuit_breaker_memory.h"

#include <cmath>

namespace hale::policy {

CircuitTrip CircuitMemory::trip() const {
  // As it was written: 0.6, not the float that is next to it.
  const auto decimal = [](float figure) { return std::round(double{figure} * 1e6) / 1e6; };
  return {reason_, decimal(observed_), decimal(threshold_)};
}

void CircuitMemory::Opens(const CircuitTrip& why) {
  reason_ = why.reason;
  observed_ = static_cast<float>(why.observed);
  threshold_ = static_cast<float>(why.threshold);
}

bool CircuitMemory::Roll(TimePoint now, const CircuitRules& rules) {
  if (rules.elsewhere != nullptr && window_.Rolls(now)) rules.elsewhere->Bring(*this);
  return window_.Roll(now);
}

std::expected<Ticket, Rejection> CircuitMemory::Admit(CircuitAsk ask, const CircuitRules& rules) {
  if (Roll(ask.now, rules)) Consider(ask.now, rules);
  CircuitStep step = Enter(word_, ask, rules.options, rules.random);
  Become(step.word);
  if (!step.admitted) {
    if (step.rejection.reason == Reason::kCircuitOpen) {
      step.rejection.observed = trip().observed;
      step.rejection.threshold = trip().threshold;
      step.rejection.detail = Word(reason_);
    }
    return std::unexpected(step.rejection);
  }
  const bool counted = word_.state == CircuitState::kClosed;
  return Ticket{word_.generation, counted ? window_.Send(ask.now) : ask.now};
}

Verdict CircuitMemory::Record(const Ticket& ticket, Outcome outcome, TimePoint now,
                              const CircuitRules& rules) {
  const bool rolled = Roll(now, rules);
  Verdict verdict = Verdict::kIgnored;
  if (ticket.generation == word_.generation) {
    verdict = Judge(outcome, now - ticket.admitted, rules.options.slow_call);
    if (word_.state == CircuitState::kHalfOpen) {
      const CircuitWord next = Settle(word_, verdict, now, rules.options, rules.random);
      if (next.state == CircuitState::kOpen) Opens(ProbeFailed(word_, rules.options));
      Become(next);
    } else if (word_.state == CircuitState::kClosed) {
      window_.Answer(ticket.admitted, verdict);
      if (verdict == Verdict::kGood) bad_in_row_ = 0;
      if (IsBad(verdict)) {
        if (rules.elsewhere != nullptr) rules.elsewhere->Bring(*this);
        ++bad_in_row_;
        Consider(now, rules);
      }
    }
  }
  if (rolled) Consider(now, rules);
  return verdict;
}

bool CircuitMemory::Fail(std::uint32_t generation, TimePoint now, const CircuitRules& rules) {
  if (word_.state != CircuitState::kClosed || word_.generation != generation) return false;
  Roll(now, rules);
  Record({generation, window_.Send(now)}, Outcome::kFailure, now, rules);
  return true;
}

void CircuitMemory::Add(TimePoint sent, const CircuitCounts& counts) {
  window_.Add(sent, counts);
  if (counts.good > 0) bad_in_row_ = 0;
}

bool CircuitMemory::Apply(const CircuitRules& rules, TimePoint now) {
  Roll(now, rules);
  if (rules.elsewhere != nullptr) rules.elsewhere->Bring(*this);
  return window_.Rebucket(rules.options);
}

CircuitEvidence CircuitMemory::Evidence(TimePoint now, const CircuitBreakerOptions& options) const {
  CircuitEvidence evidence = window_.Evidence(now, HungAfter(options));
  evidence.bad_in_row = bad_in_row_;
  return evidence;
}

void CircuitMemory::Become(const CircuitWord& word) {
  if (word.generation != word_.generation) {
    window_.Clear();
    bad_in_row_ = 0;
  }
  word_ = word;
}

void CircuitMemory::Consider(TimePoint now, const CircuitRules& rules) {
  if (word_.state != CircuitState::kClosed) return;
  const auto trip =
      Decide(Evidence(now, rules.options), AdmitShare(word_, now, rules.options), rules.options);
  if (!trip) return;
  Opens(*trip);
  Become(Opened(word_, now, rules.options, rules.random));
}

}  // namespace hale::policy
