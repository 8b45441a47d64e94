#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "hale/base/reason.h"
#include "hale/telemetry/metrics.h"

namespace hale::telemetry {

class RequestMetrics;

/// The request metrics of one route, each series resolved once: counting a request is three atomic
/// adds. Thread-safe.
class RouteMetrics {
 public:
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  /// `status` 0: the client got no response; one that was cut off counts as none. The method is
  /// labelled `_OTHER` if it is none of RFC 9110's or PATCH, a status that nobody registered as its
  /// class, such as `4xx`.
  void Count(std::string_view method, int status, Reason reason, Duration took);

 private:
  friend class RequestMetrics;
  RouteMetrics(RequestMetrics& owner, std::string route);

  static constexpr std::size_t kMethods = 10;
  static constexpr std::size_t kStatuses = 64;
  RequestMetrics& owner_;
  const std::string route_;
  // Filled as they are first needed; the same series whoever comes first.
  std::array<std::atomic<const Counter*>, kMethods * kStatuses> requests_{};
  std::array<std::atomic<const Histogram*>, kMethods> durations_{};
  std::array<std::atomic<const Counter*>, static_cast<std::size_t>(Reason::kCount)> errors_{};
};

/// `http_requests_total{method,route,code}`, `http_request_duration_seconds{method,route}` and
/// `http_requests_errors_total{route,reason}`: an error is a 5xx or no response. Thread-safe.
class RequestMetrics {
 public:
  /// The registry outlives me.
  explicit RequestMetrics(Registry& registry);
  ~RequestMetrics();
  /// The metrics of a route, the same for the same name; kept for good, so that a route that comes
  /// back goes on counting where it was. Beyond 1,000 routes all share the route `other`.
  RouteMetrics& Route(std::string_view route);

 private:
  friend class RouteMetrics;
  struct Routes;
  CounterFamily& requests_;
  HistogramFamily& durations_;
  CounterFamily& errors_;
  std::unique_ptr<Guarded<Routes>> routes_;
};

}  // namespace hale::telemetry
