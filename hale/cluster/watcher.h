#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "hale/base/event.h"
#include "hale/base/executor.h"
#include "hale/cluster/instance_feed.h"
#include "hale/cluster/registry.h"
#include "hale/cluster/watch_core.h"

namespace hale::cluster {

/// How a watch stands, for a person and for metrics.
struct WatchStatus {
  Freshness freshness = Freshness::kNone;
  Duration age{0};               ///< since the registry last answered
  Position position;             ///< of the set in use
  std::size_t instances = 0;     ///< in the set in use
  bool holding = false;          ///< a set that lost too much waits for a second reading
  std::uint64_t answers = 0;     ///< since it began
  std::uint64_t failures = 0;    ///< answers that could not be had or used
  std::uint64_t held = 0;        ///< sets that had to be confirmed
  std::uint64_t malformed = 0;   ///< instances left out
  std::string error;             ///< of the last failure; empty while the registry answers
  std::string malformed_reason;  ///< of the last instance left out
};

/// Follows one service in one registry: the watch loop, written once for all providers.
///
/// It asks, applies `WatchCore`'s rules, publishes to subscribers and tells each change as
/// kInstancesChanged: reason kNone for a new set (observed: its size; threshold: the size before),
/// kHeld, kStale (also when it expires) and kRecovered. A set is never silently empty and never
/// lost because the registry is. It begins when made and ends when destroyed; a pending question
/// is then stopped, and gone after one more turn of the loop.
/// Loop-bound; what is marked so is thread-safe.
class Watcher {
 public:
  struct Parts {
    Executor& executor;                  ///< outlives this by one turn
    std::shared_ptr<Registry> registry;  ///< made with the same executor
    Random& random;                      ///< as `executor`
    std::string service;                 ///< its name in events
    WatchOptions options = {};
    EventSink& sink = NullSink();
  };

  explicit Watcher(Parts parts);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  /// `listener` runs on `executor` with the current set, if there is one, and each newer one,
  /// conflated. Thread-safe.
  InstanceFeed::Subscription Subscribe(Executor& executor, InstanceFeed::Listener listener);
  /// Null until the registry has answered once. Thread-safe.
  std::shared_ptr<const InstanceSet> current() const;
  /// Thread-safe.
  WatchStatus status() const;

 private:
  struct Loop;
  static Task<void> Run(std::shared_ptr<Loop> loop);

  std::shared_ptr<Loop> loop_;
  std::stop_source stop_;
};

}  // namespace hale::cluster
