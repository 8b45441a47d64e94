#pragma once

#include <memory>
#include <string>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/host/kept.h"
#include "hale/mesh/fallback_options.h"
#include "hale/mesh/route_options.h"
#include "hale/policy/last_good.h"
#include "hale/policy/single_flight.h"

namespace hale::host {

/// What tells a route from others: which requests it takes, and where it sends them. Pure.
std::string RouteIdentity(const mesh::RouteOptions& route);

/// What the routes remember through documents: their last good answers, and which calls are under
/// way. A route that goes is remembered for ten minutes; one that takes other requests, or sends
/// them elsewhere, is another one. Loop-bound to the control loop; what it gives is thread-safe.
class RouteMemory {
 public:
  /// The sink outlives me.
  explicit RouteMemory(EventSink& events) : events_(events) {}

  /// A new document begins: what it does not ask for from here on has left.
  void Begin(TimePoint now);
  /// The route's answers with the options of the document; null when it keeps none, and what it had
  /// kept is forgotten at once: its document no longer wants it. `name` is for events.
  std::shared_ptr<policy::LastGood> LastGoodOf(const mesh::RouteOptions& route,
                                               const std::string& name);
  /// The route's flights with the options of the document; null when it has never joined any.
  std::shared_ptr<policy::SingleFlight> FlightsOf(const mesh::RouteOptions& route,
                                                  const std::string& name);
  /// Forgets what left long ago.
  void Forget(TimePoint now);

 private:
  EventSink& events_;
  KeptMap<policy::LastGood> last_good_;
  KeptMap<policy::SingleFlight> flights_;
};

}  // namespace hale::host
