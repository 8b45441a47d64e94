#include "app/demo_load.h"

#include "app/load_runner.h"

namespace hale::app {

DemoLoad::DemoLoad(const DemoLoadOptions& options, const std::atomic<bool>& stop) {
  for (const DemoCaller& caller : DemoCallers(options)) callers_.emplace_back(caller);
  for (Running& caller : callers_) {
    caller.thread = std::thread(
        [&caller, &stop] { static_cast<void>(RunLoad(caller.load, caller.report, stop)); });
  }
}

DemoLoad::~DemoLoad() { Join(); }

void DemoLoad::Join() {
  for (Running& caller : callers_) {
    if (caller.thread.joinable()) caller.thread.join();
  }
}

void DemoLoad::Finish(DemoRow& row) {
  Join();
  for (const Running& caller : callers_) {
    (caller.floods ? row.flooder : row.users)
        .Add({.requests = caller.report.sent(),
              .failed = caller.report.failed(),
              .slowest = caller.report.slowest()});
  }
}

}  // namespace hale::app
