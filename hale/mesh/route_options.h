#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/mesh/fallback_options.h"
#include "hale/mesh/limit_options.h"
#include "hale/policy/priority.h"

namespace hale::mesh {

/// Which requests a route takes: those that pass all of these.
struct MatchOptions {
  /// Without port, in any case; `*.example.com` is every name below it; empty: any.
  std::string host = {};
  /// Compared with the normalised path, without query. One that ends with '/' takes itself, itself
  /// without that '/', and all below: `/orders/` takes `/orders`, `/orders/` and `/orders/7`, not
  /// `/orders2`. Any other takes exactly itself.
  std::string path = "/";
  std::vector<std::string> method = {};            ///< any of these; empty: any
  std::map<std::string, std::string> header = {};  ///< each has this value; `*`: is there
};

constexpr auto Fields(Type<MatchOptions>) {
  using O = MatchOptions;
  return std::tuple{
      Field{"host", &O::host, "without port; *.example.com: all names below; empty: any"},
      Field{"path", &O::path, "ends with /: it and all below; otherwise exactly this"},
      Field{"method", &O::method, "any of these; empty: any"},
      Field{"header", &O::header, "each has this value; *: is there"}};
}
constexpr std::string_view Shorthand(Type<MatchOptions>) { return "path"; }

/// May a request be sent again though it may have been executed?
enum class Idempotent : std::uint8_t {
  kAuto,  ///< by its method: GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110 §9.2.2)
  kYes,
  kNo,
};

constexpr auto Names(Type<Idempotent>) {
  return std::array{Name<Idempotent>{"auto", Idempotent::kAuto},
                    Name<Idempotent>{"yes", Idempotent::kYes},
                    Name<Idempotent>{"no", Idempotent::kNo}};
}

/// Where requests go. The first route in the document that takes a request has it.
struct RouteOptions {
  std::string name = {};  ///< in metrics and logs; empty: the path
  MatchOptions match = {};
  std::string service = {};
  Duration deadline = std::chrono::seconds(15);  ///< the whole call; a shorter one carried wins
  std::vector<LimitOptions> limit = {};          ///< all must admit, in this order
  Idempotent idempotent = Idempotent::kAuto;
  policy::Priority priority = policy::Priority::kCritical;  ///< of requests that carry none
  std::string fair_by = {};  ///< whose requests take turns as one; see FairKey
  RouteFallbackOptions fallback = {};
  RouteSingleFlightOptions single_flight = {};
};

constexpr auto Fields(Type<RouteOptions>) {
  using O = RouteOptions;
  return std::tuple{
      Field{"name", &O::name, "in metrics and logs; empty: the path"},
      Field{"match", &O::match, "which requests it takes; the first route that does has them"},
      Field{"service", &O::service, "where they go: a key of services"},
      Field{"deadline", &O::deadline, std::chrono::milliseconds(1), std::chrono::hours(1),
            "for the whole call; a shorter one that the request carries wins"},
      Field{"limit", &O::limit, "at most 8 rates; all must admit, in this order"},
      Field{"idempotent", &O::idempotent, "may be sent again: auto (by method), yes or no"},
      Field{"priority", &O::priority,
            "of requests that carry none: who goes first when not all can"},
      Field{"fair_by", &O::fair_by,
            "client_ip or header:NAME: whose requests take turns as one in a queue; empty: all"},
      Field{"fallback", &O::fallback, "what is answered when the service cannot"},
      Field{"single_flight", &O::single_flight, "identical requests at one time become one"}};
}

}  // namespace hale::mesh
