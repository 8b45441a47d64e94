#pragma once

#include <coroutine>
#include <optional>
#include <stop_token>
#include <utility>

#include "hale/base/executor.h"
#include "hale/base/task.h"

namespace hale {

namespace internal {

/// One suspended coroutine that an executor's timer will resume, at its time or, if the coroutine
/// is stopped, in the next turn. Never resumes inside the call that causes it.
class Wakeup {
 public:
  explicit Wakeup(Executor& executor) : executor_(executor) {}
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { Disarm(); }

  /// False when it is stopped already: do not suspend.
  bool Arm(std::coroutine_handle<> who, const std::stop_token* stop, TimePoint when);
  /// Resumes in the next turn rather than at the time armed. Ignored when nothing is suspended.
  void Soon();
  void Disarm();
  bool stopped() const { return stopped_; }
  Executor& executor() const { return executor_; }

 private:
  struct Stopped {
    Wakeup& wakeup;
    void operator()() const;
  };
  Executor::Work Resume();

  Executor& executor_;
  std::coroutine_handle<> who_;
  Executor::Timer timer_ = Executor::Timer::kNone;
  std::optional<std::stop_callback<Stopped>> on_stop_;
  bool stopped_ = false;
};

}  // namespace internal

/// `co_await SleepUntil(executor, when)`: true when the time has come, false when stopped first.
/// Loop-bound.
class [[nodiscard]] SleepUntil {
 public:
  SleepUntil(Executor& executor, TimePoint when) : wakeup_(executor), when_(when) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return wakeup_.Arm(self, self.promise().stop, when_);
  }
  bool await_resume() { return !wakeup_.stopped(); }

 private:
  internal::Wakeup wakeup_;
  TimePoint when_;
};

/// `co_await Sleep(executor, span)`: the same, from now.
inline SleepUntil Sleep(Executor& executor, Duration span) {
  return SleepUntil(executor, SaturatingAdd(executor.Now(), span));
}

/// Something that happens once and that one task waits for. Loop-bound; outlives its wait.
class Trigger {
 public:
  enum class Ended : std::uint8_t { kFired, kTimedOut, kStopped };

  explicit Trigger(Executor& executor) : wakeup_(executor) {}
  /// The waiter goes on in the next turn, or does not wait at all. Firing again changes nothing.
  void Fire() {
    fired_ = true;
    wakeup_.Soon();
  }
  bool fired() const { return fired_; }

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(Trigger& trigger, TimePoint until) : trigger_(trigger), until_(until) {}
    bool await_ready() const noexcept { return trigger_.fired_; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> self) {
      return trigger_.wakeup_.Arm(self, self.promise().stop, until_);
    }
    Ended await_resume() {
      trigger_.wakeup_.Disarm();
      if (trigger_.fired_) return Ended::kFired;
      return trigger_.wakeup_.stopped() ? Ended::kStopped : Ended::kTimedOut;
    }

   private:
    Trigger& trigger_;
    TimePoint until_;
  };
  /// Waits until fired, stopped, or `until`.
  Awaiter Wait(TimePoint until = kNever) { return {*this, until}; }
  /// Makes it waitable again.
  void Reset() { fired_ = false; }

 private:
  internal::Wakeup wakeup_;
  bool fired_ = false;
};

}  // namespace hale
