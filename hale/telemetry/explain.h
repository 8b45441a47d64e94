#pragma once

#include <string>

#include "hale/telemetry/flight_recorder.h"

namespace hale::telemetry {

/// A kept request as a JSON object: what was decided, by which rule, with which live numbers. Pure.
std::string ExplainJson(const RequestRecord& record);

/// The same as sentences for a terminal: a headline, such as `GET /orders/7 refused with 429
/// rate_limited after 0.2ms`, and a line a decision with its offset. Pure.
std::string ExplainText(const RequestRecord& record);

}  // namespace hale::telemetry
