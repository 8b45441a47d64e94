#include "hale/telemetry/log.h"

#include <algorithm>
#include <type_traits>

#include "hale/telemetry/json_line.h"
#include "hale/telemetry/redact.h"

namespace hale::telemetry {
namespace {

// A line is at most this long, so that a thread needs no more than its stack to make one.
constexpr std::size_t kLineBytes = 16 * 1024;
constexpr std::size_t kMaxMessage = 8 * 1024;

void PutField(JsonLine& line, const LogField& field) {
  if (IsSecretName(field.key)) return line.Text(field.key, kRedacted);
  std::visit(
      [&](auto value) {
        using T = decltype(value);
        if constexpr (std::is_same_v<T, std::string_view>) {
          line.Text(field.key, value);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          line.Integer(field.key, value);
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
          line.Unsigned(field.key, value);
        } else if constexpr (std::is_same_v<T, double>) {
          line.Number(field.key, value);
        } else if constexpr (std::is_same_v<T, bool>) {
          line.Bool(field.key, value);
        } else if constexpr (std::is_same_v<T, Duration>) {
          line.Span(field.key, value);
        } else {
          line.Text(field.key, Word(value));
        }
      },
      field.value.any());
}

}  // namespace

std::string_view Word(Level level) {
  return Names(Type<Level>{})[static_cast<std::size_t>(level)].word;
}

std::optional<Level> LevelFromWord(std::string_view word) {
  for (const auto& name : Names(Type<Level>{})) {
    if (name.word == word) return name.value;
  }
  return std::nullopt;
}

Log::Log(LogQueue& queue, const Clock& clock, std::string_view service, Level level)
    : queue_(queue), clock_(clock), service_json_(JsonString(service)), level_(level) {}

void Log::Render(Level level, const TraceContext& trace, std::string_view message,
                 LogFields fields) const {
  std::array<char, kLineBytes> buffer;
  JsonLine line(buffer);
  line.Time("timestamp", clock_.WallNow());
  line.Text("level", Word(level));
  line.Raw("service", service_json_);
  line.Trace(trace);
  line.Text("message", message, kMaxMessage);
  for (const LogField& field : fields) PutField(line, field);
  queue_.Push(line.Finish());
}

}  // namespace hale::telemetry
