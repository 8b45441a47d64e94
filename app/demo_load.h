#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "app/demo_report.h"
#include "app/load_report.h"

namespace hale::app {

/// The callers of one phase: four users who come 125 times a second each and, if there is one, a
/// caller who floods. Each is an open loop in a thread of its own. They only read: what a killed
/// backend had begun to write nobody can repeat safely, with or without Hale. Not thread-safe.
class DemoLoad final {
 public:
  struct Options {
    std::uint16_t port = 0;
    Duration length{0};
    bool flood = false;
  };
  /// Begins at once. `stop` outlives me; when set, the callers give up soon.
  DemoLoad(const Options& options, const std::atomic<bool>& stop);
  DemoLoad(const DemoLoad&) = delete;
  DemoLoad& operator=(const DemoLoad&) = delete;
  ~DemoLoad();

  /// Waits for the last answers, at most three seconds beyond the phase, and puts the figures into
  /// the row.
  void Finish(DemoRow& row);

 private:
  struct Caller {
    explicit Caller(const LoadOptions& with) : options(with), report(options) {}
    LoadOptions options;
    LoadReport report;
    bool floods = false;
    std::thread thread;
  };
  void Join();

  std::list<Caller> callers_;  // their threads hold references
};

}  // namespace hale::app
