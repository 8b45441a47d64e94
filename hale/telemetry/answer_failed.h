#pragma once

#include "hale/base/reason.h"

namespace hale::telemetry {

/// Whether an answer of this status failed its client: none at all (0), a 5xx, or a good one that
/// was cut off, which is when there is a reason beside it that is not the client's. Pure.
constexpr bool AnswerFailed(int status, Reason reason) {
  const bool cut = status < 400 && reason != Reason::kNone && !IsCallersFault(reason);
  return status == 0 || status >= 500 || cut;
}

}  // namespace hale::telemetry
