#pragma once

#include <expected>
#include <memory>
#include <utility>

#include "hale/guard/targets.h"

namespace hale::guard {

/// The one target of a guard, behind its breaker. Outlives its leases. Thread-safe.
class OneTarget final : public Targets {
 public:
  explicit OneTarget(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  std::expected<Lease, Rejection> Pick(const Wanted& wanted) override {
    return Lease::TakeOnly(*target_, wanted.now, wanted.timeout, wanted.trail);
  }
  /// The same once more: what is behind it may have somebody else to answer.
  std::expected<Lease, Rejection> PickOther(const Wanted& wanted) override { return Pick(wanted); }
  Reason Protects(TimePoint now) const override {
    const bool closed = policy::IsClosed(target_->breaker().state_in_force(now));
    return closed ? Reason::kNone : Reason::kCircuitOpen;
  }
  Target& target() { return *target_; }

 private:
  std::shared_ptr<Target> target_;
};

}  // namespace hale::guard
