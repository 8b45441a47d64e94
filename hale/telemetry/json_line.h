#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hale/base/time.h"
#include "hale/telemetry/trace_context.h"

namespace hale::telemetry {

/// Writes one JSON object as one line into a buffer of the caller's, without allocating. Whatever
/// is put in, the result is valid JSON and valid UTF-8: control characters are escaped, broken
/// UTF-8 becomes U+FFFD, NaN and infinities become strings. What does not fit is cut at a character
/// or left out whole, and the line then says `"truncated":true`. Not thread-safe.
class JsonLine {
 public:
  /// The buffer outlives me and holds at least 64 bytes.
  explicit JsonLine(std::span<char> buffer);
  JsonLine(const JsonLine&) = delete;
  JsonLine& operator=(const JsonLine&) = delete;

  void Text(std::string_view key, std::string_view value, std::size_t limit = 4096);
  void Integer(std::string_view key, std::int64_t value);
  void Unsigned(std::string_view key, std::uint64_t value);
  void Number(std::string_view key, double value);
  void Bool(std::string_view key, bool value);
  /// Seconds, exact to the nanosecond: 1.5 ms is 0.0015.
  void Span(std::string_view key, Duration value);
  /// RFC 3339 in UTC with microseconds.
  void Time(std::string_view key, WallTime value);
  /// `trace_id` and `span_id`; nothing when there is no trace.
  void Trace(const TraceContext& context);
  /// A value that is JSON already.
  void Raw(std::string_view key, std::string_view json);

  /// Ends the line, `}` and line feed. Call it once, last.
  std::string_view Finish();
  bool truncated() const { return truncated_; }

 private:
  /// Begins a member if it and `room` bytes of its value fit, else leaves it out.
  bool Key(std::string_view key, std::size_t room);
  /// A value that needs no escaping.
  void Quoted(std::string_view key, std::span<const char> plain);
  void Put(std::string_view text);

  char* const begin_;
  char* at_;
  char* const end_;  // before the room kept for the closing words
  bool truncated_ = false;
};

/// Writes `text` as the inside of a JSON string, between `out` and `end`; returns where it stopped
/// and how much of the text it has used. Pure.
struct Escaped {
  char* end;
  std::size_t used;
};
Escaped EscapeJson(std::string_view text, std::span<char> out);

/// A string as JSON writes it, with its quotes. Pure.
std::string JsonString(std::string_view text);

/// RFC 3339 in UTC with microseconds, 27 characters. Pure.
std::array<char, 27> TimeText(WallTime time);

}  // namespace hale::telemetry
