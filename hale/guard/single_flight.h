#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hale/base/error.h"
#include "hale/base/event.h"
#include "hale/base/executor.h"
#include "hale/base/task.h"
#include "hale/policy/single_flight.h"

namespace hale::guard {

/// Waits for the flight of `key` if there is one. Loop-bound.
class Boarding {
 public:
  /// All outlive me. `trail`: of the call that asks.
  Boarding(policy::SingleFlight& flights, Executor& executor, std::string_view key,
           EventSink* trail = nullptr)
      : flights_(flights), executor_(executor), key_(key), trail_(trail) {}

  /// The call is to be made, with `lead` or alone; or its flight has landed. kDeadline when that
  /// was not so by `until`, kClientAbort when stopped.
  struct Boarded {
    policy::SingleFlight::Lead lead = {};      ///< set: lead it
    policy::SingleFlight::Landed landed = {};  ///< `followed`: what it came to, never kAgain
    bool followed = false;
  };
  Task<Result<Boarded>> Join(TimePoint until);

 private:
  policy::SingleFlight& flights_;
  Executor& executor_;
  std::string_view key_;
  EventSink* trail_;
};

/// Runs the call of a flight under a stop of its own: when the leader's own caller goes, it ends
/// only if nobody follows, or once the last one has left. Loop-bound.
Task<void> RunLead(policy::SingleFlight::Lead& lead, Executor& executor, Task<void> call);

/// How a call ended for who followed it for so long, as an event: joined, or refused when that
/// one's time was up. The caller adds names. Pure.
Event FollowedEvent(const Error* failure, Duration waited, TimePoint now);
Event GaveUpEvent(Duration waited, TimePoint now);

/// Identical calls made once: who asks for a key while a call for it is under way waits for that
/// one's result.
///
///     SingleFlight<Prices> flights;
///     auto prices = co_await flights.Call(executor, "prices/" + city, ask);
///
/// The result is copied, be it good or a failure; a caller that gave up, its own deadline or its
/// exception is no one else's: then another one makes the call. Outlives its calls. Thread-safe.
template <class T>
class SingleFlight {
 public:
  explicit SingleFlight(
      const policy::SingleFlightOptions& options = {.mode = policy::Mode::kEnforce},
      policy::SingleFlightContext context = {})
      : name_(context.name), events_(context.events), flights_(options, std::move(context)) {}

  /// Awaits f(), a Task<Result<T>>, or the result of one that runs. `f` and what it refers to
  /// outlive the call, which lasts while others wait for it, also when its own caller has gone.
  template <class F>
  Task<Result<T>> Call(Executor& executor, std::string_view key, F& f, TimePoint until = kNever) {
    Boarding boarding(flights_, executor, key);
    const TimePoint began = executor.Now();
    auto boarded = co_await boarding.Join(until);
    const TimePoint now = executor.Now();
    if (!boarded) {
      if (boarded.error().reason == Reason::kDeadline) Tell(GaveUpEvent(now - began, now));
      co_return std::unexpected(boarded.error());
    }
    using Landing = policy::SingleFlight::Landing;
    if (boarded->followed && boarded->landed.how == Landing::kShared) {
      const auto& shared = *static_cast<const Result<T>*>(boarded->landed.what.get());
      Tell(FollowedEvent(shared ? nullptr : &shared.error(), now - began, now));
      co_return shared;
    }
    if (!boarded->lead) co_return co_await f();
    std::shared_ptr<const Result<T>> result;
    co_await RunLead(boarded->lead, executor, Make(f, result));
    const bool late = executor.Now() >= until;
    const bool own = !*result && IsOwn(result->error(), late);
    boarded->lead.Land({own ? Landing::kAgain : Landing::kShared, own ? nullptr : result});
    co_return *result;
  }
  policy::SingleFlight& flights() { return flights_; }

 private:
  template <class F>
  static Task<void> Make(F& f, std::shared_ptr<const Result<T>>& result) {
    Result<T> made = co_await f();
    result = std::make_shared<const Result<T>>(std::move(made));
  }
  /// `late`: the leader's own time is up.
  static bool IsOwn(const Error& error, bool late) {
    if (error.code == Code::kCancelled || IsCallersFault(error.reason)) return true;
    return late && error.code == Code::kDeadlineExceeded &&
           error.reason != Reason::kUpstreamTimeout;
  }

  void Tell(Event event) const {
    event.service = name_;
    events_.On(event);
  }

  const std::string name_;
  EventSink& events_;
  policy::SingleFlight flights_;
};

}  // namespace hale::guard
