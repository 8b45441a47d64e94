#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"

namespace hale::policy {

/// When a circuit opens, how long it rests and how it comes back. A call is *bad* when it failed or
/// was slow.
struct CircuitBreakerOptions {
  Mode mode = Mode::kEnforce;
  double failure_rate = 0.5;               ///< (0, 1]; opens at or above this share of bad calls
  std::uint32_t minimum_calls = 20;        ///< answered calls in the window before a share counts
  std::uint32_t consecutive_failures = 5;  ///< bad calls in a row that open it; 0: off
  Duration slow_call{0};                   ///< an answer that took as long is slow; 0: off
  double slow_rate = 0.5;                  ///< (0, 1]; opens at or above this share of slow calls
  Duration hung_after = 5s;                ///< a call out this long counts as bad already; 0: off
  Duration window = 10s;                   ///< how far back calls are remembered
  std::uint32_t buckets = 10;              ///< parts of the window, each forgotten at once
  Duration open_for = 5s;    ///< rest before the first probe; doubles when probes fail
  Duration open_max = 5min;  ///< the longest rest, before jitter
  double jitter = 0.2;       ///< [0, 1]: rests last up to this share longer, at random
  std::uint32_t probes = 3;  ///< calls let through half-open; all must pass to close
  Duration ramp = 10s;       ///< after closing, from 10 % of the calls to all; 0: all at once
};

constexpr auto Fields(Type<CircuitBreakerOptions>) {
  using O = CircuitBreakerOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow (decides, refuses nothing) or enforce"},
      Field{"failure_rate", &O::failure_rate, 0.01, 1.0,
            "share of failed or slow calls that opens"},
      Field{"minimum_calls", &O::minimum_calls, 1, 1'000'000,
            "answered calls in the window before a share counts"},
      Field{"consecutive_failures", &O::consecutive_failures, 0, 10'000,
            "failed or slow calls in a row that open; 0: off"},
      Field{"slow_call", &O::slow_call, 0s, 1h, "an answer that took as long is slow; 0: off"},
      Field{"slow_rate", &O::slow_rate, 0.01, 1.0, "share of slow calls that opens"},
      Field{"hung_after", &O::hung_after, 0s, 1h,
            "a call out this long counts as failed already; 0: off; at most 31 buckets"},
      Field{"window", &O::window, 1s, 1h, "how far back calls are remembered"},
      Field{"buckets", &O::buckets, 10, 32, "parts of the window, each forgotten at once"},
      Field{"open_for", &O::open_for, 10ms, 1h, "rest before the first probe"},
      Field{"open_max", &O::open_max, 10ms, 24h, "longest rest when probes keep failing"},
      Field{"jitter", &O::jitter, 0.0, 1.0, "rests last up to this share longer, at random"},
      Field{"probes", &O::probes, 1, 100, "half-open calls; all must pass to close"},
      Field{"ramp", &O::ramp, 0s, 10min, "after closing, from 10% of the calls to all of them"},
  };
}

enum class CircuitState : std::uint8_t {
  kClosed,    ///< calls pass and are counted
  kOpen,      ///< calls are refused
  kHalfOpen,  ///< a few probes decide
  kForcedOpen,
  kForcedClosed,  ///< calls pass and are not counted
};

constexpr auto Names(Type<CircuitState>) {
  using N = Name<CircuitState>;
  return std::array{N{"closed", CircuitState::kClosed}, N{"open", CircuitState::kOpen},
                    N{"half_open", CircuitState::kHalfOpen},
                    N{"forced_open", CircuitState::kForcedOpen},
                    N{"forced_closed", CircuitState::kForcedClosed}};
}

/// Whether calls pass, by what they came to or by order. Pure.
constexpr bool IsClosed(CircuitState state) {
  return state == CircuitState::kClosed || state == CircuitState::kForcedClosed;
}

/// Whether an operator's order holds it. Pure.
constexpr bool IsForced(CircuitState state) {
  return state == CircuitState::kForcedOpen || state == CircuitState::kForcedClosed;
}

}  // namespace hale::policy
