#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hale/telemetry/metrics.h"

namespace hale::telemetry {

enum class MetricFormat : std::uint8_t { kText, kOpenMetrics };

/// The format that an `Accept` header prefers: OpenMetrics 1.0 only if it is asked for and not
/// ranked below text 0.0.4, which answers everything else. Pure.
MetricFormat NegotiateFormat(std::string_view accept);
std::string_view ContentType(MetricFormat format);

/// All series of a registry as text: Prometheus exposition format 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats) or OpenMetrics 1.0. Families without a
/// series are left out. Numbers do not depend on the locale, `le` is the same in both formats, and
/// the count of a histogram equals its last bucket. Thread-safe; writers are never kept waiting.
std::string Expose(const Registry& registry, MetricFormat format);

}  // namespace hale::telemetry
