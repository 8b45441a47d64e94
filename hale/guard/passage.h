#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "hale/base/error.h"
#include "hale/base/executor.h"
#include "hale/base/task.h"
#include "hale/base/wait.h"
#include "hale/guard/caller.h"
#include "hale/guard/governed_call.h"
#include "hale/guard/guard_policies.h"
#include "hale/guard/sender.h"

namespace hale::guard {

/// One call on its way through a guard: the rules that it began with, and where it is. The limits
/// come first, then the GovernedCall. What it refers to outlives it; it does not move. Loop-bound.
template <class T>
class Passage {
 public:
  Passage(GuardPolicies& guard, Executor& executor, Sender<T>& sender, const Caller& caller)
      : guard_(guard),
        executor_(executor),
        now_(executor.Now()),
        rules_(guard.rules.Load()),
        whole_(std::min(rules_.deadline, caller.within)),
        retry_(rules_.Retry()),
        policies_{guard.bulkhead,
                  retry_,
                  guard.budget,
                  guard.context.random != nullptr ? *guard.context.random : ThreadRandom(),
                  rules_.per_try,
                  &guard.throttle,
                  &guard.concurrency,
                  &guard.hedge,
                  &guard.gate},
        spec_{.deadline = SaturatingAdd(now_, whole_),
              .whole = whole_,
              .idempotent = rules_.idempotent,
              .service = guard.name,
              .trail = guard.context.events,
              .priority = caller.priority,
              .fair_key = caller.fair_key,
              .partition = caller.partition},
        call_(executor, policies_, spec_, guard.targets, sender) {}
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  /// Whether it has ended, since no time is left for it or a limit refuses it.
  bool EndsBeforeItRuns() {
    // What is hopeless takes no permit and no turn.
    if (call_.EndsLate(now_)) return true;
    const auto refusal = guard_.Admit(now_, whole_, reserved_);
    if (refusal) refused_ = guard_.Refused(*refusal);
    return refusal.has_value();
  }
  /// A call that blocks goes as far as it can without waiting: whether it has ended.
  bool Advance() {
    if (EndsBeforeItRuns()) return true;
    return !reserved_ && call_.Advance(now_);
  }
  /// Goes on to the end.
  Task<Result<T>> Finish() {
    if (reserved_) {
      const bool slept = co_await Sleep(executor_, reserved_->turn.wait);
      now_ = executor_.Now();
      if (!slept) {
        guard_.GiveBack(*reserved_, now_);
        co_return Fail(Reason::kClientAbort, Executed::kNo);
      }
    }
    Governed<T> ended = co_await call_.Run(now_);
    co_return std::move(ended.result);
  }
  /// How it ended, once it has.
  Result<T> Take() {
    if (refused_) return std::unexpected(std::move(*refused_));
    return std::move(call_.result());
  }

 private:
  GuardPolicies& guard_;
  Executor& executor_;
  TimePoint now_;
  const CallRules rules_;
  const Duration whole_;
  const policy::RetryOptions retry_;
  const CallPolicies policies_;
  const CallSpec spec_;
  GovernedCall<T> call_;
  std::optional<GuardPolicies::Reserved> reserved_;
  std::optional<Error> refused_;
};

}  // namespace hale::guard
