#pragma once

#include <atomic>

#include "app/load_options.h"
#include "app/load_report.h"
#include "hale/base/error.h"

namespace hale::app {

/// Sends the load that `options` describes and records how each request ended. Returns when all are
/// answered or timed out, or soon after `stop` became true (a signal's flag). Fails when the target
/// has no address. Runs an event loop in the calling thread.
Result<void> RunLoad(const LoadOptions& options, LoadReport& report, const std::atomic<bool>& stop);

}  // namespace hale::app
