#include "hale/mesh/route_limits.h"

#include "hale/policy/client_key.h"

namespace hale::mesh {
namespace {

policy::RateLimiterOptions ToWhole(const LimitOptions& options) {
  return {.mode = options.mode, .rate = options.rate, .burst = options.burst};
}

}  // namespace

RouteLimit::RouteLimit(const LimitOptions& options, std::string_view route, EventSink& events,
                       const Clock& clock)
    : options_(options), by_(options.by), key_(ParseLimitKey(by_).value_or(LimitKey{})) {
  std::string name(route);
  if (key_.kind == LimitKey::Kind::kRoute) {
    whole_ = std::make_unique<policy::RateLimiter>(
        ToWhole(options), policy::RateLimiterContext{std::move(name), events, clock});
  } else {
    keyed_ = std::make_unique<policy::KeyedLimiter>(
        ToLimiter(options), policy::KeyedLimiterContext{std::move(name), events, clock});
  }
}

std::expected<void, Rejection> RouteLimit::Take(const net::RequestHead& request,
                                                std::string_view client_ip, TimePoint now) {
  switch (key_.kind) {
    case LimitKey::Kind::kRoute:
      return whole_->Take(now);
    case LimitKey::Kind::kClientIp:
      return keyed_->Take(policy::ClientKey(client_ip).view(), now);
    case LimitKey::Kind::kHeader:
      break;
  }
  return keyed_->Take(request.fields.Find(key_.header).value_or(""), now);
}

void RouteLimit::Apply(const LimitOptions& options, TimePoint now) {
  options_ = options;
  if (whole_) whole_->Apply(ToWhole(options), now);
  if (keyed_) keyed_->Apply(ToLimiter(options), now);
}

std::uint64_t RouteLimit::refused() const { return whole_ ? whole_->refused() : keyed_->refused(); }

}  // namespace hale::mesh
