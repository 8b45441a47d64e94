#include "hale/guard/lint.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hale/base/quantity.h"
#include "hale/policy/backoff.h"

namespace hale::guard {
namespace {

using policy::Mode;
using Remarks = std::vector<Remark>;

std::string Text(std::uint64_t number) { return std::to_string(number); }

std::uint32_t Attempts(const policy::RetryOptions& retry, bool idempotent) {
  return retry.mode == Mode::kOff ? 1 : policy::MostAttempts(retry, idempotent);
}

/// The longest that one attempt is waited for.
Duration Longest(const CallTimes& times) {
  const bool own = times.per_try > Duration::zero();
  return own ? std::min(times.per_try, times.deadline) : times.deadline;
}

CallTimes TimesOf(const GuardOptions& options) {
  return {.deadline = options.deadline,
          .per_try = options.per_try,
          .attempts = Attempts(options.retry, options.idempotent)};
}

/// The most that the waits before attempt `number` come to.
Duration Waits(const policy::RetryOptions& retry, std::uint32_t number) {
  const policy::Backoff backoff{.base = retry.backoff_base, .max = retry.backoff_max};
  Duration sum{0};
  for (std::uint32_t i = 1; i < number; ++i) sum += backoff.Ceiling(i);
  return sum;
}

void LintOwnPace(const GuardOptions& options, Remarks& remarks) {
  Remarks of_pace;
  LintPace(options.pace, options.deadline, of_pace);
  for (Remark& remark : of_pace) {
    remarks.push_back({"pace." + remark.path, std::move(remark.text)});
  }
  LintPacedLimit(options.pace, options.limit, options.deadline, remarks);
}

}  // namespace

void LintTimes(const CallTimes& times, const policy::RetryOptions& retry, Remarks& remarks) {
  const auto end_of = [&](std::uint32_t n) { return times.per_try * n + Waits(retry, n); };
  const std::uint32_t last = times.attempts;
  if (times.per_try <= Duration::zero() || end_of(last) <= times.deadline) return;
  std::uint32_t cut = 1;
  while (end_of(cut) <= times.deadline) ++cut;
  std::string sum = Print(times.per_try) + " of " + times.per_try_name + " × " + Text(last);
  sum += last == 1 ? " attempt" : " attempts and up to " + Print(Waits(retry, last)) + " of waits";
  const bool surely = times.per_try * cut > times.deadline;
  remarks.push_back({"deadline", sum + " = " + Print(end_of(last)) + " is above the deadline " +
                                     Print(times.deadline) + ": attempt " + Text(cut) +
                                     (surely ? " cannot" : " may not") + " run in full"});
}

void LintBreakerTimes(const CallTimes& times, const policy::CircuitBreakerOptions& breaker,
                      Remarks& remarks) {
  const Duration longest = Longest(times);
  if (breaker.mode == Mode::kOff || breaker.slow_call <= Duration::zero()) return;
  if (breaker.slow_call < longest) return;
  remarks.push_back({"breaker.slow_call", "no call is ever seen to take " +
                                              Print(breaker.slow_call) + ": an attempt" +
                                              times.of_caller + " ends after " + Print(longest)});
}

void LintBulkheadTimes(const CallTimes& times, const policy::BulkheadOptions& bulkhead,
                       Remarks& remarks) {
  // A default is no mistake of the author's: it gives way where it does not fit.
  if (bulkhead.max_wait == policy::BulkheadOptions{}.max_wait) return;
  const Duration half = times.deadline / 2;
  if (bulkhead.max_wait <= half) return;
  remarks.push_back({"bulkhead.max_wait", Print(bulkhead.max_wait) +
                                              " is above half of the deadline " +
                                              Print(times.deadline) + times.of_caller +
                                              "; it never waits longer than " + Print(half)});
}

void LintRetry(const policy::RetryOptions& retry, bool idempotent, Remarks& remarks) {
  if (retry.mode == Mode::kOff) return;
  if (retry.backoff_base > retry.backoff_max) {
    remarks.push_back({"retry.backoff_base", Print(retry.backoff_base) + " is above backoff_max " +
                                                 Print(retry.backoff_max) + ", which caps it"});
  }
  const double attempts = policy::MostAttempts(retry, idempotent);
  if (attempts <= 1) return;
  // Law 1: after a failure recovery is certain only while load × calls for each call is below 1.
  const double ratio = retry.budget.ratio;
  if (retry.budget.mode != Mode::kEnforce) {
    remarks.push_back(
        {"retry.budget.mode", "without a budget each request may be sent " + PrintFigure(attempts) +
                                  " times: after a failure recovery is certain only below " +
                                  PrintPercent(1 / attempts) + " of capacity"});
  } else if (ratio > 0.5) {
    remarks.push_back({"retry.budget.ratio",
                       PrintPercent(ratio) +
                           " more calls: after a failure recovery is certain only below " +
                           PrintPercent(1 / (1 + ratio)) + " of capacity; 10% keeps it to 91%"});
  }
}

void LintBreaker(const policy::CircuitBreakerOptions& breaker, Remarks& remarks) {
  if (breaker.mode == Mode::kOff || breaker.open_for <= breaker.open_max) return;
  remarks.push_back({"breaker.open_for",
                     Print(breaker.open_for) + " is above open_max " + Print(breaker.open_max)});
}

double MostCalls(const policy::RateLimiterOptions& limit, Duration window) {
  const double second = std::max(1.0, std::floor(limit.rate.PerSecond()));
  const double burst = limit.burst == 0 ? second : static_cast<double>(limit.burst);
  return limit.rate.PerSecond() * Seconds(window) + burst;
}

void LintSupply(const Supply& supply, const policy::CircuitBreakerOptions& breaker,
                Remarks& remarks) {
  if (breaker.mode == Mode::kOff) return;
  if (supply.calls <= 0 || supply.calls >= breaker.minimum_calls) return;
  remarks.push_back({"breaker.minimum_calls",
                     supply.limits + " at most " + PrintFigure(supply.calls) + " calls in " +
                         Print(breaker.window) + " " + supply.reach + ", so " +
                         Text(breaker.minimum_calls) + " are never seen and no share is judged"});
}

Remarks Lint(const GuardOptions& options) {
  Remarks remarks;
  const CallTimes times = TimesOf(options);
  LintTimes(times, options.retry, remarks);
  LintBreakerTimes(times, options.breaker, remarks);
  LintBulkheadTimes(times, options.bulkhead, remarks);
  LintRetry(options.retry, options.idempotent, remarks);
  LintBreaker(options.breaker, remarks);
  LintOwnPace(options, remarks);
  LintOrder(options.bulkhead, remarks);
  LintThrottle(options.throttle, remarks);
  LintConcurrency(options.concurrency, options.bulkhead, remarks);
  if (options.limit.mode == Mode::kEnforce) {
    LintSupply({.calls = MostCalls(options.limit, options.breaker.window),
                .limits = "the limit lets",
                .reach = "through"},
               options.breaker, remarks);
  }
  if (options.pace.mode == Mode::kEnforce) {
    LintSupply({.calls = MostCalls(options.pace, options.breaker.window),
                .limits = "the pace lets",
                .reach = "through"},
               options.breaker, remarks);
  }
  if (options.hedge.mode != Mode::kOff && !options.idempotent) {
    remarks.push_back(
        {"hedge.mode", "nothing is hedged: idempotent is false, the call may not be made twice"});
  }
  if (options.retry.retry_on_status != policy::RetryOptions{}.retry_on_status) {
    remarks.push_back({"retry.retry_on_status",
                       "is not used: a callable has no status, its error says what it is"});
  }
  if (options.retry.retried_request != policy::RetryOptions{}.retried_request) {
    remarks.push_back({"retry.retried_request",
                       "is not used: no guard is told which attempt of its caller's a call is"});
  }
  return remarks;
}

Remarks LintNested(const GuardOptions& outer, const GuardOptions& inner) {
  Remarks remarks;
  const std::uint32_t outside = Attempts(outer.retry, outer.idempotent);
  const std::uint32_t inside = Attempts(inner.retry, inner.idempotent);
  if (outside > 1 && inside > 1) {
    remarks.push_back({"retry.attempts", Text(outside) + " attempts of " + outer.name + " × " +
                                             Text(inside) + " of " + inner.name + " = " +
                                             Text(outside * inside) +
                                             " calls for one; let one of the two retry"});
  }
  const auto multiplied = [&](const std::string& layer, const char* what, Rate rate) {
    if (outside <= 1) return;
    remarks.push_back(
        {layer, "each of the " + Text(outside) + " attempts of " + outer.name + " takes a " + what +
                    ": " + Print(rate) + " are " + PrintFigure(rate.PerSecond() / outside) +
                    "/s of its calls while they fail; " + layer + " outside of what retries"});
  };
  if (inner.limit.mode == Mode::kEnforce) multiplied("limit", "permit", inner.limit.rate);
  if (inner.pace.mode == Mode::kEnforce) multiplied("pace", "turn", inner.pace.rate);
  if (outer.breaker.mode != Mode::kOff && inside > 1) {
    remarks.push_back({"retry", "the breaker of " + outer.name + " sees one outcome of up to " +
                                    Text(inside) + " attempts: it opens after " +
                                    Text(outer.breaker.minimum_calls) + " calls, which are up to " +
                                    Text(outer.breaker.minimum_calls * inside) +
                                    " here, and cannot end the attempts of one under way"});
  }
  if (outer.breaker.mode != Mode::kOff && inner.breaker.mode != Mode::kOff) {
    remarks.push_back({"breaker", "judges the same calls as the breaker of " + outer.name +
                                      "; the inner one is enough"});
  }
  const Duration given = Longest(TimesOf(outer));
  if (inner.deadline > given) {
    remarks.push_back({"deadline", Print(inner.deadline) + " is never waited for: " + outer.name +
                                       " gives up after " + Print(given)});
  }
  if (outer.bulkhead.mode != Mode::kOff && inner.bulkhead.mode != Mode::kOff &&
      inner.bulkhead.limit > outer.bulkhead.limit) {
    remarks.push_back({"bulkhead.limit", Text(inner.bulkhead.limit) +
                                             " can never be in flight: " + outer.name + " lets " +
                                             Text(outer.bulkhead.limit) + " in"});
  }
  return remarks;
}

}  // namespace hale::guard
