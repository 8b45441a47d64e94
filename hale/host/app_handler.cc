#include "hale/host/app_handler.h"

#include "hale/mesh/path.h"

namespace hale::host {

AppHandler::AppHandler(const App& app, mesh::Pools& pools, const mesh::ListenOptions& listen)
    : app_(app), pools_(pools), trust_(listen.trust), trusted_(listen.trusted_proxies) {}

Task<void> AppHandler::Handle(net::ServerExchange& exchange) {
  const mesh::ServingRecords& records = app_.process_->records();
  mesh::ServedRequest request(exchange, records.events);
  co_await Serve(request);
  mesh::Conclude(request, records, pools_.loop().clock().Now());
}

Task<void> AppHandler::Serve(mesh::ServedRequest& request) {
  net::ServerExchange& exchange = request.exchange;
  const net::RequestHead& head = exchange.request();
  Request::Data data;
  data.began = request.began;
  request.client_ip = data.client_ip = trusted_.ClientIp(exchange.peer(), head.fields);
  request.passport = data.passport =
      mesh::ReadPassport(head.fields,
                         {.trust = trust_,
                          .peer_trusted = trusted_.Has(exchange.peer()),
                          .peer_ip = data.client_ip,
                          .pseudonym = {}},
                         ThreadRandom());
  std::string buffer;
  const std::string_view path = mesh::NormalizePath(head.path(), buffer);
  const App::Entry* entry = nullptr;
  const bool built_in = path == "/health" || path == "/ready";
  for (const App::Entry& candidate : app_.entries_) {
    if (built_in) break;  // a pattern such as `/{any}` does not take them
    const bool method =
        candidate.method == head.method || (candidate.method == "GET" && head.method == "HEAD");
    if (method && candidate.pattern.Match(path, data.path)) {
      entry = &candidate;
      break;
    }
  }
  Response response;
  if (entry == nullptr) {
    response = BuiltIn(path);
  } else {
    request.route = entry->pattern.text();
    request.metrics = entry->metrics;
    auto read = co_await Read(request, std::move(data));
    if (!read) {
      co_await mesh::RefuseBody(request, read.error());
      co_return;
    }
    response = co_await Answer(*entry, std::move(*read));
  }
  request.reason = response.reason;
  response.head.fields.Set("x-request-id", request.passport.request_id.view());
  co_await exchange.RespondWhole(response.head, response.body);
}

Task<Result<Request>> AppHandler::Read(mesh::ServedRequest& request, Request::Data data) {
  net::ServerExchange& exchange = request.exchange;
  while (!exchange.body_complete()) {
    const auto piece = co_await exchange.ReadBody();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    data.body.append(piece->data(), piece->size());
  }
  data.head = exchange.request();
  co_return Request(std::make_shared<const Request::Data>(std::move(data)));
}

Task<Response> AppHandler::Answer(const App::Entry& entry, Request request) {
  // A handler's bug must not end the process nor leave the client without an answer.
  const telemetry::TraceContext trace = request.passport().trace;
  std::string why = "it threw something that is no std::exception";
  try {
    co_return co_await entry.handler(std::move(request));
  } catch (const std::exception& exception) {
    why = exception.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): said below
  }
  app_.process_->log().With(trace).Error("a handler failed",
                                         {{"route", entry.pattern.text()}, {"why", why}});
  co_return Response(500, "the handler failed\n");
}

Response AppHandler::BuiltIn(std::string_view path) const {
  if (path == "/health") return Text("alive\n");
  if (path == "/ready") {
    const Readiness ready = app_.process_->IsReady();
    if (ready.ready) return Text("ready\n");
    Response response(503, ready.why + "\n");
    response.reason = ready.reason;
    response.head.fields.Append("hale-reason", Word(response.reason));
    return response;
  }
  return Unavailable(Error(Reason::kNoRoute, Executed::kNo));
}

void AppHandler::OnRefused(const net::Address& peer, const net::Verdict& verdict) {
  mesh::ConcludeRefused(peer, verdict, app_.process_->records(), pools_.loop().Now());
}

}  // namespace hale::host
