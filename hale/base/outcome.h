#pragma once

#include <cstdint>
#include <string_view>

#include "hale/base/reason.h"
#include "hale/base/time.h"

namespace hale {

/// How a call ended, for statistics. `kIgnored` (the caller cancelled, the caller's fault, shed
/// elsewhere, a lost race) is neutral: it gives its permit back and poisons nothing.
enum class Outcome : std::uint8_t { kSuccess, kFailure, kIgnored };

/// A core's receipt for an admitted call. A verdict whose generation has passed changes nothing.
struct Ticket {
  std::uint32_t generation = 0;
  TimePoint admitted{};
};

/// A refusal, in numbers; words are made only when somebody reads it.
struct Rejection {
  Reason reason = Reason::kNone;
  Duration retry_after{0};    ///< when asking again could make sense; kForever: never; 0: unknown
  double observed = 0;        ///< the live figure that decided
  double threshold = 0;       ///< what it was held against
  std::string_view detail{};  ///< for a person, what the figures do not say; outlives all
};

}  // namespace hale
