#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/quantity.h"
#include "hale/policy/fallback.h"
#include "hale/policy/last_good.h"
#include "hale/policy/single_flight.h"

namespace hale::mesh {

/// The fields of a request that are a part of what makes it the same as another one, unless a route
/// says otherwise: what answers commonly depend on.
inline std::vector<std::string> UsualBy() {
  return {"accept", "accept-encoding", "accept-language"};
}

/// Which good answers of a route are kept for when its service is away.
struct KeepOptions {
  Duration max_age{0};                   ///< 0: none is kept
  Size memory{std::uint64_t{16} << 20};  ///< of all that is kept
  std::uint32_t entries = 4096;          ///< answers kept at one time
  Size body{std::uint64_t{256} << 10};   ///< of one answer; larger ones are not kept
  std::vector<std::string> by = UsualBy();
};

constexpr auto Fields(Type<KeepOptions>) {
  using O = KeepOptions;
  return std::tuple{
      Field{"max_age", &O::max_age, Duration(0), 24h * 7,
            "an older one is not given; 0: none kept"},
      Field{"memory", &O::memory, Size{4096}, Size{std::uint64_t{1} << 34}, "of all that is kept"},
      Field{"entries", &O::entries, 1, 1'000'000, "answers kept at one time"},
      Field{"body", &O::body, Size{0}, Size{std::uint64_t{64} << 20}, "of one answer, at most"},
      Field{"by", &O::by, "request fields that make two requests different ones"}};
}
constexpr std::string_view Shorthand(Type<KeepOptions>) { return "max_age"; }

/// What a route answers when its service cannot: the first of these that it has, in this order: the
/// answer of another service, the last good answer to the same request, a fixed answer.
struct RouteFallbackOptions {
  policy::Mode mode = policy::Mode::kEnforce;
  std::vector<Reason> after = {};                   ///< see policy::FallbackOptions
  std::vector<int> after_status = {502, 503, 504};  ///< see policy::FallbackOptions
  std::string service = {};                         ///< empty: none
  KeepOptions last_good = {};
  int status = 0;  ///< of the fixed answer; 0: there is none
  std::map<std::string, std::string> headers = {};
  std::string body = {};
};

constexpr auto Fields(Type<RouteFallbackOptions>) {
  using O = RouteFallbackOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (only says so) or enforce"},
      Field{"after", &O::after, "reasons; empty: all that say that the service is not available"},
      Field{"after_status", &O::after_status,
            "which statuses of the service upstream_status means"},
      Field{"service", &O::service,
            "first: another service's answer, with what is left of the time"},
      Field{"last_good", &O::last_good, "second: the last good answer to the same request"},
      Field{"status", &O::status, 0, 599, "third: a fixed answer; 0: none"},
      Field{"headers", &O::headers, "of the fixed answer"},
      Field{"body", &O::body, "of the fixed answer"}};
}

/// The rule and the store of it. Pure.
inline policy::FallbackOptions ToRule(const RouteFallbackOptions& options) {
  return {options.mode, options.after, options.after_status};
}
inline policy::LastGoodOptions ToLastGood(const KeepOptions& options) {
  return {options.max_age, options.memory, options.entries};
}
/// Whether there is anything to answer with. Pure.
inline bool GivesAnything(const RouteFallbackOptions& options) {
  return options.mode != policy::Mode::kOff &&
         (!options.service.empty() || options.last_good.max_age > Duration(0) ||
          options.status != 0);
}

/// Whether identical requests that come while one of them is under way wait for its answer.
struct RouteSingleFlightOptions {
  policy::Mode mode = policy::Mode::kOff;
  Size max_body{std::uint64_t{64} << 10};  ///< of an answer that is shared
  std::uint32_t max_keys = 16384;          ///< see policy::SingleFlightOptions
  std::vector<std::string> by = UsualBy();
};

constexpr auto Fields(Type<RouteSingleFlightOptions>) {
  using O = RouteSingleFlightOptions;
  return std::tuple{Field{"mode", &O::mode, "off, shadow (only says so) or enforce"},
                    Field{"max_body", &O::max_body, Size{0}, Size{std::uint64_t{16} << 20},
                          "of an answer that is shared; for a larger one each asks itself"},
                    Field{"max_keys", &O::max_keys, 1, 1'000'000,
                          "calls under way that may be joined; beyond, each goes alone"},
                    Field{"by", &O::by, "request fields that make two requests different ones"}};
}
constexpr std::string_view Shorthand(Type<RouteSingleFlightOptions>) { return "mode"; }

inline policy::SingleFlightOptions ToFlights(const RouteSingleFlightOptions& options) {
  return {options.mode, options.max_keys};
}

}  // namespace hale::mesh
