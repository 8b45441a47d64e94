#pragma once

#include <memory>

#include "hale/base/executor.h"

namespace hale::net {

namespace internal {
struct LoopAccess;
}

/// How late a loop was, at worst, since it was last asked.
struct LoopLag {
  Duration turn{0};   ///< the longest that one piece of work held the loop
  Duration timer{0};  ///< the longest that a due timer waited for its turn
};

/// An event loop: one thread, many sockets and timers. What runs on it never blocks. Whatever is
/// bound to it must end before it: let tasks finish, then Stop. Loop-bound but where said.
class Loop final : public Executor {
 public:
  Loop();
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Serves until Stop; the calling thread is the loop's. May be called again after it returned.
  void Run();
  /// Makes Run return after the work that is under way. Thread-safe.
  void Stop();
  /// Whether the caller runs inside this loop. Thread-safe.
  bool InLoop() const;

  void Post(Work work) override;
  Timer At(TimePoint when, Work work) override;
  void Cancel(Timer timer) override;
  TimePoint Now() const override;
  const Clock& clock() const override;

  /// The worst since the last call. Thread-safe.
  LoopLag TakeLag();
  /// Sockets open on it, for balancing and metrics. Thread-safe.
  std::size_t sockets() const;

 private:
  friend struct internal::LoopAccess;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hale::net
