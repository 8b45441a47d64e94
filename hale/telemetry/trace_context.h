#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hale/base/random.h"

namespace hale::telemetry {

/// A call's place in a distributed trace (W3C Trace Context level 2, w3.org/TR/trace-context-2).
/// All zero means that there is none.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;
  bool sampled = false;  ///< somebody may have recorded it
  bool random = false;   ///< the low 56 bits of the trace id are random

  friend constexpr bool operator==(const TraceContext&, const TraceContext&) = default;
  constexpr bool valid() const { return (trace_high | trace_low) != 0 && span != 0; }
};

/// Reads a `traceparent` value; nothing when it is malformed, all zero or of version ff: then the
/// trace starts anew and `tracestate` is dropped. A later version is read by its first 55
/// characters. Blanks around the value are allowed. Pure.
std::optional<TraceContext> ParseTraceparent(std::string_view value);

/// `00-<trace>-<span>-<flags>`. Pure.
std::array<char, 55> Traceparent(const TraceContext& context);

/// The ids in lower-case hexadecimal. Pure.
std::array<char, 32> TraceIdText(const TraceContext& context);
std::array<char, 16> SpanIdText(const TraceContext& context);

/// A new trace with its first span.
enum class Sampled : std::uint8_t { kNo, kYes };
TraceContext NewTrace(Random& random, Sampled sampled);

/// The same trace under a new span id: what a hop sends on.
TraceContext NextHop(const TraceContext& parent, Random& random);

/// May this `tracestate` be sent on as it stands: well-formed, at most 32 members and 512
/// characters? Pure.
bool TracestateFits(std::string_view value);

/// What may be sent on of a `tracestate`: of a long one whole members are left out, first those
/// over 128 characters, then the last; of a malformed or doubled key nothing at all. Pure.
std::string CleanTracestate(std::string_view value);

}  // namespace hale::telemetry
