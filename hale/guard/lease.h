#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hale/base/outcome.h"
#include "hale/policy/circuit_breaker.h"
#include "hale/policy/load.h"
#include "hale/policy/stall.h"

namespace hale::guard {

/// Something that calls are sent to, with the policies that concern it alone: an instance of a
/// service, or the one thing behind a Guard. Outlives its leases, which share it. Thread-safe.
class Target {
 public:
  /// `context.instance` names it.
  Target(const policy::CircuitBreakerOptions& options, policy::CircuitBreakerContext context)
      : name_(context.instance), breaker_(options, std::move(context)) {}
  virtual ~Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  const std::string& name() const { return name_; }
  policy::CircuitBreaker& breaker() { return breaker_; }
  const policy::CircuitBreaker& breaker() const { return breaker_; }
  policy::Load& load() { return load_; }
  const policy::Load& load() const { return load_; }
  policy::Pulse& pulse() { return pulse_; }
  const policy::Pulse& pulse() const { return pulse_; }

 private:
  const std::string name_;
  policy::CircuitBreaker breaker_;
  policy::Load load_;
  policy::Pulse pulse_;
};

/// The right to send one call to a target, and what must be given back for it. Forgetting it is
/// harmless: everything is then neutral. Movable. Not thread-safe.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&&) = default;
  /// Swaps: what was held here goes with `other`, and its target last.
  Lease& operator=(Lease&& other) noexcept;

  /// `timeout`: how long the call may take; 0: unknown.
  static std::expected<Lease, Rejection> Take(std::shared_ptr<Target> target, TimePoint now,
                                              Duration timeout = Duration::zero());
  /// Without asking the breaker, for when there is nobody else.
  static Lease TakeAnyway(std::shared_ptr<Target> target, TimePoint now);

  Target* target() const { return target_.get(); }
  const std::shared_ptr<Target>& shared_target() const { return target_; }
  std::string_view instance() const { return target_ ? target_->name() : std::string_view(); }

  /// The call is on the wire: from here on silence counts.
  void OnSent(TimePoint now) { call_ = target_->pulse().OnSent(now); }
  /// The first byte of its answer is here.
  void OnAnswered(TimePoint now) { call_.Answered(now); }
  /// The target has stopped answering.
  bool Stalled() const { return target_ && target_->pulse().stalled(); }

  /// How the attempt ended, once; later calls do nothing. The load stays until the lease goes,
  /// since an answer may still flow.
  void Settle(Outcome outcome, TimePoint now);
  /// An answer that had begun well broke off: counts as one more failure.
  void Broke(TimePoint now);

 private:
  Lease(std::shared_ptr<Target> target, policy::CircuitPermit permit, TimePoint now);

  std::shared_ptr<Target> target_;  // first, so that it goes last
  policy::CircuitPermit permit_;
  policy::Load::Token load_;
  policy::Load::Token flowing_;
  policy::Pulse::Call call_;
  TimePoint began_{};
};

}  // namespace hale::guard
