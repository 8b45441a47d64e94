#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "hale/base/event.h"
#include "hale/base/time.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/concurrency_limit_core.h"
#include "hale/policy/lanes.h"
#include "hale/policy/reception.h"

namespace hale::policy {

/// One attempt that has ended.
struct LimitSample {
  Reception reception = Reception::kUnknown;
  Duration latency{0};          ///< from its start to the head of its answer
  std::uint32_t in_flight = 0;  ///< calls in flight, this one included
};

/// What surrounds a concurrency limit. The references outlive it.
struct ConcurrencyLimitContext {
  std::string service{};  ///< for events
  EventSink& events = NullSink();
};

/// For /status.
struct ConcurrencyLimitStatus {
  std::uint32_t limit = 0;
  Duration no_load{0};  ///< what an answer takes without load; zero: not known
};

/// The sums of one thread's attempts, or of many; they only grow. Thread-safe.
class alignas(64) LimitLane {
 public:
  struct Sums {
    std::uint64_t answered = 0;
    std::uint64_t dropped = 0;
    std::uint64_t latency = 0;    // ns, of the answered
    std::uint64_t in_flight = 0;  // of all
  };
  explicit LimitLane(Writers writers) : alone_(writers == Writers::kOne) {}
  void Add(const Sums& more);
  Sums Read() const;

 private:
  void Add(std::atomic<std::uint64_t>& cell, std::uint64_t more);
  const bool alone_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> latency_{0};
  std::atomic<std::uint64_t> in_flight_{0};
};

/// The limit of a bulkhead that finds itself: `ConcurrencyLimitCore`'s rules, fed with the attempts
/// of all loops. Each counts in its thread's own lane; who first comes after the end of a window
/// that holds at least twenty tries a lock, and if it has it takes the step. It says so, and its
/// caller calls Drive. A change of mode or kind begins a new window. Thread-safe.
class ConcurrencyLimit {
 public:
  /// `most`: of the bulkhead; the limit is never above.
  explicit ConcurrencyLimit(const ConcurrencyLimitOptions& options = {},
                            std::uint32_t most = 1'000'000, ConcurrencyLimitContext context = {});
  ConcurrencyLimit(const ConcurrencyLimit&) = delete;
  ConcurrencyLimit& operator=(const ConcurrencyLimit&) = delete;

  /// An attempt has ended; true: limit() is another now. In shadow, where more were in flight than
  /// it allows, one would have been refused (`concurrency`): an event for the call's `trail`.
  bool Observe(const LimitSample& sample, TimePoint now, EventSink* trail = nullptr) {
    if (mode_.load(std::memory_order_relaxed) == Mode::kOff) return false;
    return Count(sample, now, trail);
  }

  /// What the bulkhead is to keep to: its own limit unless this one enforces.
  std::uint32_t limit() const { return mode() == Mode::kEnforce ? found() : most(); }
  /// The same in each mode.
  std::uint32_t found() const { return found_.load(std::memory_order_relaxed); }
  std::uint32_t most() const { return most_.load(std::memory_order_relaxed); }
  Mode mode() const { return mode_.load(std::memory_order_relaxed); }
  ConcurrencyLimitStatus Status() const;

  /// New options at once; what was learned stays. Call Drive afterwards.
  void Apply(const ConcurrencyLimitOptions& options, std::uint32_t most);
  /// Its bulkhead's mode: this limit is in force while both enforce. Drive tells.
  void KeptBy(Mode bulkhead);

 private:
  void BeginWindow();
  bool Count(const LimitSample& sample, TimePoint now, EventSink* trail);
  bool Turn(TimePoint now);
  void TellWouldRefuse(std::uint32_t in_flight, TimePoint now, EventSink* trail) const;
  LimitLane::Sums Sum() const;

  const ConcurrencyLimitContext context_;
  std::atomic<Mode> mode_;
  std::atomic<Mode> bulkhead_{Mode::kEnforce};
  std::atomic<Duration> slow_call_;
  std::atomic<std::uint32_t> most_;
  std::atomic<std::uint32_t> found_;
  std::atomic<TimePoint> due_{TimePoint::min()};  // the end of the window
  Lanes<LimitLane> lanes_;
  mutable std::mutex turning_;  // over all below; never waited for by who observes
  ConcurrencyLimitCore core_;
  LimitKind kind_;
  Duration window_;
  LimitLane::Sums before_;  // all that earlier windows held
};

/// Gives both new options at once: the bulkhead never sees a limit in between. Thread-safe.
void ApplyLimited(Bulkhead& bulkhead, BulkheadOptions options, ConcurrencyLimit& limit,
                  const ConcurrencyLimitOptions& limit_options);

/// Gives a bulkhead its limit, and tells whether it keeps to it. Who was late with an old one puts
/// it right itself. Thread-safe.
void Drive(Bulkhead& bulkhead, ConcurrencyLimit& limit);

}  // namespace hale::policy
