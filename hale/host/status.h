#pragma once

#include <string>

#include "hale/config/updater.h"
#include "hale/host/document.h"
#include "hale/host/routing.h"

namespace hale::host {

/// What `/status` is made of; all of it outlives the call.
struct StatusParts {
  const config::Snapshot<Document>& document;
  const config::Problems& rejected;               ///< why the text at hand is not in force
  const std::vector<std::string>& at_next_start;  ///< sections that wait for a restart
  const Routing& routing;
  const mesh::RouteTable& routes;
  bool draining = false;
  TimePoint started{};
  TimePoint now{};
};

/// The state of this process as a JSON object: services with their instances, each with its state
/// and why, breakers, bulkheads, budgets, limits, and the document in force, every value with its
/// origin, secrets as `***`. Control loop.
std::string StatusJson(const StatusParts& parts);

}  // namespace hale::host
