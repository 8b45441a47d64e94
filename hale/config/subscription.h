#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace hale::config {

/// Ends what it stands for when it is destroyed: after that its callback is not running and does
/// not start again. Destroying it inside its own callback is fine. Move-only. Not thread-safe.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  Subscription(Subscription&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      Cancel();
      cancel_ = std::exchange(other.cancel_, nullptr);
    }
    return *this;
  }
  ~Subscription() { Cancel(); }

  void Cancel() {
    if (auto cancel = std::exchange(cancel_, nullptr)) cancel();
  }

 private:
  std::function<void()> cancel_;
};

/// The callbacks of those who want to know, and the handles that end them. A handle may outlive
/// the list. Calls of one listener do not overlap. Thread-safe.
template <class... Args>
class Listeners {
 public:
  Subscription Add(std::function<void(Args...)> call) {
    auto slot = std::make_shared<Slot>();
    slot->call = std::move(call);
    const std::lock_guard lock(mutex_);
    std::erase_if(slots_, [](const auto& known) { return known.expired(); });
    slots_.push_back(slot);
    return Subscription([slot] { slot->End(); });
  }

  void Tell(Args... args) const {
    std::vector<std::shared_ptr<Slot>> now;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& slot : slots_) {
        if (auto held = slot.lock()) now.push_back(std::move(held));
      }
    }
    for (const auto& slot : now) slot->Run(args...);
  }

 private:
  struct Slot {
    void Run(Args... args) {
      // Held while calling out, unlike elsewhere: it is what lets End() wait for a running call.
      // Recursive, so that a callback may end its own subscription.
      const std::lock_guard lock(mutex);
      if (!ended) call(args...);
    }
    void End() {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    std::recursive_mutex mutex;
    bool ended = false;
    std::function<void(Args...)> call;
  };

  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Slot>> slots_;
};

}  // namespace hale::config
