#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hale/base/event.h"
#include "hale/mesh/forward.h"
#include "hale/mesh/refusal.h"
#include "hale/net/http_server.h"
#include "hale/telemetry/access_log.h"
#include "hale/telemetry/flight_recorder.h"
#include "hale/telemetry/request_metrics.h"
#include "hale/telemetry/request_trail.h"

namespace hale::mesh {

class RouteTable;

/// Where what is known of served requests goes. Everything outlives its users.
struct ServingRecords {
  EventSink& events;
  telemetry::RequestMetrics& metrics;
  telemetry::FlightRecorder& recorder;
  const telemetry::AccessLog* access_log;  ///< null: none is written
  const Clock& clock;                      ///< for the calendar
  std::string pseudonym;                   ///< in Via, unique to this process
};

/// Tells what was decided about one request to its trail and to everybody. Not thread-safe.
class CallTrail final : public EventSink {
 public:
  /// Both outlive me.
  CallTrail(telemetry::RequestTrail& trail, EventSink& all) : trail_(trail), all_(all) {}
  void On(const Event& event) noexcept override {
    trail_.Add(event);
    all_.On(event);
  }

 private:
  telemetry::RequestTrail& trail_;
  EventSink& all_;
};

/// What is known of a request while it is served. Loop-bound.
struct ServedRequest {
  ServedRequest(net::ServerExchange& e, EventSink& events)
      : exchange(e), began(e.started()), record(began), trail(record, events) {}

  net::ServerExchange& exchange;
  const RouteTable* routes = nullptr;  ///< among which its own is; outlives the request
  TimePoint began;
  telemetry::RequestTrail record;
  CallTrail trail;
  Passport passport;
  std::string client_ip;
  std::string_view route = {};                 ///< its name; outlives the request
  std::string_view service = {};               ///< the one called; outlives the request
  telemetry::RouteMetrics* metrics = nullptr;  ///< null: of no route
  std::string instance = {};
  Reason reason = Reason::kNone;
  std::uint32_t attempts = 0;
  std::string_view fallback = {};          ///< what was answered instead; empty: the real thing
  Reason fell_back_after = Reason::kNone;  ///< and why
};

/// Answers a request that Hale turns away.
Task<void> Refuse(ServedRequest& request, Error error, HopRetry retry);

/// The same for one whose body could not be read: what its client did wrong the server answers,
/// when its handler has returned; that of a client that has gone is for the records only.
Task<void> RefuseBody(ServedRequest& request, Error why);

/// Counts a request that has ended, writes its line and keeps it if it is worth asking about.
void Conclude(const ServedRequest& request, const ServingRecords& records, TimePoint now);
/// The same for what never became a request.
void ConcludeRefused(const net::Address& peer, const net::Verdict& verdict,
                     const ServingRecords& records, TimePoint now);

}  // namespace hale::mesh
