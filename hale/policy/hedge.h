#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <tuple>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"
#include "hale/policy/recent_latency.h"

namespace hale::policy {

/// What follows when the first attempt fails before a second one would have joined it.
enum class EarlyFailure : std::uint8_t {
  kRetry,   ///< what the retry policy says, with its back-off
  kAtOnce,  ///< the same without a back-off: the second attempt is simply early
};

constexpr auto Names(Type<EarlyFailure>) {
  return std::array{Name<EarlyFailure>{"retry", EarlyFailure::kRetry},
                    Name<EarlyFailure>{"at_once", EarlyFailure::kAtOnce}};
}

struct HedgeOptions {
  Mode mode = Mode::kOff;
  double percentile = 0.95;          ///< [0.5, 0.9999] of recent calls are over by then
  Duration floor = 1ms;              ///< no second attempt sooner
  std::uint32_t minimum_calls = 50;  ///< recent calls before the percentile says anything
  EarlyFailure early_failure = EarlyFailure::kRetry;

  friend bool operator==(const HedgeOptions&, const HedgeOptions&) = default;
};

constexpr auto Fields(Type<HedgeOptions>) {
  using O = HedgeOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"percentile", &O::percentile, 0.5, 0.9999,
            "share of recent calls that is over by then"},
      Field{"floor", &O::floor, 1ms, 1min, "no second attempt sooner"},
      Field{"minimum_calls", &O::minimum_calls, 1, 100'000, "recent calls that are needed to tell"},
      Field{"early_failure", &O::early_failure, "a failure before that: retry or at_once"}};
}

/// When a second attempt joins a first one that is slow: after the time in which most calls are
/// over (J. Dean, L. Barroso, "The Tail at Scale", CACM 56(2), 2013). The time is a percentile of
/// what calls took lately, those included that ended at their time limit or because the other
/// attempt was faster: otherwise it would learn only from the quick ones. It says when; whether one
/// may be sent is the RetryBudget's to say, and of who protects itself. Thread-safe.
class Hedge {
 public:
  explicit Hedge(const HedgeOptions& options = {});

  /// An attempt took so long: to its answer, to its time limit, or until it lost.
  void Record(Duration latency) {
    if (mode() != Mode::kOff) recent_.Record(latency);
  }
  /// How long an attempt stays alone; kForever: no second one joins it, since hedging is off, of
  /// too few calls nothing is known, or they take longer than can be told.
  Duration Delay(TimePoint now);

  Mode mode() const { return mode_.load(std::memory_order_relaxed); }
  EarlyFailure early_failure() const { return early_failure_.load(std::memory_order_relaxed); }
  /// Recent calls that the delay stands on.
  std::uint64_t calls() const { return recent_.count(); }
  /// Second attempts since the start, and those of them that were first with a good answer.
  std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
  std::uint64_t won() const { return won_.load(std::memory_order_relaxed); }
  void OnSent() { sent_.fetch_add(1, std::memory_order_relaxed); }
  void OnWon() { won_.fetch_add(1, std::memory_order_relaxed); }

  /// What has been seen stays, unless it was off: it sees nothing then.
  void Apply(const HedgeOptions& options);

 private:
  RecentLatency recent_;
  std::atomic<Mode> mode_;
  std::atomic<EarlyFailure> early_failure_;
  std::atomic<std::uint32_t> minimum_calls_;
  std::atomic<double> percentile_;
  std::atomic<Duration> floor_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> won_{0};
};

}  // namespace hale::policy
