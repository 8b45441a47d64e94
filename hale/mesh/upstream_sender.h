#pragma once

#include <array>
#include <memory>
#include <optional>

#include "hale/base/wait.h"
#include "hale/guard/sender.h"
#include "hale/mesh/pools.h"
#include "hale/mesh/request_body.h"
#include "hale/mesh/service.h"

namespace hale::mesh {

/// The head of an answer is here; its body still flows.
struct Answer {
  net::ClientExchange* exchange = nullptr;  ///< the sender's
};

/// Sends one request to an instance, on a pooled connection, and waits for the head of its answer.
/// A body that is not kept whole is streamed, the answer being read meanwhile. Loop-bound.
class UpstreamSender final : public guard::Sender<Answer>, public net::InformationalObserver {
 public:
  struct Parts {
    Pools& pools;
    Service& service;
    const ServiceOptions& options;
    net::RequestHead& head;       ///< gets `hale-attempt` and `hale-timeout-ms`
    net::ServerExchange* client;  ///< who hears of 1xx answers; may be null
    RequestBody& body;
    bool idempotent;
  };
  /// All parts outlive me.
  explicit UpstreamSender(const Parts& parts) : parts_(parts) {}
  ~UpstreamSender() override = default;

  Task<Result<Answer>> Send(guard::Lease& lease, guard::Attempt attempt) override;
  std::optional<policy::FailedAttempt> Failure(const Result<Answer>& result) const override;
  bool TurnedAway(const Result<Answer>& result) const override;
  bool replayable() const override { return parts_.body.replayable(); }
  bool may_race() const override { return true; }
  bool raceable() const override { return parts_.body.whole(); }
  Task<void> Discard(Result<Answer> result) override;

  /// The upload that still runs beside the answer has ended, or is stopped now. Await it before
  /// the sender goes.
  Task<void> Finish();
  Task<void> OnInformational(const net::ResponseHead& head) override;

 private:
  /// A body that is sent while the answer is awaited.
  struct Upload {
    explicit Upload(Executor& executor) : ended(executor) {}
    std::stop_source stop;
    Trigger ended;
    Result<void> result;
  };
  /// One attempt's connection.
  struct Flight {
    bool busy = false;  ///< an attempt uses it, be it that it still connects
    std::optional<net::ClientExchange> exchange;
    std::unique_ptr<Upload> upload;
  };

  Task<Result<Answer>> SendOn(Flight& flight, guard::Lease& lease, const guard::Attempt& attempt);
  Task<Result<void>> Open(Flight& flight, guard::Lease& lease, net::OpenOptions options);
  Task<void> RunUpload(Flight& flight);
  Task<void> EndUpload(Flight& flight);
  void Stamp(const guard::Attempt& attempt);
  Flight& FreeFlight();

  Parts parts_;
  std::array<Flight, 2> flights_;
};

}  // namespace hale::mesh
