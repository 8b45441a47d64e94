#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "hale/base/executor.h"
#include "hale/base/task.h"

namespace hale::guard {

/// How a thread waits: until `when`, or until `woken` is true. Replaced in tests.
using Idle = std::function<void(std::unique_lock<std::mutex>& lock, std::condition_variable& wake,
                                TimePoint when)>;

/// Runs a task to its end on the calling thread, which sleeps when the task does: what lets a
/// blocking call go through the same pipeline as a coroutine. Made for one call on the stack; it
/// allocates only when the call must wait. Loop-bound, its loop being `Wait`.
class CallerExecutor final : public Executor {
 public:
  /// The clock outlives it. `idle` empty: sleep for real.
  explicit CallerExecutor(const Clock& clock, const Idle* idle = nullptr)
      : clock_(clock), idle_(idle) {}

  void Post(Work work) override;
  Timer At(TimePoint when, Work work) override;
  void Cancel(Timer timer) override;
  TimePoint Now() const override { return clock_.Now(); }
  const Clock& clock() const override { return clock_; }

  /// Exceptions of the user's code pass through to the caller.
  template <class T>
  T Wait(Task<T> task) {
    Started<T> started(std::move(task));
    while (!started.done()) Turn();
    return started.Take();
  }

 private:
  struct Armed {
    TimePoint when;
    Timer timer;
    Work work;
  };

  /// What is posted, by any thread. Made when it is first needed, since nearly all calls need none.
  struct Mail {
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<Work> works;
  };
  Mail& mail() {
    std::call_once(mail_made_, [this] { mail_.emplace(); });
    return *mail_;
  }
  /// Runs one piece of work, sleeping until there is one.
  void Turn();

  const Clock& clock_;
  const Idle* idle_;
  std::vector<Armed> timers_;  // a call has two or three: searched from front to back
  std::uint64_t last_timer_ = 0;
  std::once_flag mail_made_;
  std::optional<Mail> mail_;
};

}  // namespace hale::guard
