#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hale/base/outcome.h"
#include "hale/mesh/route_options.h"
#include "hale/net/http_head.h"
#include "hale/policy/keyed_limiter.h"
#include "hale/policy/rate_limiter.h"

namespace hale::mesh {

/// One limit of a route with its state. Thread-safe.
class RouteLimit {
 public:
  RouteLimit(const LimitOptions& options, std::string_view route, EventSink& events,
             const Clock& clock);

  /// Takes a permit for a request of a client.
  std::expected<void, Rejection> Take(const net::RequestHead& request, std::string_view client_ip,
                                      TimePoint now);
  /// New figures, the debt kept; `by` and `max_keys` must be the same.
  void Apply(const LimitOptions& options, TimePoint now);
  const LimitOptions& options() const { return options_; }
  std::uint64_t refused() const;

 private:
  LimitOptions options_;  // for /status; written by the control loop only
  std::string by_;
  LimitKey key_;
  std::unique_ptr<policy::RateLimiter> whole_;  // by route
  std::unique_ptr<policy::KeyedLimiter> keyed_;
};

/// The limits of one route in their order; all must admit. What a limit took stays taken when a
/// later one refuses. Thread-safe.
class RouteLimits {
 public:
  RouteLimits() = default;
  explicit RouteLimits(std::vector<std::shared_ptr<RouteLimit>> limits)
      : limits_(std::move(limits)) {}
  std::expected<void, Rejection> Take(const net::RequestHead& request, std::string_view client_ip,
                                      TimePoint now) const {
    for (const auto& limit : limits_) {
      if (auto taken = limit->Take(request, client_ip, now); !taken) return taken;
    }
    return {};
  }
  const std::vector<std::shared_ptr<RouteLimit>>& limits() const { return limits_; }

 private:
  std::vector<std::shared_ptr<RouteLimit>> limits_;
};

}  // namespace hale::mesh
