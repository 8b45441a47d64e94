#include "hale/host/admin_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "hale/telemetry/explain.h"
#include "hale/telemetry/exposition.h"
#include "hale/telemetry/json_line.h"
#include "hale/telemetry/sentence.h"

namespace hale::host {
namespace {

using telemetry::JsonString;

constexpr std::uint64_t kMaxEntries = 4096;
constexpr std::string_view kText = "text/plain; charset=utf-8";

AdminResponse Text(std::string body) {
  AdminResponse response;
  response.content_type = kText;
  response.body = std::move(body);
  return response;
}

AdminResponse Json(std::string body) {
  AdminResponse response;
  response.body = std::move(body) + "\n";
  return response;
}

bool WantsText(const AdminRequest& request) { return request.Query("format") == "text"; }

// A number of the query; what is no number, or too large, is refused by its name.
struct Number {
  std::string_view name;
  std::uint64_t fallback = 0;
  std::uint64_t most = ~std::uint64_t{0};
};
std::expected<std::uint64_t, AdminResponse> Read(const AdminRequest& request, Number number) {
  const auto text = request.Query(number.name);
  if (!text) return number.fallback;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (text->empty() || error != std::errc() || stop != end) {
    return std::unexpected(AdminError(400, Reason::kProtocol,
                                      fmt::format("{}={} is no whole number", number.name, *text)));
  }
  return std::min(value, number.most);
}

AdminResponse Ready(const Readiness& readiness) {
  AdminResponse response =
      readiness.ready
          ? Json(R"({"ready":true})")
          : Json(fmt::format("{{\"ready\":false,\"why\":{}}}", JsonString(readiness.why)));
  if (!readiness.ready) response.status = 503;
  response.reason = readiness.reason;
  return response;
}

AdminResponse Metrics(const telemetry::Registry& registry, const AdminRequest& request) {
  const auto format =
      telemetry::NegotiateFormat(request.head.fields.Find("accept").value_or(std::string_view()));
  AdminResponse response;
  response.content_type = telemetry::ContentType(format);
  response.body = Expose(registry, format);
  return response;
}

AdminResponse Explain(const telemetry::FlightRecorder& recorder, const AdminRequest& request) {
  const auto id = request.Query("id");
  const auto limit = Read(request, {.name = "limit", .fallback = 20, .most = kMostExplained});
  if (!limit) return limit.error();
  const auto records = id ? recorder.Find(*id) : recorder.Latest(*limit);
  if (id && records.empty()) {
    return AdminError(404, Reason::kNone,
                      fmt::format("no such request is kept: only those that were refused, failed, "
                                  "retried, raced, slow or sampled are, and only the last {} of "
                                  "each",
                                  recorder.lane()));
  }
  std::string body = WantsText(request) ? "" : "{\"requests\":[";
  for (const telemetry::RequestRecord& record : records) {
    if (WantsText(request)) {
      body += ExplainText(record);
    } else {
      if (body.back() != '[') body += ',';
      body += ExplainJson(record);
    }
  }
  return WantsText(request) ? Text(std::move(body)) : Json(std::move(body) + "]}");
}

AdminResponse ReadJournal(telemetry::Journal& journal, const AdminRequest& request) {
  const auto since = Read(request, {.name = "since", .fallback = 0});
  if (!since) return since.error();
  const auto limit = Read(request, {.name = "limit", .fallback = 1000, .most = kMaxEntries});
  if (!limit) return limit.error();
  const telemetry::Journal::Page page = journal.Since(*since, *limit);
  std::string body;
  for (const telemetry::JournalEntry& entry : page.entries) {
    if (WantsText(request)) {
      const auto time = telemetry::TimeText(entry.time);
      body += std::string_view(time.data(), time.size());
      body += entry.count > 1 ? fmt::format("  {} x ", entry.count) : "  ";
      body += telemetry::Sentence(entry.ToEvent()) + "\n";
    } else {
      body += body.empty() ? "" : ",";
      body += JournalJson(entry);
    }
  }
  if (WantsText(request)) return Text(std::move(body));
  return Json(
      fmt::format("{{\"entries\":[{}],\"next\":{},\"lost\":{}}}", body, page.next, page.lost));
}

AdminResponse ShowLevel(const telemetry::Log& log) {
  return Json(fmt::format("{{\"level\":\"{}\"}}", Word(log.level())));
}

AdminResponse SetLevel(telemetry::Log& log, const AdminRequest& request) {
  const auto level = telemetry::LevelFromWord(request.Query("level").value_or(""));
  if (!level) {
    return AdminError(400, Reason::kProtocol, "level is one of debug, info, warn, error, off");
  }
  const telemetry::Level before = log.level();
  const auto say = [&] {
    const auto seen = std::max(std::min(before, *level), telemetry::Level::kInfo);
    log.Write(seen, {}, "log level changed", {{"before", Word(before)}, {"after", Word(*level)}});
  };
  // While the louder of the two holds, so that turning a log down is seen as well.
  if (*level > before) say();
  log.SetLevel(*level);
  if (*level < before) say();
  return ShowLevel(log);
}

}  // namespace

std::vector<AdminRoute> AdminRoutes(AdminParts parts) {
  std::vector<AdminRoute> routes;
  routes.push_back({.method = "GET",
                    .path = "/health",
                    .about = "200 while the process is alive",
                    .handle = [](const AdminRequest&) { return Json(R"({"alive":true})"); },
                    .access = AdminAccess::kOpen});
  routes.push_back(
      {.method = "GET",
       .path = "/ready",
       .about = "200 if it should get requests, else 503 and why",
       .handle = [ready = std::move(parts.ready)](const AdminRequest&) { return Ready(ready()); },
       .access = AdminAccess::kOpen});
  routes.push_back({.method = "GET",
                    .path = "/status",
                    .about = "services, instances, policies, configuration",
                    .handle = [status = std::move(parts.status)](const AdminRequest&) {
                      return Json(status());
                    }});
  routes.push_back({.method = "GET",
                    .path = "/metrics",
                    .about = "for Prometheus, as text or OpenMetrics",
                    .handle = [&registry = parts.registry](const AdminRequest& request) {
                      return Metrics(registry, request);
                    }});
  routes.push_back({.method = "GET",
                    .path = "/explain",
                    .about = "why a request ended as it did: ?id= (request or trace), ?format=text",
                    .handle = [&recorder = parts.recorder](const AdminRequest& request) {
                      return Explain(recorder, request);
                    }});
  routes.push_back({.method = "GET",
                    .path = "/journal",
                    .about = "what was decided: ?since=, ?limit=, ?format=text",
                    .handle = [&journal = parts.journal](const AdminRequest& request) {
                      return ReadJournal(journal, request);
                    }});
  routes.push_back({.method = "GET",
                    .path = "/log",
                    .about = "the level of the event log",
                    .handle = [&log = parts.log](const AdminRequest&) { return ShowLevel(log); }});
  routes.push_back({.method = "PUT",
                    .path = "/log",
                    .about = "sets it until the next document: ?level=",
                    .handle = [&log = parts.log](const AdminRequest& request) {
                      return SetLevel(log, request);
                    }});
  return routes;
}

}  // namespace hale::host
