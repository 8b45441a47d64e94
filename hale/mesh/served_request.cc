#include "hale/mesh/served_request.h"

#include <vector>

namespace hale::mesh {
namespace {

telemetry::AccessRecord RecordOf(const ServedRequest& request, const ServingRecords& records,
                                 TimePoint now) {
  const net::ServerExchange& exchange = request.exchange;
  const net::RequestHead& head = request.exchange.request();
  telemetry::AccessRecord record;
  record.duration = now - request.began;
  record.time = records.clock.WallNow() - record.duration;
  record.request_id = request.passport.request_id.view();
  record.trace = request.passport.trace;
  record.method = head.method;
  record.target = head.target;
  record.route = request.route;
  record.service = request.service;
  record.instance = request.instance;
  record.status = exchange.status();
  record.reason = request.reason;
  record.bytes_in = exchange.bytes_in();
  record.bytes_out = exchange.bytes_out();
  record.attempts = request.attempts;
  record.fallback = request.fallback;
  record.fell_back_after = request.fell_back_after;
  record.client = request.client_ip;
  record.user_agent = head.fields.Find("user-agent").value_or("");
  return record;
}

}  // namespace

Task<void> Refuse(ServedRequest& request, Error error, HopRetry retry) {
  request.reason = error.reason;
  const Refusal refusal = MakeRefusal(error, request.passport.request_id.view(), retry);
  co_await request.exchange.RespondWhole(refusal.head, refusal.body);
}

Task<void> RefuseBody(ServedRequest& request, Error why) {
  request.reason = why.reason;
  if (why.code != Code::kCancelled) co_return;
  const Error left(Reason::kClientAbort, Executed::kNo);
  co_await Refuse(request, left, HopRetry::kMay);
}

void Conclude(const ServedRequest& request, const ServingRecords& records, TimePoint now) {
  const telemetry::AccessRecord record = RecordOf(request, records, now);
  telemetry::RouteMetrics& metrics =
      request.metrics != nullptr ? *request.metrics : records.metrics.Route("none");
  metrics.Count(record.method, record.status, record.reason, record.duration);
  if (records.access_log != nullptr) records.access_log->Write(record);
  const auto kept = records.recorder.Classify(record, request.record);
  if (!kept) return;
  std::vector<telemetry::HeaderView> headers;
  for (const auto& line : request.exchange.request().fields) {
    headers.push_back({line.name, line.value});
  }
  records.recorder.Keep(*kept, record, request.record, headers);
}

void ConcludeRefused(const net::Address& peer, const net::Verdict& verdict,
                     const ServingRecords& records, TimePoint now) {
  Event event;
  event.at = now;
  event.reason = verdict.reason;
  event.policy = "http";
  event.detail = verdict.sentence;
  records.events.On(event);
  telemetry::AccessRecord record;
  record.time = records.clock.WallNow();
  const std::string client = peer.Ip();
  record.client = client;
  record.status = verdict.status;
  record.reason = verdict.reason;
  records.metrics.Route("none").Count("", verdict.status, verdict.reason, Duration::zero());
  if (records.access_log != nullptr) records.access_log->Write(record);
}

}  // namespace hale::mesh
