#include "hale/guard/lease.h"

namespace hale::guard {

Lease::Lease(std::shared_ptr<Target> target, policy::CircuitPermit permit, TimePoint now)
    : target_(std::move(target)),
      permit_(std::move(permit)),
      load_(target_->load().Start()),
      began_(now) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  std::swap(target_, other.target_);
  std::swap(permit_, other.permit_);
  std::swap(load_, other.load_);
  std::swap(flowing_, other.flowing_);
  std::swap(call_, other.call_);
  std::swap(began_, other.began_);
  return *this;
}

std::expected<Lease, Rejection> Lease::Take(std::shared_ptr<Target> target, TimePoint now,
                                            Duration timeout) {
  auto permit = target->breaker().Admit(now, timeout);
  if (!permit) return std::unexpected(permit.error());
  return Lease(std::move(target), std::move(*permit), now);
}

Lease Lease::TakeAnyway(std::shared_ptr<Target> target, TimePoint now) {
  return Lease(std::move(target), policy::CircuitPermit(), now);
}

void Lease::Settle(Outcome outcome, TimePoint now) {
  if (!load_) return;
  flowing_ = target_->load().Start();
  load_.Settle(outcome, now - began_, now);
  permit_.Settle(outcome, now);
  call_ = policy::Pulse::Call();
}

void Lease::Broke(TimePoint now) {
  if (!flowing_) return;
  flowing_.Settle(Outcome::kFailure, now - began_, now);
  if (auto permit = target_->breaker().Admit(now)) permit->Settle(Outcome::kFailure, now);
}

}  // namespace hale::guard
