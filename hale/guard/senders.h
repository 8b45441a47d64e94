#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "hale/base/executor.h"
#include "hale/base/wait.h"
#include "hale/guard/sender.h"

namespace hale::guard {

namespace internal {

/// What an asynchronous attempt and its callback share. Whoever sets `over` first decides: the
/// callback, whose notice is then on its way to `answered`, or the attempt, which has given up.
template <class T>
struct Awaited {
  Awaited(Executor& e, Trigger& t) : executor(e), answered(t) {}
  std::atomic<bool> over{false};
  std::optional<Result<T>> result;
  Executor& executor;  // this and the next are there until `over` is set
  Trigger& answered;
};

}  // namespace internal

/// How an asynchronous attempt ends: call it once, with T or an error, on any thread, also before
/// the start has returned. A second call, and one that comes when the attempt has been given up,
/// changes nothing; copies are one. Thread-safe.
template <class T>
class Completion {
 public:
  explicit Completion(std::shared_ptr<internal::Awaited<T>> awaited)
      : awaited_(std::move(awaited)) {}

  void operator()(Result<T> result) const {
    internal::Awaited<T>& awaited = *awaited_;
    if (awaited.over.exchange(true, std::memory_order_acq_rel)) return;
    awaited.result.emplace(std::move(result));
    // The attempt stays until this has run; by then it may be gone with its executor.
    awaited.executor.Post([&answered = awaited.answered] { answered.Fire(); });
  }
  /// Nobody waits for it any more: what goes on may be stopped.
  bool abandoned() const { return awaited_->over.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<internal::Awaited<T>> awaited_;
};

namespace internal {

/// Calls f(attempt), which blocks.
template <class T, class F>
class BlockingSender final : public Sender<T> {
 public:
  explicit BlockingSender(F& f) : f_(f) {}
  Task<Result<T>> Send(Lease&, Attempt attempt) override { co_return Made(attempt); }
  bool blocks() const override { return true; }
  Result<T> SendBlocking(Lease&, const Attempt& attempt) override { return Made(attempt); }
  bool stoppable() const override { return false; }

 private:
  Result<T> Made(const Attempt& attempt) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Attempt&>>) {
      f_(attempt);
      return Result<T>();
    } else {
      return f_(attempt);
    }
  }

  F& f_;
};

/// Awaits f(attempt), a Task.
template <class T, class F>
class TaskSender final : public Sender<T> {
 public:
  explicit TaskSender(F& f) : f_(f) {}
  Task<Result<T>> Send(Lease&, Attempt attempt) override {
    if constexpr (std::is_same_v<std::invoke_result_t<F&, const Attempt&>, Task<void>>) {
      co_await f_(attempt);
      co_return Result<T>();
    } else {
      co_return co_await f_(attempt);
    }
  }

 private:
  F& f_;
};

/// Calls f(attempt, completion), and waits for the completion.
template <class T, class F>
class CallbackSender final : public Sender<T> {
 public:
  CallbackSender(Executor& executor, F& f) : executor_(executor), f_(f) {}
  Task<Result<T>> Send(Lease&, Attempt attempt) override {
    Trigger answered(executor_);
    const auto awaited = std::make_shared<Awaited<T>>(executor_, answered);
    std::exception_ptr thrown;
    try {
      f_(attempt, Completion<T>(awaited));
    } catch (...) {
      thrown = std::current_exception();
    }
    auto ended = Trigger::Ended::kStopped;
    if (!thrown) ended = co_await answered.Wait();
    if (ended != Trigger::Ended::kFired) {
      if (awaited->over.exchange(true, std::memory_order_acq_rel)) {
        // It has called back all the same: the notice is on the way to this frame.
        co_await WithStop(std::stop_token(), Await(answered));
      } else if (!thrown) {
        co_return Fail(Code::kCancelled, "it did not call back in time");
      }
    }
    if (thrown) std::rethrow_exception(thrown);
    co_return std::move(*awaited->result);
  }

 private:
  static Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

  Executor& executor_;
  F& f_;
};

}  // namespace internal
}  // namespace hale::guard
