#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/quantity.h"
#include "hale/base/time.h"
#include "hale/policy/keyed_limiter.h"
#include "hale/policy/mode.h"

namespace hale::mesh {

/// How a limit admits.
enum class LimitKind : std::uint8_t {
  kTokenBucket,  ///< rate × t + burst, refuses at once; see policy::RateLimiter
  kPacing,       ///< at even distances, waits up to max_wait; see policy::Pacer
  kSlidingLog,   ///< at most so many in any window, exactly; see policy::SlidingLog
};

constexpr auto Names(Type<LimitKind>) {
  return std::array{Name<LimitKind>{"token_bucket", LimitKind::kTokenBucket},
                    Name<LimitKind>{"pacing", LimitKind::kPacing},
                    Name<LimitKind>{"sliding_log", LimitKind::kSlidingLog}};
}

/// What a limit counts.
enum class LimitCost : std::uint8_t {
  kRequests,
  kBytes,  ///< of request and response: an estimate first, settled when the response has ended
};

constexpr auto Names(Type<LimitCost>) {
  return std::array{Name<LimitCost>{"requests", LimitCost::kRequests},
                    Name<LimitCost>{"bytes", LimitCost::kBytes}};
}

/// A limit on the rate of requests of one route, or to one service.
struct LimitOptions {
  policy::Mode mode = policy::Mode::kEnforce;
  LimitKind kind = LimitKind::kTokenBucket;
  Rate rate{100, std::chrono::seconds(1)};
  std::uint64_t burst = 0;  ///< 0: what one second brings, at least 1; of pacing: 1
  std::string by = "all";   ///< whose requests are counted together; see ParseLimitKey
  Duration max_wait = std::chrono::milliseconds(500);  ///< of pacing
  Duration warm_up{0};  ///< of a token bucket by all; see policy::WarmUp
  double cold = 3;      ///< the rate of a cold limit is rate ÷ cold
  LimitCost cost = LimitCost::kRequests;
  std::uint64_t estimate = 4096;   ///< bytes taken at admission
  std::uint32_t max_keys = 65536;  ///< keys remembered at one time, 24 bytes each
  policy::WhenFull when_full = policy::WhenFull::kShare;
};

constexpr auto Fields(Type<LimitOptions>) {
  using O = LimitOptions;
  using std::chrono::hours;
  using std::chrono::milliseconds;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"kind", &O::kind, "token_bucket, pacing (waits) or sliding_log (exact)"},
      Field{"rate", &O::rate, Rate{1, hours(24 * 365)},
            Rate{1'000'000'000, std::chrono::seconds(1)},
            "requests or bytes in a time, for each key"},
      Field{"burst", &O::burst, 0, 1'000'000'000,
            "at once after a rest; 0: what one second brings, at least 1; of pacing: 1"},
      Field{"by", &O::by, "all (together), client_ip or header:NAME"},
      Field{"max_wait", &O::max_wait, milliseconds(0), std::chrono::minutes(1),
            "of pacing: longest wait for a turn; also at most half the deadline"},
      Field{"warm_up", &O::warm_up, milliseconds(0), hours(1),
            "of a token bucket by all: full use until it has its rate; 0: none"},
      Field{"cold", &O::cold, 1.0, 100.0, "the rate of a cold limit is rate ÷ cold"},
      Field{"cost", &O::cost, "requests, or bytes: of request and response, settled at its end"},
      Field{"estimate", &O::estimate, 1, 1'000'000'000, "bytes taken at admission"},
      Field{"max_keys", &O::max_keys, 16, 16'777'216, "keys remembered at one time, 24 B each"},
      Field{"when_full", &O::when_full,
            "keys without a place: share one bucket, evict who owes least, or refuse"}};
}

/// Whose requests a limit counts together.
struct LimitKey {
  enum class Kind : std::uint8_t {
    kAll,       ///< all of the route, or to the service
    kClientIp,  ///< of one client address, see policy::ClientKey
    kHeader,    ///< with one value of a header; those without it share one bucket
  };
  Kind kind = Kind::kAll;
  std::string_view header = {};  ///< in any case; a part of what was parsed
};

/// Reads `all`, `client_ip` or `header:x-user-id`. Pure.
constexpr std::optional<LimitKey> ParseLimitKey(std::string_view by) {
  constexpr std::string_view kHeader = "header:";
  if (by == "all") return LimitKey{};
  if (by == "client_ip") return LimitKey{LimitKey::Kind::kClientIp, {}};
  if (!by.starts_with(kHeader) || by.size() == kHeader.size()) return std::nullopt;
  return LimitKey{LimitKey::Kind::kHeader, by.substr(kHeader.size())};
}

/// The most limits in one list.
inline constexpr std::size_t kMostLimits = 8;

}  // namespace hale::mesh
