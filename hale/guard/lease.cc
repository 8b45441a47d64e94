#include "hale/guard/lease.h"

namespace hale::guard {

Lease::Lease(std::shared_ptr<Target> target, policy::Load::Token load, policy::CircuitPermit permit,
             TimePoint now)
    : target_(std::move(target)), permit_(std::move(permit)), load_(std::move(load)), began_(now) {}

std::expected<Lease, Rejection> Lease::Take(std::shared_ptr<Target> target, TimePoint now,
                                            Duration timeout, EventSink* trail) {
  auto load = target->load().Start();
  if (!load) return std::unexpected(policy::NoRoom(target->load()));
  auto permit = target->breaker().Admit(now, timeout, trail);
  if (!permit) return std::unexpected(permit.error());
  return Lease(std::move(target), std::move(load), std::move(*permit), now);
}

std::expected<Lease, Rejection> Lease::TakeAnyway(std::shared_ptr<Target> target, TimePoint now) {
  auto load = target->load().Start();
  if (!load) return std::unexpected(policy::NoRoom(target->load()));
  return Lease(std::move(target), std::move(load), policy::CircuitPermit(), now);
}

std::expected<Lease, Rejection> Lease::TakeOnly(Target& target, TimePoint now, Duration timeout,
                                                EventSink* trail) {
  auto permit = target.breaker().Admit(now, timeout, trail);
  if (!permit) return std::unexpected(permit.error());
  return Lease({std::shared_ptr<void>(), &target}, {}, std::move(*permit), now);
}

void Lease::Settle(Outcome outcome, TimePoint now) {
  if (!target_ || settled_) return;
  settled_ = true;
  load_.Observe(outcome, now - began_, now);
  permit_.Settle(outcome, now);
  call_ = policy::Pulse::Call();
}

void Lease::Broke(TimePoint now) {
  if (!target_ || !settled_) return;
  load_.Settle(Outcome::kFailure, now - began_, now);
  target_->breaker().Fail(permit_.ticket().generation, now);
}

}  // namespace hale::guard
