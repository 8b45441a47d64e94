#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "hale/guard/governed_call.h"
#include "hale/mesh/body_resume.h"
#include "hale/mesh/copied_answer.h"
#include "hale/mesh/pools.h"
#include "hale/mesh/request_body.h"
#include "hale/mesh/route_table.h"
#include "hale/mesh/served_request.h"
#include "hale/mesh/upstream_sender.h"

namespace hale::mesh {

/// Whom a call goes to. Both outlive it.
struct CallTo {
  Service& service;
  const ServiceOptions& options;
};

/// One request on its way to a service and back: sent through the service's policies, the answer
/// relayed as it comes: the head goes out with the beginning of the body, so that what breaks
/// before is a failed attempt like any other. When an instance breaks or falls silent in the middle
/// of a body that can be continued, another one sends the rest, as one retry. Ask, then Answer; or
/// what the answer is may be looked at between the two, and it dropped for something else. Finish
/// last, whatever happened. Loop-bound.
class ProxiedCall {
 public:
  /// All outlive me. `body` is the request's; another call may use it after this one.
  ProxiedCall(Pools& pools, ServedRequest& request, const Route& route, CallTo to,
              RequestBody& body);
  ProxiedCall(const ProxiedCall&) = delete;
  ProxiedCall& operator=(const ProxiedCall&) = delete;

  /// Waits for an answer to begin, or for what is instead of one: then failure() says why.
  Task<void> Ask();
  /// Gives the answer to the client as it comes, or refuses with the failure. Nothing is said to a
  /// client whose own body could not be read: the server has answered it.
  Task<void> Answer();
  /// What is still under way ends.
  Task<void> Finish();

  const std::optional<Error>& failure() const { return failure_; }
  /// Whoever called us should not try again.
  HopRetry hop_retry() const { return hop_retry_; }
  /// Without a failure only.
  net::ResponseHead& response() { return head_ ? *head_ : upstream().response(); }
  const guard::CallSpec& spec() const { return spec_; }
  bool idempotent() const { return spec_.idempotent; }
  TimePoint deadline() const { return spec_.deadline; }

  /// Reads the answer ahead and copies it, if its body has at most `most` bytes: null otherwise,
  /// and when it breaks off, which is a failure. Answer still gives it all.
  Task<std::shared_ptr<const CopiedAnswer>> Copy(std::size_t most);
  /// Copies the answer while it is given, if its body has at most `most` bytes; call before Answer.
  void KeepCopy(std::size_t most) { most_kept_ = most; }
  /// That copy, after Answer; null when the body was larger, or was not given whole.
  std::shared_ptr<const CopiedAnswer> TakeKept() { return std::move(kept_); }
  /// Gives up the answer, its instance and its place in the service.
  Task<void> Drop();

 private:
  Task<void> Send(const guard::CallSpec& spec);
  Task<void> Begin();
  Task<void> Relay();
  Task<Result<std::span<const char>>> NextPiece();
  Task<Result<void>> Give(std::span<const char> piece, bool last);
  Task<bool> GoOn(Error broken);
  Task<void> Break(Error broken);
  void LookAhead();
  void Keep(std::span<const char> piece, bool last);

  UpstreamSender::Parts Parts();
  net::ClientExchange& upstream() { return *ended_->result->exchange; }
  TimePoint now() const { return pools_.loop().Now(); }

  Pools& pools_;
  ServedRequest& request_;
  const CallTo to_;
  RequestBody& body_;
  const guard::CallPolicies policies_;
  const std::string partition_;
  const guard::CallSpec spec_;
  std::optional<UpstreamSender> sender_;
  std::optional<guard::Governed<mesh::Answer>> ended_;
  std::optional<Error> failure_;
  HopRetry hop_retry_ = HopRetry::kMay;
  std::uint32_t attempts_ = 0;

  bool begun_ = false;  // the answer: from here on something of it may be given away
  bool alone_ = false;  // its head: nothing of its body came in time
  std::string ahead_;   // of the body: read by Copy, not given yet
  bool ahead_is_all_ = false;
  std::optional<std::size_t> most_kept_;
  std::string keeping_;
  std::shared_ptr<const CopiedAnswer> kept_;

  std::optional<BodyResume> resume_;
  std::optional<net::ResponseHead> head_;  // the first one, once another instance sends the rest
  bool looked_ = false;                    // whether the body can be continued
  Duration patience_ = kForever;           // with a silence in its middle
  std::uint64_t relayed_ = 0;              // of the body: fetched from its instance
  std::uint64_t overlap_ = 0;              // of what comes next, relayed already
};

}  // namespace hale::mesh
