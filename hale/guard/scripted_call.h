#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/base/frame_pool.h"
#include "hale/base/sim_executor.h"
#include "hale/guard/governed_call.h"
#include "hale/guard/scripted_upstream.h"

namespace hale::guard {

/// For tests: one governed call in virtual time, and what must not be left of it. Not thread-safe.
class ScriptedCall : public EventSink {
 public:
  struct Told {
    EventKind kind;
    Reason reason;
    std::string policy;
    std::string instance;
  };
  struct Ended {
    Result<int> result;
    std::uint32_t attempts = 0;
    bool final_for_caller = false;
    std::string instance;
    TimePoint at{};
    bool holds_place = false;
  };

  /// The trail of the call.
  void On(const Event& event) noexcept override {
    told_.push_back(
        {event.kind, event.reason, std::string(event.policy), std::string(event.instance)});
  }

  ScriptedCall() { UseTargets({"a", "b"}); }

  void UseTargets(std::vector<std::string> names, policy::CircuitBreakerOptions options = {}) {
    options.hung_after = Duration::zero();
    targets_ = std::make_unique<ScriptedTargets>(
        std::move(names), options,
        policy::CircuitBreakerContext{
            .service = "s", .clock = executor_.clock(), .random = &random_});
  }

  /// Runs the call up to its first wait.
  void Start() { Spawn(Drive(), stop_.get_token()); }
  /// Runs it to its end. An exception of the sender is in `thrown_`.
  const Ended& Finish() {
    if (!started_) Start();
    executor_.Run();
    if (!ended_) ended_ = Ended{Fail(Code::kUnknown, "it did not end"), 0, false, {}, {}};
    return *ended_;
  }
  void At(Duration after, Executor::Work work) {
    executor_.At(executor_.Now() + after, std::move(work));
  }
  void StopAt(Duration after) {
    At(after, [this] { stop_.request_stop(); });
  }

  policy::CircuitTotals TotalsOf(std::size_t target) const {
    return targets_->targets[target]->breaker().Status(executor_.Now()).totals;
  }
  bool HasTold(EventKind kind, Reason reason) const {
    for (const Told& told : told_) {
      if (told.kind == kind && told.reason == reason) return true;
    }
    return false;
  }
  Duration Since(TimePoint start) const { return executor_.Now() - start; }

  /// What the call has left behind, in words; empty when it ended cleanly.
  std::string Remains() {
    executor_.Run();
    std::string remains;
    const auto expect = [&](bool fine, const char* what) {
      if (!fine) remains += std::string(what) + "; ";
    };
    expect(executor_.pending() == 0, "work on the executor");
    expect(internal::FramePool::live() == frames_, "coroutine frames");
    expect(bulkhead_.in_flight() == 0 && bulkhead_.waiting() == 0, "places in the bulkhead");
    for (std::size_t i = 0; i < targets_->targets.size(); ++i) {
      const Target& target = *targets_->targets[i];
      const policy::CircuitTotals totals = TotalsOf(i);
      expect(totals.admitted ==
                 totals.succeeded + totals.failed + totals.slow + totals.ignored + totals.late,
             "permits of a breaker");
      expect(target.load().in_flight() == 0, "load of a target");
      expect(target.pulse().Read().unanswered == 0, "calls without an answer");
    }
    return remains;
  }

  std::ptrdiff_t frames_ = internal::FramePool::live();
  SimExecutor executor_;
  SeededRandom random_{7};
  TimePoint start_ = executor_.Now();
  policy::Bulkhead bulkhead_{{}, {"s", NullSink(), executor_.clock()}};
  policy::RetryOptions retry_;
  policy::Hedge hedge_;
  policy::DeadlineGate gate_{{.mode = policy::Mode::kOff}};
  std::unique_ptr<policy::RetryBudget> budget_ = std::make_unique<policy::RetryBudget>();
  std::unique_ptr<ScriptedTargets> targets_;
  ScriptedSender sender_{executor_};
  std::stop_source stop_;
  std::vector<Told> told_;
  std::string thrown_;

  Duration deadline_ = 10s;
  Duration per_try_{0};
  bool idempotent_ = false;
  std::uint32_t incoming_attempt_ = 1;
  policy::Priority priority_ = policy::Priority::kCritical;
  std::string_view partition_;
  std::optional<std::size_t> after_;
  std::uint32_t attempts_before_ = 0;

 private:
  Task<void> Drive() {
    started_ = true;
    const CallPolicies policies{.bulkhead = bulkhead_,
                                .retry = retry_,
                                .budget = *budget_,
                                .random = random_,
                                .per_try = per_try_,
                                .hedge = &hedge_,
                                .gate = &gate_};
    const CallSpec spec{.deadline = executor_.Now() + deadline_,
                        .whole = deadline_,
                        .idempotent = idempotent_,
                        .incoming_attempt = incoming_attempt_,
                        .service = "s",
                        .trail = *this,
                        .priority = priority_,
                        .partition = partition_,
                        .after = after_ ? targets_->targets[*after_].get() : nullptr,
                        .attempts_before = attempts_before_};
    GovernedCall<int> call(executor_, policies, spec, *targets_, sender_);
    try {
      Governed<int> governed = co_await call.Run();
      Ended ended{governed.result,           governed.attempts,
                  governed.final_for_caller, std::string(governed.lease.instance()),
                  executor_.Now(),           static_cast<bool>(governed.place)};
      ended_ = std::move(ended);
    } catch (const std::runtime_error& error) {
      thrown_ = error.what();
    }
  }

  bool started_ = false;
  std::optional<Ended> ended_;
};

}  // namespace hale::guard
