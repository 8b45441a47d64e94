#include "hale/guard/guard_policies.h"

#include <memory>
#include <utility>

#include "hale/guard/call_policies.h"

namespace hale::guard {

GuardPolicies::GuardPolicies(const GuardOptions& options, GuardContext surroundings)
    : name(options.name),
      context(std::move(surroundings)),
      rules(CallRules(options)),
      limiter(options.limit, {options.name, context.events, context.clock}),
      pacer(options.pace, {options.name, context.events, context.clock}),
      throttle(options.throttle, {options.name, context.events}),
      bulkhead(options.bulkhead, {options.name, context.events, context.clock}),
      concurrency(options.concurrency, options.bulkhead.limit, {options.name, context.events}),
      budget(options.retry.budget),
      hedge(options.hedge),
      gate(options.in_time),
      targets(std::make_shared<Target>(options.breaker,
                                       policy::CircuitBreakerContext{.service = options.name,
                                                                     .instance = {},
                                                                     .events = context.events,
                                                                     .clock = context.clock,
                                                                     .random = context.random})) {
  Drive(bulkhead, concurrency);
}

// A wait that stays below half of the callers' time cannot hold a system down.
std::optional<Rejection> GuardPolicies::Admit(TimePoint now, Duration whole,
                                              std::optional<Reserved>& reserved) {
  const auto taken = limiter.Take(now);
  if (!taken) return taken.error();
  const auto turn = pacer.Take(now, whole / 2);
  if (!turn) {
    limiter.GiveBack(*taken, now);
    return turn.error();
  }
  if (turn->wait > Duration::zero()) {
    context.events.On(policy::Delayed(turn->wait, name, now));
    reserved.emplace(*taken, *turn);
  }
  return std::nullopt;
}

void GuardPolicies::GiveBack(const Reserved& reserved, TimePoint now) {
  limiter.GiveBack(reserved.taken, now);
  pacer.Cancel(reserved.turn, now);
}

Error GuardPolicies::Refused(const Rejection& rejection) const {
  Error error(rejection.reason, Executed::kNo);
  error.retry_after = rejection.retry_after;
  Event event = RefusedBy("rate_limiter", rejection, context.clock.Now());
  event.service = name;
  context.events.On(event);
  return error;
}

void GuardPolicies::Apply(const GuardOptions& options, TimePoint now) {
  limiter.Apply(options.limit, now);
  pacer.Apply(options.pace, now);
  throttle.Apply(options.throttle);
  ApplyLimited(bulkhead, options.bulkhead, concurrency, options.concurrency);
  budget.Apply(options.retry.budget);
  hedge.Apply(options.hedge);
  gate.Apply(options.in_time);
  targets.target().breaker().Apply(options.breaker, now);
}

}  // namespace hale::guard
