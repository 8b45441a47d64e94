#include "hale/base/sim_executor.h"

namespace hale {

Executor::Timer SimExecutor::At(TimePoint when, Work work) {
  const Timer timer{++last_timer_};
  timers_.emplace(std::pair(when, timer), std::move(work));
  due_.emplace(timer, when);
  return timer;
}

void SimExecutor::Cancel(Timer timer) {
  const auto found = due_.find(timer);
  if (found == due_.end()) return;
  timers_.erase(std::pair(found->second, timer));
  due_.erase(found);
}

bool SimExecutor::Step(TimePoint end) {
  if (ready_.empty()) {
    const auto first = timers_.begin();
    if (first == timers_.end() || first->first.first > end) return false;
    if (first->first.first > clock_.Now()) clock_.Set(first->first.first);
    ready_.push_back(std::move(first->second));
    due_.erase(first->first.second);
    timers_.erase(first);
  }
  Work work = std::move(ready_.front());
  ready_.pop_front();
  work();
  return true;
}

void SimExecutor::RunUntil(TimePoint end) {
  while (Step(end)) {
  }
  if (end != kNever && clock_.Now() < end) clock_.Set(end);
}

}  // namespace hale
