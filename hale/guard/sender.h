#pragma once

#include <optional>

#include "hale/base/error.h"
#include "hale/base/task.h"
#include "hale/guard/attempt.h"
#include "hale/guard/lease.h"
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
  /// The failure that a result stands for, or nothing: an answer can be one as well as an error.
  virtual std::optional<policy::FailedAttempt> Failure(const Result<T>& result) const {
    if (result) return std::nullopt;
    return policy::Facts(result.error());
  }
  /// Whether Send can be called again after an attempt that failed.
  virtual bool replayable() const { return true; }
  /// Whether Send can be called while another attempt is under way.
  virtual bool raceable() const { return false; }
  /// Whether Send notices a stop. One that blocks cannot, and is not watched in vain.
  virtual bool stoppable() const { return true; }
  /// Disposes of an answer that is tried again.
  virtual Task<void> Discard(Result<T> result) {
    static_cast<void>(result);
    co_return;
  }
};

}  // namespace hale::guard
