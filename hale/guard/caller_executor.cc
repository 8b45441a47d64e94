#include "hale/guard/caller_executor.h"

#include <algorithm>

namespace hale::guard {

void CallerExecutor::Post(Work work) {
  // Notified under the lock: once it is free the work may run, and with its end this goes.
  Mail& mail = this->mail();
  const std::lock_guard lock(mail.mutex);
  mail.works.push_back(std::move(work));
  mail.wake.notify_one();
}

Executor::Timer CallerExecutor::At(TimePoint when, Work work) {
  const Timer timer{++last_timer_};
  timers_.push_back(Armed{when, timer, std::move(work)});
  return timer;
}

void CallerExecutor::Cancel(Timer timer) {
  std::erase_if(timers_, [&](const Armed& armed) { return armed.timer == timer; });
}

void CallerExecutor::Turn() {
  const auto next = std::ranges::min_element(timers_, {}, &Armed::when);
  const TimePoint when = next == timers_.end() ? kNever : next->when;
  if (when <= Now()) {
    Work work = std::move(next->work);
    timers_.erase(next);
    work();
    return;
  }
  Mail& mail = this->mail();
  std::vector<Work> works;
  {
    std::unique_lock lock(mail.mutex);
    if (mail.works.empty()) {
      if (idle_ != nullptr && *idle_) {
        (*idle_)(lock, mail.wake, when);
      } else if (when == kNever) {
        mail.wake.wait(lock, [&] { return !mail.works.empty(); });
      } else {
        mail.wake.wait_until(lock, when, [&] { return !mail.works.empty(); });
      }
    }
    works.swap(mail.works);
  }
  for (Work& work : works) work();
}

}  // namespace hale::guard
