#pragma once

#include <optional>

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/guard/attempt.h"
#include "hale/guard/lease.h"
#include "hale/policy/reception.h"
#include "hale/policy/retry.h"

namespace hale::guard {

/// What a governed call does, once an instance has been picked for it: the one place where guard's
/// callers differ. Outlives its call. Loop-bound.
template <class T>
class Sender {
 public:
  virtual ~Sender() = default;

  /// Makes one attempt. Ends soon after a stop of its task, with any error. What it throws settles
  /// as a failure and passes through.
  virtual Task<Result<T>> Send(Lease& lease, Attempt attempt) = 0;
  /// Whether an attempt is made by SendBlocking, which needs no task, rather than by Send. Such an
  /// attempt can neither be stopped nor raced.
  virtual bool blocks() const { return false; }
  virtual Result<T> SendBlocking(Lease& lease, const Attempt& attempt) {
    static_cast<void>(lease);
    static_cast<void>(attempt);
    return Fail(Code::kUnimplemented, "it does not block");
  }
  /// The failure that a result stands for, or nothing: an answer can be one as well as an error.
  virtual std::optional<policy::FailedAttempt> Failure(const Result<T>& result) const {
    if (result) return std::nullopt;
    return policy::Facts(result.error());
  }
  /// Whether an answer that is no failure turns its caller away for load (429), so that it counts
  /// for the throttle.
  virtual bool TurnedAway(const Result<T>& result) const {
    static_cast<void>(result);
    return false;
  }
  /// How the attempt that gave it was received; `failure` is what it stands for.
  policy::Reception ReceptionOf(const Result<T>& result,
                                const std::optional<policy::FailedAttempt>& failure) const {
    return TurnedAway(result) ? policy::Reception::kTurnedAway : policy::ReceptionOf(failure);
  }
  /// Whether Send can be called again after an attempt that failed.
  virtual bool replayable() const { return true; }
  /// Whether Send can ever be called while another attempt is under way; else no attempt is watched
  /// in vain.
  virtual bool may_race() const { return false; }
  /// Whether it can be now.
  virtual bool raceable() const { return may_race(); }
  /// Whether Send notices a stop. One that blocks cannot, and is not watched in vain.
  virtual bool stoppable() const { return true; }
  /// Disposes of an answer that is tried again.
  virtual Task<void> Discard(Result<T> result) {
    static_cast<void>(result);
    co_return;
  }
};

}  // namespace hale::guard
