#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hale/guard/single_flight.h"
#include "hale/mesh/copied_answer.h"
#include "hale/mesh/proxied_call.h"
#include "hale/policy/last_good.h"

namespace hale::mesh {

/// A call that shares the answer of an identical one under way, if its route says so
/// (policy::SingleFlight). The leader reads its answer ahead, up to `max_body`, and gives a copy to
/// all who follow, or the failure; they go alone when the answer is somebody's own, too large, or
/// one that varies by what they do not have in common. Without a flight it is the call itself.
/// Loop-bound.
class JoinedCall {
 public:
  /// All outlive me.
  JoinedCall(ProxiedCall& call, Pools& pools, ServedRequest& request, const Route& route)
      : call_(call), pools_(pools), request_(request), route_(route) {}

  /// Waits for an answer, of its own or another's, or for a failure. `mark`: of what it is about,
  /// taken before; none when its route keeps no answer to it.
  Task<void> Ask(std::optional<policy::LastGoodMark> mark = std::nullopt);
  /// Gives it to the client.
  Task<void> Answer();

  const std::optional<Error>& failure() const { return shared_ ? shared_->failure : own_failure(); }
  /// Of the answer, without a failure.
  const net::ResponseHead& response() { return shared_ ? shared_->answer->head : call_.response(); }
  /// The answer is here whole; null when it flows, or failed.
  std::shared_ptr<const CopiedAnswer> whole() const { return shared_ ? shared_->answer : nullptr; }
  /// The mark of who asked for what it came to: another one may have begun long before.
  const std::optional<policy::LastGoodMark>& mark() const { return mark_; }
  /// Reads an answer that flows ahead and holds it, so that its instance is free; false when it has
  /// more than `most` bytes. Answer gives it still, or what broke off.
  Task<bool> Hold(std::size_t most);
  /// The answer, if it flows, is given up.
  Task<void> Drop();

 private:
  /// What a flight comes to for all of it.
  struct Shared {
    std::shared_ptr<const CopiedAnswer> answer;
    std::optional<Error> failure;
    HopRetry hop_retry = HopRetry::kMay;
    std::optional<policy::LastGoodMark> mark;
  };
  const std::optional<Error>& own_failure() const { return late_ ? late_ : call_.failure(); }
  Task<void> Lead(policy::SingleFlight::Lead& lead);
  bool Follow(const policy::SingleFlight::Landed& landed);
  void Tell(bool shares, Duration waited);

  ProxiedCall& call_;
  Pools& pools_;
  ServedRequest& request_;
  const Route& route_;
  std::shared_ptr<const Shared> shared_;  // set: what is given
  std::optional<policy::LastGoodMark> mark_;
  std::optional<Error> late_;  // it waited for another's answer until its own deadline
};

}  // namespace hale::mesh
