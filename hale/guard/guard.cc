#include "hale/guard/guard.h"

namespace hale::guard {

Guard::Guard(const GuardOptions& options, GuardContext context)
    : options_(options),
      context_(std::move(context)),
      limiter_(options.limit, {options.name, context_.events, context_.clock}),
      bulkhead_(options.bulkhead, {options.name, context_.events, context_.clock}),
      budget_(options.retry.budget),
      targets_(std::make_shared<Target>(
          options.breaker, policy::CircuitBreakerContext{.service = options.name,
                                                         .instance = {},
                                                         .events = context_.events,
                                                         .clock = context_.clock,
                                                         .random = context_.random})) {}

Error Guard::Refused(const Rejection& rejection) const {
  Error error(rejection.reason, Executed::kNo);
  error.retry_after = rejection.retry_after;
  Event event;
  event.at = context_.clock.Now();
  event.reason = rejection.reason;
  event.policy = "rate_limiter";
  event.service = options_.name;
  event.observed = rejection.observed;
  event.threshold = rejection.threshold;
  event.span = rejection.retry_after;
  context_.events.On(event);
  return error;
}

}  // namespace hale::guard
