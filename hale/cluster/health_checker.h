#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hale/base/event.h"
#include "hale/base/executor.h"
#include "hale/base/random.h"
#include "hale/cluster/health_core.h"
#include "hale/cluster/instances.h"
#include "hale/cluster/prober.h"

namespace hale::cluster {

/// Hears what checks find. Called on the checker's executor; must not call the checker back.
class HealthObserver {
 public:
  virtual ~HealthObserver() = default;
  /// The verdict on an instance changed, or an instance came back with a verdict from before.
  virtual void OnHealth(const Instance& instance, Health health) = 0;
  /// A check passed after `latency`: it lives, whatever the verdict is still.
  virtual void OnAlive(const Instance& instance, Duration latency) = 0;
};

/// Checks the instances of one service, each on its own schedule (`HealthCore`), at most
/// kMaxInFlight at a time; those that are due wait in the order of their time. An instance that
/// leaves keeps its state for ten minutes: leaving and coming back is no amnesty.
///
/// Events: kHealthChanged (kUnhealthy, kRecovered; observed: checks in a row, threshold: rise or
/// fall), kBound when checks start more than an interval late or more than kMaxRemembered have
/// left. Checks that are out when it is destroyed are stopped and end in the next turn, unheard.
/// Loop-bound.
class HealthChecker {
 public:
  static constexpr std::size_t kMaxInFlight = 256;
  static constexpr std::size_t kMaxRemembered = 10'000;
  static constexpr Duration kRemembered = std::chrono::minutes(10);

  struct Parts {
    Executor& executor;        ///< outlives this by one turn
    Random& random;            ///< outlives this
    HealthObserver& observer;  ///< outlives this
    std::string service;       ///< its name in events
    HealthOptions options = {};
    std::shared_ptr<Prober> prober;  ///< null: nothing is checked
    EventSink& sink = NullSink();
  };

  explicit HealthChecker(Parts parts);
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;
  ~HealthChecker();

  /// From now these are checked; verdicts on those that stay are kept.
  void SetInstances(const Instances& instances);
  /// Verdicts are kept, but kOff forgets them; a check that is out counts no more.
  void Apply(HealthOptions options, std::shared_ptr<Prober> prober);

  /// kUnknown for an instance that is not there or was not checked yet.
  Health health(std::string_view address) const;
  std::size_t in_flight() const;
  /// Instances that left and are still remembered.
  std::size_t remembered() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hale::cluster
