#pragma once

#include <string>

#include "hale/base/event.h"

namespace hale::telemetry {

/// What an event says to a person, in one line without a full stop, such as
/// `refused by rate_limiter of orders: rate_limited, 10.2 of 10 permits, retry after 300ms`. Pure.
std::string Sentence(const Event& event);

/// Only the figures of a decision, such as `62.5% of 50% failed`; empty when it has none. Pure.
std::string Figures(const Event& event);

/// A span to three digits, for reading: 312.415627ms is `312ms`. Pure.
std::string Rounded(Duration span);

}  // namespace hale::telemetry
