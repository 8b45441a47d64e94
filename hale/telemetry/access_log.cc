#include "hale/telemetry/access_log.h"

#include "hale/telemetry/answer_failed.h"
#include "hale/telemetry/json_line.h"
#include "hale/telemetry/redact.h"

namespace hale::telemetry {
namespace {

constexpr std::size_t kMaxTarget = 1024;
constexpr std::size_t kMaxName = 256;
// All strings at their limits and every character escaped would not fit; then the line is cut.
constexpr std::size_t kLineBytes = 8 * 1024;

std::string_view LevelOf(const AccessRecord& record) {
  if (record.status < 400 && AnswerFailed(record.status, record.reason)) return "error";
  return record.status >= 400 && record.reason != Reason::kNone ? "warn" : "info";
}

void Optional(JsonLine& line, std::string_view key, std::string_view value) {
  if (!value.empty()) line.Text(key, value, kMaxName);
}

}  // namespace

AccessLog::AccessLog(LogQueue& queue, std::string_view node)
    : queue_(queue), node_json_(JsonString(node)) {}

void AccessLog::Write(const AccessRecord& record) const {
  std::array<char, kLineBytes> buffer;
  std::array<char, kMaxTarget> target;
  JsonLine line(buffer);
  line.Time("timestamp", record.time);
  line.Text("level", LevelOf(record));
  line.Raw("service", node_json_);
  line.Trace(record.trace);
  line.Text("message", "request");
  line.Text("request_id", record.request_id, kMaxName);
  line.Text("method", record.method, kMaxName);
  line.Text("path", RedactTarget(record.target, target), kMaxTarget);
  line.Integer("status", record.status);
  if (record.reason != Reason::kNone) line.Text("reason", Word(record.reason));
  if (!record.fallback.empty()) {
    line.Text("fallback", record.fallback);
    line.Text("fallback_after", Word(record.fell_back_after));
  }
  line.Span("duration_seconds", record.duration);
  line.Unsigned("bytes_in", record.bytes_in);
  line.Unsigned("bytes_out", record.bytes_out);
  line.Text("route", record.route, kMaxName);
  Optional(line, "upstream", record.service);
  Optional(line, "instance", record.instance);
  line.Unsigned("attempts", record.attempts);
  line.Text("client", record.client, kMaxName);
  Optional(line, "user_agent", record.user_agent);
  queue_.Push(line.Finish());
}

}  // namespace hale::telemetry
