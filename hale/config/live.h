#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "hale/config/subscription.h"

namespace hale::config {

/// A setting that changes while the process runs. A read takes no lock and is one acquire load
/// while nothing has changed: each thread keeps the last version that it saw, so a thread that no
/// longer reads keeps that one version alive. A handle: copies are the same setting. Thread-safe.
template <class T>
class Live {
 public:
  explicit Live(T value) : state_(std::make_shared<State>(std::move(value))) {}

  /// One version, unchanged for as long as it is held: what a call pins for its whole life.
  std::shared_ptr<const T> Get() const {
    Seen& seen = SeenHere();
    // Acquire: who sees the version sees all that the writer did before it published.
    if (seen.version != state_->version.load(std::memory_order_acquire)) Refresh(seen);
    return seen.value;
  }
  /// `setting->field`: pinned until the end of the expression.
  std::shared_ptr<const T> operator->() const { return Get(); }

  /// Grows by one with each Publish, from 1.
  std::uint64_t version() const { return state_->version.load(std::memory_order_acquire); }

  /// Makes `next` what is read from now on, then tells the listeners.
  void Publish(T next) {
    auto fresh = std::make_shared<const T>(std::move(next));
    {
      const std::lock_guard lock(state_->mutex);
      state_->value = std::move(fresh);
      // Release: see Get.
      state_->version.store(state_->version.load(std::memory_order_relaxed) + 1,
                            std::memory_order_release);
    }
    TellAll();
  }

  /// `call(before, now)` in the thread that publishes, one change at a time and in order; changes
  /// that come while listeners are being told are joined into one. It may publish or read.
  Subscription OnChange(std::function<void(const T& before, const T& now)> call) const {
    return state_->listeners.Add(std::move(call));
  }

 private:
  struct State {
    explicit State(T first) : value(std::make_shared<const T>(std::move(first))), told(value) {}
    std::mutex mutex;
    std::shared_ptr<const T> value;
    std::shared_ptr<const T> told;  // what the listeners know
    bool telling = false;
    std::atomic<std::uint64_t> version{1};
    Listeners<const T&, const T&> listeners;
  };
  // What this thread saw of one Live. The weak_ptr keeps the address of a Live that is gone from
  // being used again, so that the address is a safe key.
  struct Seen {
    const State* key = nullptr;
    std::weak_ptr<State> alive;
    std::uint64_t version = 0;
    std::shared_ptr<const T> value;
  };

  Seen& SeenHere() const {
    thread_local std::vector<Seen> all;  // one for each Live<T> that this thread reads
    for (Seen& seen : all) {
      if (seen.key == state_.get()) return seen;
    }
    std::erase_if(all, [](const Seen& seen) { return seen.alive.expired(); });
    return all.emplace_back(Seen{state_.get(), state_, 0, nullptr});
  }

  void Refresh(Seen& seen) const {
    std::shared_ptr<const T> now;
    {
      const std::lock_guard lock(state_->mutex);
      now = state_->value;
      seen.version = state_->version.load(std::memory_order_relaxed);
    }
    // A count of this thread's own: readers on different cores do not fight for one cache line.
    const T* address = now.get();
    auto own = std::make_shared<std::shared_ptr<const T>>(std::move(now));
    seen.value = std::shared_ptr<const T>(std::move(own), address);
  }

  void TellAll() {
    State& state = *state_;
    while (true) {
      std::shared_ptr<const T> before;
      std::shared_ptr<const T> now;
      {
        const std::lock_guard lock(state.mutex);
        if (state.telling || state.told == state.value) return;
        state.telling = true;
        before = std::exchange(state.told, state.value);
        now = state.value;
      }
      struct Done {
        State& state;
        ~Done() {
          const std::lock_guard lock(state.mutex);
          state.telling = false;
        }
      } const done{state};
      state.listeners.Tell(*before, *now);
    }
  }

  std::shared_ptr<State> state_;
};

}  // namespace hale::config
