#pragma once

#include <atomic>
#include <vector>

#include "app/demo_fleet.h"
#include "app/demo_narrator.h"
#include "app/demo_report.h"
#include "app/demo_story.h"
#include "hale/base/error.h"

namespace hale::app {

/// Lets it happen to a fleet with callers, tells it, and counts. Fails when the fleet breaks for
/// another reason than the story, or with kCancelled soon after `stop` is set. Blocks.
Result<DemoRows> Tell(const std::vector<DemoPhase>& story, DemoFleet& fleet, DemoNarrator& narrator,
                      const std::atomic<bool>& stop);

}  // namespace hale::app
