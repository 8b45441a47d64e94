#include "hale/guard/single_flight.h"

#include <mutex>
#include <optional>

#include "hale/base/wait.h"
#include "hale/guard/call_policies.h"

namespace hale::guard {
namespace {

using Flights = policy::SingleFlight;

/// A follower whose owner sleeps on an executor.
class Sleeper final : public Flights::Follower {
 public:
  explicit Sleeper(Executor& executor) : executor_(executor), arrived_(executor) {}
  // In the leader's thread. I live until the posted work has run: who waits does not go before
  // `arrived` has fired, unless Leave() has said that it never will.
  void OnLanded() noexcept override {
    executor_.Post([this] { arrived_.Fire(); });
  }
  Trigger& arrived() { return arrived_; }

 private:
  Executor& executor_;
  Trigger arrived_;
};

Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

/// What a flight's leader runs under.
class LeadStop final : public Flights::Observer, public std::enable_shared_from_this<LeadStop> {
 public:
  LeadStop(Flights::Lead& lead, Executor& executor) : lead_(&lead), executor_(&executor) {}

  void OnDeserted() noexcept override {
    // Posted under the lock: once End() has returned the executor may go.
    const std::lock_guard lock(mutex_);
    if (executor_ != nullptr) executor_->Post([self = shared_from_this()] { self->CallerGone(); });
  }
  /// On the leader's loop, as is End.
  void CallerGone() {
    if (lead_ != nullptr && lead_->Abandon(shared_from_this())) stop_.request_stop();
  }
  void End() {
    lead_ = nullptr;
    const std::lock_guard lock(mutex_);
    executor_ = nullptr;
  }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  Flights::Lead* lead_;
  std::mutex mutex_;
  Executor* executor_;
  std::stop_source stop_;
};

struct EndOfLead {
  LeadStop& lead;
  ~EndOfLead() { lead.End(); }
};

struct OnCallerGone {
  LeadStop& lead;
  void operator()() const { lead.CallerGone(); }
};

}  // namespace

Event FollowedEvent(const Error* failure, Duration waited, TimePoint now) {
  Event event;
  event.at = now;
  event.kind = EventKind::kJoined;
  event.reason = failure != nullptr ? failure->reason : Reason::kNone;
  event.policy = "single_flight";
  event.span = waited;
  return event;
}

Event GaveUpEvent(Duration waited, TimePoint now) {
  return RefusedBy("single_flight", {.reason = Reason::kDeadline, .observed = Seconds(waited)},
                   now);
}

Task<Result<Boarding::Boarded>> Boarding::Join(TimePoint until) {
  while (true) {
    Sleeper sleeper(executor_);
    auto joined = flights_.Join(key_, sleeper, executor_.Now(), trail_);
    Boarded boarded;
    if (joined.part != Flights::Part::kFollows) {
      boarded.lead = std::move(joined.lead);
      co_return boarded;
    }
    const Trigger::Ended ended = co_await sleeper.arrived().Wait(until);
    if (ended != Trigger::Ended::kFired) {
      if (flights_.Leave(sleeper)) {
        const bool stopped = ended == Trigger::Ended::kStopped;
        co_return Fail(stopped ? Reason::kClientAbort : Reason::kDeadline, Executed::kNo);
      }
      // It landed in the same instant: its notice is on the way.
      co_await WithStop(std::stop_token(), Await(sleeper.arrived()));
    }
    if (sleeper.landed().how == Flights::Landing::kAgain) continue;
    boarded.landed = sleeper.landed();
    boarded.followed = true;
    co_return boarded;
  }
}

Task<void> RunLead(Flights::Lead& lead, Executor& executor, Task<void> call) {
  const auto stop = std::make_shared<LeadStop>(lead, executor);
  const EndOfLead end{*stop};
  const std::stop_token caller = co_await CurrentStop();
  std::optional<std::stop_callback<OnCallerGone>> relay;
  if (caller.stop_possible()) relay.emplace(caller, OnCallerGone{*stop});
  co_await WithStop(stop->token(), std::move(call));
}

}  // namespace hale::guard
