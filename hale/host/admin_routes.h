#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hale/host/admin.h"
#include "hale/telemetry/flight_recorder.h"
#include "hale/telemetry/journal.h"
#include "hale/telemetry/log.h"
#include "hale/telemetry/metrics.h"

namespace hale::host {

/// Whether this process should get requests, and why not.
struct Readiness {
  bool ready = false;
  std::string why = {};  ///< `draining`, `no instance of orders is alive` ...; empty when ready
  Reason reason = Reason::kNone;  ///< the same in one word
};

/// What the admin port shows. References outlive the routes; the functions are called on the admin
/// port's loop and must be quick.
struct AdminParts {
  telemetry::Registry& registry;
  telemetry::Journal& journal;
  const telemetry::FlightRecorder& recorder;
  telemetry::Log& log;
  std::function<Readiness()> ready;
  std::function<std::string()> status;  ///< a JSON object
};

/// So many requests `/explain` gives at once, at most.
inline constexpr std::uint32_t kMostExplained = 200;

/// `/health` (the process is alive) · `/ready` (200 or 503) · `/status` · `/metrics` ·
/// `/explain?id=` or, without an id, the latest kept requests (`limit`, 20) · `/journal?since=`
/// (`limit`, 1000) · `/log`, and `PUT /log?level=` until the next document. `/explain` and
/// `/journal` answer in JSON, or in sentences with `format=text`.
std::vector<AdminRoute> AdminRoutes(AdminParts parts);

}  // namespace hale::host
