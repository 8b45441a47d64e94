#include "hale/base/wait.h"

namespace hale::internal {

bool Wakeup::Arm(std::coroutine_handle<> who, const std::stop_token* stop, TimePoint when) {
  stopped_ = stop != nullptr && stop->stop_requested();
  if (stopped_) return false;
  who_ = who;
  if (when != kNever) timer_ = executor_.At(when, Resume());
  if (stop != nullptr && stop->stop_possible()) on_stop_.emplace(*stop, Stopped{*this});
  return true;
}

void Wakeup::Soon() {
  if (!who_) return;
  executor_.Cancel(timer_);
  timer_ = executor_.At(TimePoint::min(), Resume());
}

void Wakeup::Disarm() {
  on_stop_.reset();
  executor_.Cancel(timer_);
  timer_ = Executor::Timer::kNone;
  who_ = nullptr;
}

Executor::Work Wakeup::Resume() {
  return [this] {
    timer_ = Executor::Timer::kNone;
    on_stop_.reset();
    std::exchange(who_, nullptr).resume();
  };
}

void Wakeup::Stopped::operator()() const {
  wakeup.stopped_ = true;
  wakeup.Soon();
}

}  // namespace hale::internal
