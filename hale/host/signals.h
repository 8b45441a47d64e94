#pragma once

#include <csignal>
#include <functional>
#include <thread>

#include "hale/base/executor.h"

namespace hale::host {

/// Turns signals of the process into work on an executor, so that a handler may do anything. Made
/// before any other thread, which inherits that these signals are blocked. SIGPIPE is ignored.
/// Thread-safe.
class Signals {
 public:
  /// `handler(signal)` runs on `executor` for each SIGTERM, SIGINT and SIGHUP. The executor
  /// outlives me.
  Signals(Executor& executor, std::function<void(int)> handler);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  sigset_t before_{};
  int signals_ = -1;  // signalfd
  int ended_ = -1;    // eventfd
  std::thread thread_;
};

}  // namespace hale::host
