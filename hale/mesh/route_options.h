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
#include "hale/policy/keyed_limiter.h"
#include "hale/policy/mode.h"

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

/// A limit on the rate of requests of one route.
struct LimitOptions {
  policy::Mode mode = policy::Mode::kEnforce;
  Rate rate{100, std::chrono::seconds(1)};
  std::uint64_t burst = 0;         ///< 0: what one second brings, at least 1
  std::string by = "route";        ///< whose requests are counted together; see ParseLimitKey
  std::uint32_t max_keys = 65536;  ///< keys remembered at one time, 24 bytes each
};

constexpr auto Fields(Type<LimitOptions>) {
  using O = LimitOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"rate", &O::rate, Rate{1, std::chrono::hours(24 * 365)},
            Rate{1'000'000'000, std::chrono::seconds(1)}, "requests in a time, for each key"},
      Field{"burst", &O::burst, 0, 1'000'000'000,
            "requests at once after a rest; 0: what one second brings, at least 1"},
      Field{"by", &O::by, "route (all together), client_ip or header:NAME"},
      Field{"max_keys", &O::max_keys, 16, 16'777'216, "keys remembered at one time, 24 B each"}};
}

/// The limiter's own options. Pure.
inline policy::KeyedLimiterOptions ToLimiter(const LimitOptions& options) {
  return {.mode = options.mode,
          .rate = options.rate,
          .burst = options.burst,
          .max_keys = options.max_keys};
}

/// Whose requests a limit counts together.
struct LimitKey {
  enum class Kind : std::uint8_t {
    kRoute,     ///< all of the route
    kClientIp,  ///< of one client address, see policy::ClientKey
    kHeader,    ///< with one value of a header; those without it share one bucket
  };
  Kind kind = Kind::kRoute;
  std::string_view header = {};  ///< in any case; a part of what was parsed
};

/// Reads `route`, `client_ip` or `header:x-user-id`. Pure.
constexpr std::optional<LimitKey> ParseLimitKey(std::string_view by) {
  constexpr std::string_view kHeader = "header:";
  if (by == "route") return LimitKey{};
  if (by == "client_ip") return LimitKey{LimitKey::Kind::kClientIp, {}};
  if (!by.starts_with(kHeader) || by.size() == kHeader.size()) return std::nullopt;
  return LimitKey{LimitKey::Kind::kHeader, by.substr(kHeader.size())};
}

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
};

constexpr auto Fields(Type<RouteOptions>) {
  using O = RouteOptions;
  return std::tuple{
      Field{"name", &O::name, "in metrics and logs; empty: the path"},
      Field{"match", &O::match, "which requests it takes; the first route that does has them"},
      Field{"service", &O::service, "where they go: a key of services"},
      Field{"deadline", &O::deadline, std::chrono::milliseconds(1), std::chrono::hours(1),
            "for the whole call; a shorter one that the request carries wins"},
      Field{"limit", &O::limit, "rates; all must admit, in this order"},
      Field{"idempotent", &O::idempotent, "may be sent again: auto (by method), yes or no"}};
}

}  // namespace hale::mesh
