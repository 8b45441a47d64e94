#pragma once

#include <cstdint>
#include <exception>
#include <expected>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hale/base/field_value.h"
#include "hale/base/guarded.h"
#include "hale/base/may_block.h"
#include "hale/guard/caller.h"
#include "hale/guard/caller_executor.h"
#include "hale/guard/guard_options.h"
#include "hale/guard/guard_policies.h"
#include "hale/guard/passage.h"
#include "hale/guard/pipeline.h"
#include "hale/guard/senders.h"

namespace hale::guard {

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

/// Policies around any callable, in the one order that `Layers()` lists. One object for each thing
/// that is called, shared by all its callers:
///
///     Guard ledger{{.breaker = {.failure_rate = 0.6}, .retry = {.attempts = 3}, .deadline = 2s}};
///     auto receipt = ledger.Call([&](const Attempt& attempt) { return Charge(order, attempt); });
///
/// The callable returns T, Result<T> or nothing; what it throws settles as a failure and passes
/// through. Thread-safe.
class Guard {
 public:
  /// Throws std::invalid_argument with all that Check() has against the options.
  explicit Guard(const GuardOptions& options = {}, GuardContext context = {});
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Calls f(attempt) on this thread, which sleeps between attempts. A blocking call cannot be cut
  /// short: give `attempt.remaining()` to it. A late success is returned. Refused on the thread of
  /// an event loop. One of many callers says who it is: `Call(f, {.priority = kSheddable})`.
  template <class F>
  Result<internal::Value<F>> Call(F&& f, const Caller& caller = {}) {
    using T = internal::Value<F>;
    static_assert(!internal::kIsTask<std::invoke_result_t<F&, const Attempt&>>,
                  "Call blocks: await a Task with CallAsync");
    if (!MayBlock()) return Fail(Code::kFailedPrecondition, kWouldBlock);
    CallerExecutor executor(policies_.context.clock, &policies_.context.idle);
    internal::BlockingSender<T, std::remove_reference_t<F>> sender(f);
    Passage<T> passage(policies_, executor, sender, caller);
    if (passage.Advance()) return passage.Take();
    return executor.Wait(passage.Finish());
  }

  /// Awaits f(attempt), a Task, in the same way: `co_await guard.CallAsync(executor, f)`. `f` and
  /// what it refers to outlive the call. An attempt past its time is stopped.
  template <class F>
  Task<Result<internal::Value<F>>> CallAsync(Executor& executor, F& f, Caller caller = {}) {
    internal::TaskSender<internal::Value<F>, F> sender(f);
    co_return co_await Run<internal::Value<F>>(executor, sender, caller);
  }

  /// The same around an operation with a callback: start(attempt, completion) begins it and
  /// returns, the completion is called when it has ended, on any thread. Then `done`, with the
  /// Result<T>, exactly once, on the executor, whether the callback came late, twice or never: an
  /// attempt past its time is given up and its attempt.stop() requested. What `start` throws is an
  /// error `internal`. A requested `stop` ends the call with kClientAbort. Both functions are kept
  /// until then, what they refer to and the guard outlive the call. Loop-bound.
  template <class T, class Start, class Done>
  void CallWith(Executor& executor, Start start, Done done, Caller caller = {},
                std::stop_token stop = {}) {
    Spawn(CallBack<T>(executor, std::move(start), std::move(done), caller), std::move(stop));
  }

  policy::CircuitBreaker& breaker() { return policies_.targets.target().breaker(); }
  policy::RateLimiter& limiter() { return policies_.limiter; }
  policy::Pacer& pacer() { return policies_.pacer; }
  policy::Throttle& throttle() { return policies_.throttle; }
  policy::Bulkhead& bulkhead() { return policies_.bulkhead; }
  policy::ConcurrencyLimit& concurrency() { return policies_.concurrency; }
  policy::RetryBudget& budget() { return policies_.budget; }
  policy::DeadlineGate& gate() { return policies_.gate; }

  /// Changes the pipeline as a whole and gives what that changed. A call that is under way keeps
  /// the rules that it began with; the state stays: an open circuit, a limiter's debt, what is in
  /// flight, what the budget has saved. Options that cannot be are refused with all that is wrong
  /// with them, and change nothing; so is another name. Waits for no call.
  std::expected<std::vector<Change>, std::vector<Remark>> Apply(const GuardOptions& options);
  GuardOptions options() const;
  /// The pipeline, a line a layer.
  std::string Describe() const;

 protected:
  Guard(const GuardOptions& options, GuardContext context, Calls calls);
  policy::Hedge& hedge() { return policies_.hedge; }

  template <class T>
  Task<Result<T>> Run(Executor& executor, Sender<T>& sender, const Caller& caller) {
    Passage<T> passage(policies_, executor, sender, caller);
    if (passage.EndsBeforeItRuns()) co_return passage.Take();
    co_return co_await passage.Finish();
  }

 private:
  /// What was asked for last, and whether a thread is busy bringing it to the policies.
  struct Settings {
    explicit Settings(const GuardOptions& first) : options(first) {}
    GuardOptions options;
    std::uint64_t version = 0;
    bool applying = false;
  };

  /// What the user's code throws cannot pass through a callback: it becomes an error.
  template <class T, class Start, class Done>
  Task<void> CallBack(Executor& executor, Start start, Done done, Caller caller) {
    internal::CallbackSender<T, Start> sender(executor, start);
    Result<T> result = Fail(Code::kInternal, "an exception ended the call");
    try {
      result = co_await Run<T>(executor, sender, caller);
    } catch (const std::exception& thrown) {
      result.error().message = thrown.what();
    } catch (...) {
      result.error().message = "what is no std::exception ended the call";
    }
    done(std::move(result));
  }

  void ApplyToPolicies();
  void Tell(EventKind kind, double count, const std::string& detail) const;

  static constexpr const char* kWouldBlock =
      "Guard::Call blocks, and this is the thread of an event loop: use CallAsync";

  const Calls calls_;
  GuardPolicies policies_;
  Guarded<Settings> settings_;
};

}  // namespace hale::guard
