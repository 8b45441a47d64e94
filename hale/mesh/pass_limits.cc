#include "hale/mesh/pass_limits.h"

#include <algorithm>

#include "hale/base/wait.h"
#include "hale/guard/governed_call.h"

namespace hale::mesh {
namespace {

/// A turn is waited for no longer than half of what is left: a wait that stays below its callers'
/// timeout cannot hold a system down.
LimitAsk AskOf(ServedRequest& request, const Route& route, TimePoint now) {
  const Duration whole = std::min(route.options.deadline, request.passport.timeout);
  const Duration left = SaturatingAdd(request.began, whole) - now;
  return {request.exchange.request(), request.client_ip, now, std::max(Duration(0), left / 2),
          &request.trail};
}

void Tell(Event event, const ListedLimit& by, ServedRequest& request) {
  std::string buffer;
  event.service = by.limit->owner();
  request.trail.On(ToldOf(event, by, buffer));
}

}  // namespace

Task<Result<LimitsTaken>> PassLimits(const RouteLimits& limits, ServedRequest& request,
                                     const Route& route, net::Loop& loop) {
  const auto taken = limits.Take(AskOf(request, route, loop.Now()));
  if (!taken) {
    const Rejection& rejection = taken.error().rejection;
    Tell(guard::RefusedBy("rate_limiter", rejection, loop.Now()), taken.error().by, request);
    Error error(rejection.reason, Executed::kNo);
    error.retry_after = rejection.retry_after;
    co_return std::unexpected(std::move(error));
  }
  if (taken->wait > Duration::zero()) {
    const ListedLimit& by = limits.limits()[taken->waits_at];
    Tell(policy::Delayed(taken->wait, by.limit->owner(), loop.Now()), by, request);
    const bool slept = co_await Sleep(loop, taken->wait);
    if (!slept) {
      limits.GiveBack(*taken, loop.Now());
      co_return Fail(Reason::kClientAbort, Executed::kNo);
    }
  }
  co_return *taken;
}

void SettleLimits(const RouteLimits& limits, const LimitsTaken& taken, const ServedRequest& request,
                  TimePoint now) {
  limits.Settle(taken, request.exchange.bytes_in() + request.exchange.bytes_out(), now);
}

}  // namespace hale::mesh
