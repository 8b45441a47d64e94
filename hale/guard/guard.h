#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "hale/base/may_block.h"
#include "hale/guard/caller_executor.h"
#include "hale/guard/governed_call.h"
#include "hale/guard/guard_options.h"
#include "hale/policy/rate_limiter.h"

namespace hale::guard {

/// What surrounds a guard. The references outlive it.
struct GuardContext {
  const Clock& clock = RealClock();
  EventSink& events = NullSink();
  Random* random = nullptr;  ///< null: the calling thread's; another serves one thread only
  Idle idle = {};            ///< how a blocking call sleeps; empty: for real
};

namespace internal {

template <class R>
struct ResultOf {
  using type = Result<R>;
};
template <class T>
struct ResultOf<Result<T>> {
  using type = Result<T>;
};
template <class R>
struct ResultOf<Task<R>> : ResultOf<R> {};

/// The `T` of the `Result<T>` that calling an F gives, whether it returns T, Result<T> or a Task.
template <class F>
using Value = typename ResultOf<
    std::remove_cvref_t<std::invoke_result_t<F&, const Attempt&>>>::type::value_type;

template <class R>
inline constexpr bool kIsTask = false;
template <class T>
inline constexpr bool kIsTask<Task<T>> = true;

}  // namespace internal

/// The one target of a guard, behind its breaker. Thread-safe.
class OneTarget final : public Targets {
 public:
  explicit OneTarget(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  std::expected<Lease, Rejection> Pick(const Wanted& wanted) override {
    return Lease::Take(target_, wanted.now, wanted.timeout);
  }
  std::expected<Lease, Rejection> PickOther(const Wanted&) override {
    return std::unexpected(Rejection{.reason = Reason::kNoInstance});
  }
  Target& target() { return *target_; }

 private:
  std::shared_ptr<Target> target_;
};

/// Policies around any callable: rate limit, bulkhead, breaker, retry with a budget, deadline, in
/// that order from outside. One object for each thing that is called, shared by all its callers:
///
///     Guard ledger{{.breaker = {.failure_rate = 0.6}, .retry = {.attempts = 3}, .deadline = 2s}};
///     auto receipt = ledger.Call([&](const Attempt& attempt) { return Charge(order, attempt); });
///
/// The callable returns T, Result<T> or nothing; what it throws settles as a failure and passes
/// through. Thread-safe.
class Guard {
 public:
  explicit Guard(const GuardOptions& options = {}, GuardContext context = {});
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Calls f(attempt) on this thread, which sleeps between attempts. A blocking call cannot be cut
  /// short: give `attempt.remaining()` to it. A late success is returned. Refused on the thread of
  /// an event loop.
  template <class F>
  Result<internal::Value<F>> Call(F&& f) {
    using T = internal::Value<F>;
    static_assert(!internal::kIsTask<std::invoke_result_t<F&, const Attempt&>>,
                  "Call blocks: await a Task with CallAsync");
    if (!MayBlock()) return Fail(Code::kFailedPrecondition, kWouldBlock);
    CallerExecutor executor(context_.clock, &context_.idle);
    Blocking<T, std::remove_reference_t<F>> sender(f);
    return executor.Wait(Run<T>(executor, sender));
  }

  /// Awaits f(attempt), a Task, in the same way: `co_await guard.CallAsync(executor, f)`. `f` and
  /// what it refers to outlive the call. An attempt past its time is stopped.
  template <class F>
  Task<Result<internal::Value<F>>> CallAsync(Executor& executor, F& f) {
    Awaiting<internal::Value<F>, F> sender(f);
    co_return co_await Run<internal::Value<F>>(executor, sender);
  }

  policy::CircuitBreaker& breaker() { return targets_.target().breaker(); }
  policy::RateLimiter& limiter() { return limiter_; }
  policy::Bulkhead& bulkhead() { return bulkhead_; }
  policy::RetryBudget& budget() { return budget_; }
  const GuardOptions& options() const { return options_; }

 private:
  template <class T, class F>
  struct Blocking final : Sender<T> {
    explicit Blocking(F& function) : f(function) {}
    Task<Result<T>> Send(Lease&, Attempt attempt) override {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, const Attempt&>>) {
        f(attempt);
        co_return Result<T>();
      } else {
        co_return f(attempt);
      }
    }
    bool stoppable() const override { return false; }
    F& f;
  };
  template <class T, class F>
  struct Awaiting final : Sender<T> {
    explicit Awaiting(F& function) : f(function) {}
    Task<Result<T>> Send(Lease&, Attempt attempt) override {
      if constexpr (std::is_same_v<std::invoke_result_t<F&, const Attempt&>, Task<void>>) {
        co_await f(attempt);
        co_return Result<T>();
      } else {
        co_return co_await f(attempt);
      }
    }
    F& f;
  };

  template <class T>
  Task<Result<T>> Run(Executor& executor, Sender<T>& sender) {
    const TimePoint now = executor.Now();
    if (auto taken = limiter_.Take(now); !taken) co_return std::unexpected(Refused(taken.error()));
    Random& random = context_.random != nullptr ? *context_.random : ThreadRandom();
    const CallPolicies policies{bulkhead_, options_.retry, budget_, random, options_.per_try};
    const CallSpec spec{.deadline = SaturatingAdd(now, options_.deadline),
                        .whole = options_.deadline,
                        .idempotent = options_.idempotent,
                        .service = options_.name,
                        .trail = context_.events};
    GovernedCall<T> call(executor, policies, spec, targets_, sender);
    Governed<T> ended = co_await call.Run();
    co_return std::move(ended.result);
  }

  Error Refused(const Rejection& rejection) const;

  static constexpr const char* kWouldBlock =
      "Guard::Call blocks, and this is the thread of an event loop: use CallAsync";

  const GuardOptions options_;
  const GuardContext context_;
  policy::RateLimiter limiter_;
  policy::Bulkhead bulkhead_;
  policy::RetryBudget budget_;
  OneTarget targets_;
};

}  // namespace hale::guard
