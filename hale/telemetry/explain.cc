#include "hale/telemetry/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hale/telemetry/json_line.h"
#include "hale/telemetry/sentence.h"

namespace hale::telemetry {
namespace {

// A trail's decision as the event that it was.
Event EventOf(const Decision& decision) {
  Event event;
  event.kind = decision.kind;
  event.reason = decision.reason;
  event.policy = decision.policy.view();
  event.service = decision.service.view();
  event.instance = decision.instance.view();
  event.observed = decision.observed;
  event.threshold = decision.threshold;
  event.span = decision.span;
  event.detail = decision.detail.view();
  return event;
}

std::string_view Object(JsonLine& line) {
  std::string_view object = line.Finish();
  object.remove_suffix(1);  // the line feed
  return object;
}

void AppendDecision(std::string& out, const Decision& decision) {
  std::array<char, 2048> buffer;
  JsonLine line(buffer);
  line.Span("at_seconds", decision.offset);
  line.Text("what", Word(decision.kind));
  line.Text("reason", Word(decision.reason));
  line.Text("policy", decision.policy.view());
  line.Text("service", decision.service.view());
  line.Text("instance", decision.instance.view());
  line.Number("observed", decision.observed);
  line.Number("threshold", decision.threshold);
  line.Span("span_seconds", decision.span);
  line.Text("detail", decision.detail.view());
  line.Text("text", Sentence(EventOf(decision)));
  out += Object(line);
}

void AppendHeaders(std::string& out, std::string_view headers) {
  out += '[';
  while (!headers.empty()) {
    if (out.back() != '[') out += ',';
    const std::size_t end = std::min(headers.find('\n'), headers.size());
    out += JsonString(headers.substr(0, end));
    headers.remove_prefix(std::min(end + 1, headers.size()));
  }
  out += ']';
}

std::string Verdict(const RequestRecord& record) {
  const std::string_view reason =
      record.reason == Reason::kNone ? std::string_view() : Word(record.reason);
  const std::string_view gap = reason.empty() ? "" : " ";
  if (record.status == 0) return fmt::format("got no answer{}{}", gap, reason);
  const char* verb = record.kept == Kept::kRefused ? "refused" : "answered";
  return fmt::format("{} with {}{}{}", verb, record.status, gap, reason);
}

std::string_view OrNone(std::string_view text) { return text.empty() ? "-" : text; }

std::string Offset(Duration offset) { return fmt::format("{:>10}", "+" + Rounded(offset)); }

}  // namespace

std::string ExplainJson(const RequestRecord& record) {
  std::array<char, 8192> buffer;
  JsonLine line(buffer);
  line.Text("request_id", record.request_id.view());
  line.Trace(record.trace);
  line.Time("time", record.time);
  line.Text("kept", Word(record.kept));
  line.Text("method", record.method.view());
  line.Text("path", record.target.view());
  line.Text("client", record.client.view());
  line.Text("route", record.route.view());
  line.Text("service", record.service.view());
  line.Text("instance", record.instance.view());
  line.Integer("status", record.status);
  line.Text("reason", Word(record.reason));
  line.Span("duration_seconds", record.duration);
  line.Unsigned("attempts", record.attempts);
  line.Unsigned("decisions_missed", record.trail.missed());
  std::string out(Object(line));
  out.back() = ',';  // in place of the brace: two more members follow
  out += "\"decisions\":[";
  for (const Decision& decision : record.trail.decisions()) {
    if (out.back() != '[') out += ',';
    AppendDecision(out, decision);
  }
  out += "],\"headers\":";
  AppendHeaders(out, record.headers.view());
  return out += '}';
}

std::string ExplainText(const RequestRecord& record) {
  const auto time = TimeText(record.time);
  const auto trace = TraceIdText(record.trace);
  std::string out = fmt::format(
      "{} {} {} after {}\n  at {}, request {}, trace {}\n  client {}, route {}, service {}, "
      "instance {}, attempts {}\n",
      record.method.view(), record.target.view(), Verdict(record), Rounded(record.duration),
      std::string_view(time.data(), time.size()), record.request_id.view(),
      std::string_view(trace.data(), trace.size()), OrNone(record.client.view()),
      OrNone(record.route.view()), OrNone(record.service.view()), OrNone(record.instance.view()),
      record.attempts);
  for (const Decision& decision : record.trail.decisions()) {
    out += fmt::format("{}  {}\n", Offset(decision.offset), Sentence(EventOf(decision)));
  }
  if (record.trail.missed() > 0) {
    out += fmt::format("            and {} more decisions\n", record.trail.missed());
  }
  return out;
}

}  // namespace hale::telemetry
