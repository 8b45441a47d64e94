#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "hale/guard/guard.h"

namespace hale::guard {

namespace internal {

/// Awaits f(attempt), a Task, apart from who waits for it: one that ignores its stop is left to
/// itself, with what it needs, and its attempt ends all the same. Loop-bound.
template <class T, class F>
class ApartSender final : public Sender<T> {
 public:
  ApartSender(Executor& executor, std::shared_ptr<F> f) : executor_(executor), f_(std::move(f)) {}
  Task<Result<T>> Send(Lease&, Attempt attempt) override {
    Trigger ended(executor_);
    auto apart = std::make_shared<Apart>();
    apart->waits = &ended;
    Spawn(RunApart(f_, apart, attempt), attempt.stop());
    const auto how = co_await ended.Wait();
    apart->waits = nullptr;
    if (apart->thrown) std::rethrow_exception(apart->thrown);
    if (how == Trigger::Ended::kFired && apart->result) co_return std::move(*apart->result);
    co_return Fail(Code::kCancelled, "it was stopped");
  }
  bool may_race() const override { return true; }

 private:
  struct Apart {
    std::optional<Result<T>> result;
    std::exception_ptr thrown;
    Trigger* waits = nullptr;  // null: nobody any more
  };

  static Task<void> RunApart(std::shared_ptr<F> f, std::shared_ptr<Apart> apart, Attempt attempt) {
    try {
      if constexpr (std::is_same_v<std::invoke_result_t<F&, const Attempt&>, Task<void>>) {
        co_await (*f)(attempt);
        apart->result.emplace();
      } else {
        apart->result.emplace(co_await (*f)(attempt));
      }
    } catch (...) {
      apart->thrown = std::current_exception();
    }
    if (apart->waits != nullptr) apart->waits->Fire();
  }

  Executor& executor_;
  std::shared_ptr<F> f_;
};

}  // namespace internal

/// A guard of calls that never block, which can therefore be hedged: a call that may be made twice
/// (`idempotent`) and takes longer than most do is made a second time beside the first, out of the
/// retries' budget, and the first good answer wins.
///
///     AsyncGuard search{{.hedge = {.mode = policy::Mode::kEnforce}, .idempotent = true}};
///     auto found = co_await search.CallAsync(executor, [=](const Attempt& a) { return Find(a); });
///
/// A blocking call does not compile. Thread-safe.
class AsyncGuard final : private Guard {
 public:
  /// Throws std::invalid_argument with all that Check() has against the options.
  explicit AsyncGuard(const GuardOptions& options = {}, GuardContext context = {})
      : Guard(options, std::move(context), Calls::kAsync) {}

  /// Awaits f(attempt), a Task. `f` is kept until all its attempts have ended: one that ignores its
  /// stop is not waited for, and what it refers to and the executor must outlive it.
  template <class F>
  Task<Result<internal::Value<F>>> CallAsync(Executor& executor, F f, Caller caller = {}) {
    internal::ApartSender<internal::Value<F>, F> sender(executor,
                                                        std::make_shared<F>(std::move(f)));
    co_return co_await Run<internal::Value<F>>(executor, sender, caller);
  }

  using Guard::Apply;
  using Guard::breaker;
  using Guard::budget;
  using Guard::bulkhead;
  using Guard::concurrency;
  using Guard::Describe;
  using Guard::gate;
  using Guard::hedge;
  using Guard::limiter;
  using Guard::options;
  using Guard::pacer;
  using Guard::throttle;
};

}  // namespace hale::guard
