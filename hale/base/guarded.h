#pragma once

#include <mutex>
#include <utility>

namespace hale {

/// A value that can be reached only under its mutex. Hold the lock briefly and never while calling
/// out: decide under it, tell after it. Thread-safe.
template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// Access for as long as the returned handle lives.
  class Locked {
   public:
    T* operator->() const { return value_; }
    T& operator*() const { return *value_; }

   private:
    friend class Guarded;
    Locked(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  Locked Lock() { return Locked(mutex_, value_); }

  /// Runs f(value) under the lock and returns what it returns.
  template <class F>
  decltype(auto) With(F&& f) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }
  template <class F>
  decltype(auto) With(F&& f) const {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(std::as_const(value_));
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace hale
