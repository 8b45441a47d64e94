#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "hale/base/clock.h"
#include "hale/base/field.h"
#include "hale/base/reason.h"
#include "hale/telemetry/log_queue.h"
#include "hale/telemetry/trace_context.h"

namespace hale::telemetry {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };

constexpr auto Names(Type<Level>) {
  return std::array{Name<Level>{"debug", Level::kDebug}, Name<Level>{"info", Level::kInfo},
                    Name<Level>{"warn", Level::kWarn}, Name<Level>{"error", Level::kError},
                    Name<Level>{"off", Level::kOff}};
}

/// `debug`, `info` ... Pure.
std::string_view Word(Level level);
std::optional<Level> LevelFromWord(std::string_view word);

/// What a field may hold; a view is valid until the call that logs it returns.
/// Not thread-safe.
class LogValue {
 public:
  using Any =
      std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, Duration, Reason>;
  LogValue(std::string_view v) : any_(v) {}                      // NOLINT: fields read best bare
  LogValue(const std::string& v) : any_(std::string_view(v)) {}  // NOLINT
  LogValue(const char* v) : any_(std::string_view(v)) {}         // NOLINT
  LogValue(Duration v) : any_(v) {}                              // NOLINT
  template <class Rep, class Period>
  LogValue(std::chrono::duration<Rep, Period> v)  // NOLINT
      : any_(std::chrono::duration_cast<Duration>(v)) {}
  LogValue(Reason v) : any_(v) {}                   // NOLINT
  LogValue(std::same_as<bool> auto v) : any_(v) {}  // NOLINT: no pointer becomes a bool
  LogValue(std::floating_point auto v) : any_(static_cast<double>(v)) {}  // NOLINT
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogValue(T v) {  // NOLINT
    if constexpr (std::is_signed_v<T>) {
      any_ = static_cast<std::int64_t>(v);
    } else {
      any_ = static_cast<std::uint64_t>(v);
    }
  }
  const Any& any() const { return any_; }

 private:
  Any any_;
};

struct LogField {
  std::string_view key;
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

class TracedLog;

/// Writes structured lines: `log.Warn("charge failed", {{"reason", error.reason}, {"order", id}})`
/// is one JSON object with level, timestamp, service, trace_id, span_id, message and the fields.
/// Values whose key names a secret (`IsSecretName`) are printed as `***`. A line below the level
/// costs one load. Thread-safe.
class Log {
 public:
  /// Queue and clock outlive me.
  Log(LogQueue& queue, const Clock& clock, std::string_view service, Level level = Level::kInfo);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool Enabled(Level level) const { return level >= level_.load(std::memory_order_relaxed); }
  Level level() const { return level_.load(std::memory_order_relaxed); }
  /// Takes effect for the next line of every thread.
  void SetLevel(Level level) { level_.store(level, std::memory_order_relaxed); }

  void Debug(std::string_view m, LogFields f = {}) const { Write(Level::kDebug, {}, m, f); }
  void Info(std::string_view m, LogFields f = {}) const { Write(Level::kInfo, {}, m, f); }
  void Warn(std::string_view m, LogFields f = {}) const { Write(Level::kWarn, {}, m, f); }
  void Error(std::string_view m, LogFields f = {}) const { Write(Level::kError, {}, m, f); }

  /// The same log for one request: its lines carry the trace's ids.
  TracedLog With(const TraceContext& trace) const;
  void Write(Level level, const TraceContext& trace, std::string_view message,
             LogFields fields) const;

 private:
  void Render(Level level, const TraceContext& trace, std::string_view message,
              LogFields fields) const;

  LogQueue& queue_;
  const Clock& clock_;
  const std::string service_json_;  // quoted and escaped
  std::atomic<Level> level_;
};

inline void Log::Write(Level level, const TraceContext& trace, std::string_view message,
                       LogFields fields) const {
  if (Enabled(level)) Render(level, trace, message, fields);
}

/// A log that knows which request it is about: a value, as cheap as its two members. The log it
/// came from outlives it. Thread-safe.
class TracedLog {
 public:
  TracedLog(const Log& log, const TraceContext& trace) : log_(&log), trace_(trace) {}
  void Debug(std::string_view m, LogFields f = {}) const {
    log_->Write(Level::kDebug, trace_, m, f);
  }
  void Info(std::string_view m, LogFields f = {}) const { log_->Write(Level::kInfo, trace_, m, f); }
  void Warn(std::string_view m, LogFields f = {}) const { log_->Write(Level::kWarn, trace_, m, f); }
  void Error(std::string_view m, LogFields f = {}) const {
    log_->Write(Level::kError, trace_, m, f);
  }

 private:
  const Log* log_;
  TraceContext trace_;
};

inline TracedLog Log::With(const TraceContext& trace) const { return {*this, trace}; }

}  // namespace hale::telemetry
