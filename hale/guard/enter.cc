#include "hale/guard/enter.h"

#include "hale/base/wait.h"

namespace hale::guard {
namespace {

using policy::Bulkhead;

/// A place in the queue whose owner sleeps on an executor.
class Queued final : public Bulkhead::Waiter {
 public:
  explicit Queued(Executor& executor) : executor_(executor), woken_(executor) {}
  // Runs in the thread that decided it. I live until the posted work has run: who waits does not
  // go before `woken` has fired, unless Abandon() has said that it never will.
  void Wake() noexcept override {
    executor_.Post([this] { woken_.Fire(); });
  }
  Trigger& woken() { return woken_; }

 private:
  Executor& executor_;
  Trigger woken_;
};

Task<void> Await(Trigger& trigger) { co_await trigger.Wait(); }

/// Waits for a place until the waiter's time has come.
Task<std::expected<Bulkhead::Permit, Rejection>> AwaitPlace(Bulkhead& bulkhead, Executor& executor,
                                                            Queued& waiter) {
  const Trigger::Ended ended = co_await waiter.woken().Wait(waiter.until());
  if (ended != Trigger::Ended::kFired) {
    if (bulkhead.Abandon(waiter)) {
      Rejection rejection = waiter.Late(executor.Now());
      if (ended == Trigger::Ended::kStopped) rejection.reason = Reason::kClientAbort;
      co_return std::unexpected(rejection);
    }
    // Decided in the same instant: if it is a place it is ours, the notice is on the way.
    co_await WithStop(std::stop_token(), Await(waiter.woken()));
  }
  co_return waiter.Take();
}

}  // namespace

Task<std::expected<Bulkhead::Permit, Rejection>> EnterQueue(Bulkhead& bulkhead, Executor& executor,
                                                            const policy::Admission& call) {
  Queued waiter(executor);
  auto entered = bulkhead.Enter(waiter, call, executor.Now());
  if (!entered || *entered) co_return entered;
  entered = co_await AwaitPlace(bulkhead, executor, waiter);
  co_return entered;
}

Task<std::expected<Lease, Rejection>> PickWhenFree(const FullHouse& house,
                                                   Bulkhead::Patience patience, Wanted wanted) {
  while (true) {
    Queued waiter(house.executor);
    auto place =
        house.bulkhead.WaitAgain(std::move(house.place), waiter, house.call, patience, wanted.now);
    if (place && !*place) place = co_await AwaitPlace(house.bulkhead, house.executor, waiter);
    if (!place) co_return std::unexpected(place.error());
    house.place = std::move(*place);
    wanted.now = house.executor.Now();
    patience.leaves = house.bulkhead.leaves();
    auto lease = house.targets.Pick(wanted);
    if (lease || lease.error().reason != Reason::kConcurrency) co_return lease;
  }
}

}  // namespace hale::guard
