#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "hale/base/executor.h"
#include "hale/base/task.h"

namespace hale {

/// An Executor in virtual time: when nothing is left to run now, the clock leaps to the next timer.
/// Not thread-safe.
class SimExecutor final : public Executor {
 public:
  void Post(Work work) override { ready_.push_back(std::move(work)); }
  Timer At(TimePoint when, Work work) override;
  void Cancel(Timer timer) override;
  TimePoint Now() const override { return clock_.Now(); }
  const Clock& clock() const override { return clock_; }
  SimClock& sim_clock() { return clock_; }

  /// Runs what is ready and what falls due, until nothing is left.
  void Run() { RunUntil(kNever); }
  /// The same up to an instant, at which the clock then stands (but not for kNever).
  void RunUntil(TimePoint end);
  void RunFor(Duration span) { RunUntil(Now() + span); }

  /// Runs a task to its end and returns its result; what else is scheduled runs beside it.
  template <class T>
  T Wait(Task<T> task) {
    std::optional<T> result;
    Spawn(Keep(std::move(task), result));
    while (!result && Step()) {
    }
    return std::move(result).value();
  }

  /// Work that is posted or armed and has not run.
  std::size_t pending() const { return ready_.size() + timers_.size(); }

 private:
  template <class T>
  static Task<void> Keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  bool Step(TimePoint end = kNever);

  SimClock clock_;
  std::deque<Work> ready_;
  std::map<std::pair<TimePoint, Timer>, Work> timers_;
  std::map<Timer, TimePoint> due_;
  std::uint64_t last_timer_ = 0;
};

}  // namespace hale
