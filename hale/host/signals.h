#pragma once

#include <functional>
#include <thread>

#include "hale/base/executor.h"

namespace hale::host {

/// Turns signals of the process into work on an executor, so that a handler may do anything.
/// Thread-safe.
class Signals {
 public:
  /// Blocks SIGTERM, SIGINT and SIGHUP in the calling thread and in all that it makes from here on,
  /// and ignores SIGPIPE. Before anything that makes a thread: one that was made earlier would take
  /// the signal and end the process.
  static void Block();

  /// After Block. `handler(signal)` runs on `executor` for each SIGTERM, SIGINT and SIGHUP. The
  /// executor outlives me.
  Signals(Executor& executor, std::function<void(int)> handler);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  int signals_ = -1;  // signalfd
  int ended_ = -1;    // eventfd
  std::thread thread_;
};

}  // namespace hale::host
