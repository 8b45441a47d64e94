#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "hale/base/executor.h"
#include "hale/base/guarded.h"
#include "hale/cluster/instances.h"

namespace hale::cluster {

/// A published set and which one it is.
struct InstanceSet {
  Instances instances;
  std::uint64_t version = 0;  ///< grows by one with each set published; the first is 1
};

/// Hands the newest set to whoever wants it, each on its own executor. A slow reader misses the
/// sets between, never the newest: what waits for it is one pointer, whatever is published.
/// Thread-safe.
class InstanceFeed {
 public:
  using Listener = std::move_only_function<void(std::shared_ptr<const InstanceSet>)>;

 private:
  struct Mailbox {
    std::shared_ptr<const InstanceSet> newest;
    std::uint64_t told = 0;
    bool posted = false;
    bool closed = false;
  };
  struct Reader {
    Reader(Executor& e, Listener l) : executor(e), listener(std::move(l)) {}
    Executor& executor;
    Guarded<Mailbox> mailbox;
    // Of the executor alone.
    Listener listener;
    bool telling = false;
    bool ended = false;
  };

 public:
  /// Ends its listener: once it is destroyed the listener is not called again, and is destroyed
  /// (at its end, if it is running). Loop-bound to the executor of the listener, which outlives it.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&&) = default;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { Close(); }
    void Close();

   private:
    friend class InstanceFeed;
    explicit Subscription(std::shared_ptr<Reader> reader) : reader_(std::move(reader)) {}
    std::shared_ptr<Reader> reader_;
  };

  /// The listener is told the current set, if there is one, and each newer one, on `executor`.
  Subscription Subscribe(Executor& executor, Listener listener);
  void Publish(Instances instances);
  /// Null before the first.
  std::shared_ptr<const InstanceSet> current() const;

 private:
  struct State {
    std::shared_ptr<const InstanceSet> current;
    std::vector<std::weak_ptr<Reader>> readers;
  };
  static void Deliver(const std::shared_ptr<Reader>& reader,
                      std::shared_ptr<const InstanceSet> set);

  Guarded<State> state_;
};

}  // namespace hale::cluster
