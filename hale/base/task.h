#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

#include "hale/base/frame_pool.h"

namespace hale {

template <class T>
class Task;
template <class T>
class Started;

namespace internal {

/// What every task's promise has: who waits for it, and the stop token it inherits from there.
struct PromiseBase {
  static void* operator new(std::size_t size) { return FramePool::Allocate(size); }
  static void operator delete(void* frame, std::size_t size) { FramePool::Free(frame, size); }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      const PromiseBase& promise = self.promise();
      // While the parent is still inside await_suspend it sees that we are done and just goes on:
      // any number of ready awaits uses the stack of one, also where tail calls are not made.
      if (promise.starting || !promise.continuation) return std::noop_coroutine();
      return promise.continuation;
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() { exception = std::current_exception(); }

  std::coroutine_handle<> continuation;
  const std::stop_token* stop = nullptr;
  std::exception_ptr exception;
  bool starting = false;
};

template <class T>
struct Promise final : PromiseBase {
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
  std::optional<T> value;
};

template <>
struct Promise<void> final : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void Take() {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace internal

/// A coroutine that starts when it is awaited and then belongs to whom awaits it. It inherits the
/// stop token of its parent; a wait that is stopped says so and the task unwinds by itself, so that
/// every destructor runs. Write it as a named function that owns its arguments.
/// Loop-bound: it is resumed where it was suspended.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> child) : child_(child) {}
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) {
      promise_type& promise = child_.promise();
      promise.continuation = parent;
      promise.stop = parent.promise().stop;
      promise.starting = true;
      child_.resume();
      if (child_.done()) return false;
      promise.starting = false;
      return true;
    }
    T await_resume() { return child_.promise().Take(); }

   private:
    std::coroutine_handle<promise_type> child_;
  };
  Awaiter operator co_await() && noexcept { return Awaiter(handle_); }

 private:
  friend promise_type;
  friend class Started<T>;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace internal {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

/// A root: it owns itself and ends with its body.
struct Detached {
  struct promise_type {
    static void* operator new(std::size_t size) { return FramePool::Allocate(size); }
    static void operator delete(void* frame, std::size_t size) { FramePool::Free(frame, size); }
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    const std::stop_token* stop = nullptr;
  };
};

/// Makes `token` the one that the awaiting coroutine and its later children see.
struct UseStop {
  explicit UseStop(const std::stop_token& t) : token(&t) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) noexcept {
    self.promise().stop = token;
    return false;
  }
  void await_resume() noexcept {}
  const std::stop_token* token;
};

inline Detached RunDetached(Task<void> task, std::stop_token stop) {
  co_await UseStop(stop);
  co_await std::move(task);
}

struct GetStop {
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) noexcept {
    token = self.promise().stop;
    return false;
  }
  std::stop_token await_resume() const noexcept { return token ? *token : std::stop_token(); }
  const std::stop_token* token = nullptr;
};

}  // namespace internal

/// A task that runs under no other: at once, up to its first wait. Who has it asks whether it is
/// done, and ends it by letting it go. No stop reaches it. Loop-bound.
template <class T>
class Started {
 public:
  explicit Started(Task<T> task) : task_(std::move(task)) { task_.handle_.resume(); }
  bool done() const { return task_.handle_.done(); }
  /// Once done: what it returned, or what it threw.
  T Take() { return task_.handle_.promise().Take(); }

 private:
  Task<T> task_;
};

/// Runs a task to its end with nobody waiting for it: at once, in the caller, up to its first wait.
/// An exception that leaves it is a bug and ends the process. Loop-bound.
inline void Spawn(Task<void> task, std::stop_token stop = {}) {
  internal::RunDetached(std::move(task), std::move(stop));
}

/// `co_await CurrentStop()`: the token that this task obeys.
inline internal::GetStop CurrentStop() { return {}; }

/// Awaits a task under another token than the parent's.
template <class T>
Task<T> WithStop(std::stop_token stop, Task<T> task) {
  co_await internal::UseStop(stop);
  co_return co_await std::move(task);
}

}  // namespace hale
