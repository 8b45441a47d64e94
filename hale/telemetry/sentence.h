#pragma once

#include <string>

#include "hale/base/event.h"

namespace hale::telemetry {

/// What an event says to a person, in one line and without a full stop: `rate_limiter refused by
/// orders: rate_limited, 10.2 of 10 permits, retry after 300ms`. Pure.
std::string Sentence(const Event& event);

/// Only the figures of a decision, such as `failure rate 62.5% of 50%`; empty when it has none.
/// Pure.
std::string Figures(const Event& event);

}  // namespace hale::telemetry
