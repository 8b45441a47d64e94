#pragma once

#include <atomic>
#include <list>
#include <thread>

#include "app/demo_callers.h"
#include "app/demo_report.h"
#include "app/load_report.h"

namespace hale::app {

/// The callers of one phase at work, each an open loop in a thread of its own. Not thread-safe.
class DemoLoad final {
 public:
  /// Begins at once. `stop` outlives me; when set, the callers give up soon.
  DemoLoad(const DemoLoadOptions& options, const std::atomic<bool>& stop);
  DemoLoad(const DemoLoad&) = delete;
  DemoLoad& operator=(const DemoLoad&) = delete;
  ~DemoLoad();

  /// Waits for the last answers, at most three seconds beyond the phase, and puts the figures into
  /// the row.
  void Finish(DemoRow& row);

 private:
  struct Running {
    explicit Running(const DemoCaller& caller)
        : load(caller.load), floods(caller.floods), report(load) {}
    LoadOptions load;
    bool floods;
    LoadReport report;
    std::thread thread;
  };
  void Join();

  std::list<Running> callers_;  // their threads hold references
};

}  // namespace hale::app
