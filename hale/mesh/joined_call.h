#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hale/guard/single_flight.h"
#include "hale/mesh/copied_answer.h"
#include "hale/mesh/proxied_call.h"

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

  /// Waits for an answer, of its own or another's, or for a failure.
  Task<void> Ask();
  /// Gives it to the client.
  Task<void> Answer();

  const std::optional<Error>& failure() const { return shared_ ? shared_->failure : own_failure(); }
  /// Of the answer, without a failure.
  const net::ResponseHead& response() { return shared_ ? shared_->answer->head : call_.response(); }
  /// The answer is here whole; null when it flows, or failed.
  std::shared_ptr<const CopiedAnswer> whole() const { return shared_ ? shared_->answer : nullptr; }
  /// What it came to is that of another one's call, which may have begun long before.
  bool followed() const { return followed_; }
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
  bool followed_ = false;
  std::optional<Error> late_;  // it waited for another's answer until its own deadline
};

}  // namespace hale::mesh
