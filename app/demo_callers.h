#pragma once

#include <cstdint>
#include <vector>

#include "app/load_options.h"

namespace hale::app {

/// One phase's load.
struct DemoLoadOptions {
  std::uint16_t port = 0;  ///< of the gateway, on loopback
  Duration length{0};
  bool flood = false;  ///< with a caller who sends far more than one may
};

/// Somebody who calls the demo's gateway.
struct DemoCaller {
  LoadOptions load;
  bool floods = false;
};

/// The callers of one phase: four users who come 125 times a second each and, if there is one, a
/// caller who floods. They only read: what a killed backend had begun to write nobody can repeat
/// safely, with or without Hale. Pure.
std::vector<DemoCaller> DemoCallers(const DemoLoadOptions& options);

}  // namespace hale::app
