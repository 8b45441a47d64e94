#pragma once

#include <cstdint>
#include <optional>

#include "hale/policy/retry.h"

namespace hale::policy {

/// How an attempt was received by who was called: what an overloaded service says, or fails to say.
enum class Reception : std::uint8_t {
  kTaken,       ///< it was worked on, whatever came of it: an error is work as well
  kTurnedAway,  ///< refused for load, or not answered in its time
  kUnknown,     ///< it never got there, or its caller gave it up: tells nothing about load
};

/// The reception that an attempt's failure tells of; none is an answer that is good. Turned away
/// are: a refusal of a hop for load, 429 and 503 with Retry-After, an attempt that timed out, and
/// of a callable the codes kResourceExhausted, kDeadlineExceeded, and kUnavailable with a
/// retry_after. A connection that was refused or reset is a dead instance, not a busy one. Pure.
Reception ReceptionOf(const FailedAttempt& failure);
inline Reception ReceptionOf(const std::optional<FailedAttempt>& failure) {
  return failure ? ReceptionOf(*failure) : Reception::kTaken;
}

}  // namespace hale::policy
