#include "hale/telemetry/request_metrics.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "hale/telemetry/answer_failed.h"

namespace hale::telemetry {
namespace {

constexpr std::size_t kMaxRoutes = 1000;

constexpr std::array<std::string_view, 10> kMethodWords = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"};

std::size_t MethodIndex(std::string_view method) {
  const auto found = std::ranges::find(kMethodWords.begin(), kMethodWords.end() - 1, method);
  return static_cast<std::size_t>(found - kMethodWords.begin());
}

// The statuses that have a column of their own: RFC 9110 §15 and the few registered or customary
// others. Any other is counted under its class, such as `4xx`.
constexpr std::array<short, 58> kStatuses = {
    0,   100, 101, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 300, 301,
    302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
    410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426,
    428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 508, 511};
constexpr std::array<std::string_view, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

std::size_t StatusIndex(int status) {
  const auto found = std::ranges::lower_bound(kStatuses, status);
  if (found != kStatuses.end() && *found == status) {
    return static_cast<std::size_t>(found - kStatuses.begin());
  }
  const int hundreds = std::clamp(status / 100, 0, 5);
  return kStatuses.size() + static_cast<std::size_t>(hundreds);
}

std::string StatusWord(std::size_t index) {
  if (index == 0) return "none";
  if (index < kStatuses.size()) return std::to_string(kStatuses[index]);
  return std::string(kClasses[index - kStatuses.size()]);
}

// Resolves a series once; two threads that come first together find the same one.
template <class Metric, class Find>
const Metric& Resolve(std::atomic<const Metric*>& slot, Find&& find) {
  // Acquire and release: whoever sees the pointer sees what it points to.
  const Metric* metric = slot.load(std::memory_order_acquire);
  if (metric == nullptr) {
    metric = &find();
    slot.store(metric, std::memory_order_release);
  }
  return *metric;
}

}  // namespace

struct RequestMetrics::Routes {
  std::map<std::string, std::unique_ptr<RouteMetrics>, std::less<>> by_name;
};

RouteMetrics::RouteMetrics(RequestMetrics& owner, std::string route)
    : owner_(owner), route_(std::move(route)) {
  static_assert(kMethods == kMethodWords.size());
  static_assert(RouteMetrics::kStatuses == telemetry::kStatuses.size() + kClasses.size());
  // There from the start: the share of errors of a route that never had one is 0, not absent.
  owner_.errors_.With({route_, Word(Reason::kUpstreamStatus)});
}

void RouteMetrics::Count(std::string_view method, int status, Reason reason, Duration took) {
  const std::size_t verb = MethodIndex(method);
  const bool failed = AnswerFailed(status, reason);
  const bool cut = failed && status < 400;
  const std::size_t column = StatusIndex(cut ? 0 : status);
  Resolve(requests_[verb * kStatuses + column], [&]() -> const Counter& {
    return owner_.requests_.With({kMethodWords[verb], route_, StatusWord(column)});
  }).Add();
  Resolve(durations_[verb], [&]() -> const Histogram& {
    return owner_.durations_.With({kMethodWords[verb], route_});
  }).Observe(took);
  if (!failed) return;
  Resolve(errors_[static_cast<std::size_t>(reason)], [&]() -> const Counter& {
    return owner_.errors_.With({route_, Word(reason)});
  }).Add();
}

RequestMetrics::RequestMetrics(Registry& registry)
    : requests_(registry.Counters({.name = "http_requests_total",
                                   .help = "Requests ended, by method, route and status.",
                                   .labels = {"method", "route", "code"},
                                   .max_series = 4 * kMaxRoutes})),
      durations_(registry.Histograms(
          {.name = "http_request_duration_seconds",
           .help = "From the first byte of a request to the last of its answer.",
           .labels = {"method", "route"},
           .max_series = 2 * kMaxRoutes})),
      errors_(registry.Counters(
          {.name = "http_requests_errors_total",
           .help = "Requests that ended in a 5xx, without an answer or with one cut off.",
           .labels = {"route", "reason"},
           .max_series = 4 * kMaxRoutes})),
      routes_(std::make_unique<Guarded<Routes>>()) {}

RequestMetrics::~RequestMetrics() = default;

RouteMetrics& RequestMetrics::Route(std::string_view route) {
  const auto routes = routes_->Lock();
  auto& by_name = routes->by_name;
  if (const auto found = by_name.find(route); found != by_name.end()) return *found->second;
  const std::string name(by_name.size() < kMaxRoutes ? route : "other");
  auto& made = by_name[name];
  if (!made) made.reset(new RouteMetrics(*this, name));
  return *made;
}

}  // namespace hale::telemetry
