#pragma once

#include <cstdint>
#include <expected>
#include <limits>
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
/// service, or the one thing behind a Guard. Outlives its leases. Thread-safe.
class Target {
 public:
  /// `context.instance` names it; it has at most `most` calls at once.
  Target(const policy::CircuitBreakerOptions& options, policy::CircuitBreakerContext context,
         std::uint32_t most = std::numeric_limits<std::uint32_t>::max())
      : name_(context.instance), breaker_(options, std::move(context)), load_(most) {}
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
  Lease& operator=(Lease&& other) noexcept {
    std::swap(target_, other.target_);
    std::swap(permit_, other.permit_);
    std::swap(load_, other.load_);
    std::swap(call_, other.call_);
    std::swap(began_, other.began_);
    std::swap(settled_, other.settled_);
    return *this;
  }

  /// Refused with kConcurrency when as many calls as may be are at the target, and with what its
  /// breaker says. `timeout`: how long the call may take; 0: unknown. `trail`: of the call.
  static std::expected<Lease, Rejection> Take(std::shared_ptr<Target> target, TimePoint now,
                                              Duration timeout = Duration::zero(),
                                              EventSink* trail = nullptr);
  /// Without asking the breaker, for when there is nobody else.
  static std::expected<Lease, Rejection> TakeAnyway(std::shared_ptr<Target> target, TimePoint now);
  /// Of a target that has no peers: nobody compares how loaded it is, so nobody counts it. The
  /// target outlives the lease, which does not share it: a count of leases would be one more line
  /// that all threads write.
  static std::expected<Lease, Rejection> TakeOnly(Target& target, TimePoint now, Duration timeout,
                                                  EventSink* trail);

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
  /// An answer that had begun well broke off: counts as one more failure, with the breaker only if
  /// its circuit has not changed state since the call was admitted. Once.
  void Broke(TimePoint now);

 private:
  Lease(std::shared_ptr<Target> target, policy::Load::Token load, policy::CircuitPermit permit,
        TimePoint now);

  std::shared_ptr<Target> target_;  // first, so that it goes last
  policy::CircuitPermit permit_;
  policy::Load::Token load_;
  policy::Pulse::Call call_;
  TimePoint began_{};
  bool settled_ = false;
};

}  // namespace hale::guard
