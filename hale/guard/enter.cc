#include "hale/guard/enter.h"

#include "hale/base/wait.h"

namespace hale::guard {
namespace {

using policy::Bulkhead;

/// A place in the queue whose owner sleeps on an executor.
class Queued final : public Bulkhead::Waiter {
 public:
  explicit Queued(Executor& executor) : executor_(executor), granted_(executor) {}
  // Runs in the thread that made the place. I live until the posted work has run: who waits does
  // not go before `granted` has fired, unless Abandon() has said that it never will.
  void Granted() noexcept override {
    executor_.Post([this] { granted_.Fire(); });
  }
  Trigger& granted() { return granted_; }

 private:
  Executor& executor_;
  Trigger granted_;
};

Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

}  // namespace

Task<std::expected<Bulkhead::Permit, Rejection>> EnterQueue(Bulkhead& bulkhead, Executor& executor,
                                                            TimePoint deadline) {
  const TimePoint now = executor.Now();
  Queued waiter(executor);
  auto entered = bulkhead.Enter(waiter, now, deadline == kNever ? kForever : deadline - now);
  if (!entered || *entered) co_return entered;

  const Trigger::Ended ended = co_await waiter.granted().Wait(waiter.until());
  if (ended != Trigger::Ended::kFired) {
    if (bulkhead.Abandon(waiter)) {
      Rejection rejection = Bulkhead::TimedOut(waiter, executor.Now());
      if (ended == Trigger::Ended::kStopped) rejection.reason = Reason::kClientAbort;
      co_return std::unexpected(rejection);
    }
    // Granted in the same instant: the place is ours, its notice is on the way.
    co_await WithStop(std::stop_token(), Await(waiter.granted()));
  }
  co_return waiter.Take();
}

}  // namespace hale::guard
