#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/base/guarded.h"
#include "hale/base/outcome.h"
#include "hale/base/random.h"
#include "hale/policy/circuit_breaker_lane.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/circuit_breaker_rules.h"

namespace hale::policy {

class CircuitBreaker;

/// The right to one call. Settle it once with how the call ended; the destructor settles
/// `kIgnored`, which gives a probe's place back and counts nothing. Empty when nothing is counted
/// (mode off, shadow past a refusal, forced closed). Must not outlive its breaker. Movable. Not
/// thread-safe, but may be settled on another thread than it was taken on.
class CircuitPermit {
 public:
  CircuitPermit() = default;
  CircuitPermit(CircuitPermit&& other) noexcept
      : breaker_(std::exchange(other.breaker_, nullptr)),
        ticket_(other.ticket_),
        bucket_(other.bucket_) {}
  CircuitPermit& operator=(CircuitPermit&& other) noexcept;
  ~CircuitPermit() { Drop(); }

  /// The first call counts, later ones do nothing.
  void Settle(Outcome outcome);
  void Settle(Outcome outcome, TimePoint now);
  /// The state's generation and the time of admission.
  const Ticket& ticket() const { return ticket_; }

 private:
  friend class CircuitBreaker;
  CircuitPermit(CircuitBreaker* breaker, Ticket ticket, std::uint32_t bucket)
      : breaker_(breaker), ticket_(ticket), bucket_(bucket) {}
  void Drop();

  CircuitBreaker* breaker_ = nullptr;
  Ticket ticket_;
  std::uint32_t bucket_ = 0;
};

/// What surrounds a breaker. The references outlive it.
struct CircuitBreakerContext {
  std::string service{};   ///< for events
  std::string instance{};  ///< for events; empty: the breaker of a whole service
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
  Random* random = nullptr;  ///< null: the thread's; otherwise used under the breaker's lock
  std::uint32_t lanes = 0;   ///< threads with counters of their own; 0: one a CPU and one, ≤ 8
};

/// Calls since the breaker was made.
struct CircuitTotals {
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
  std::uint64_t would_refuse = 0;  ///< in shadow
  std::uint64_t succeeded = 0;     ///< and were not slow
  std::uint64_t failed = 0;
  std::uint64_t slow = 0;
  std::uint64_t ignored = 0;
  std::uint64_t late = 0;  ///< answers to calls of an earlier generation, counted nowhere else
  std::uint64_t opened = 0;
};

/// For /status.
struct CircuitStatus {
  CircuitState state = CircuitState::kClosed;
  Mode mode = Mode::kEnforce;
  std::uint32_t generation = 0;
  TimePoint until{};         ///< end of the rest, the episode or the order
  double admit_share = 1;    ///< < 1 in the ramp
  CircuitEvidence evidence;  ///< what the window holds
  CircuitTrip trip;          ///< why it opened last
  CircuitTotals totals;
  std::string why;  ///< the operator's words, while forced
};

/// An operator's order.
struct CircuitOrder {
  CircuitState state = CircuitState::kForcedOpen;  ///< kForcedOpen or kForcedClosed
  Duration ttl = kForever;
  std::string why{};
};

/// A circuit breaker, one for each instance (dynamics: a breaker is never wider than the fault
/// domain). `CircuitBreakerCore`'s rules behind a lock that only changes of state, failures, probes
/// and the ramp take, and who begins a bucket; a call that goes well through a closed circuit
/// writes counters of its own thread, a refusal one of them. Each thread's counters come to life
/// with its first call: 0.75 KiB. Events are told after the locks are released, so that a sink
/// may call back. Refusals in `enforce` are the caller's to tell. Thread-safe.
class CircuitBreaker {
 public:
  explicit CircuitBreaker(const CircuitBreakerOptions& options, CircuitBreakerContext context = {});
  ~CircuitBreaker();
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  /// Takes a permit for one call that ends within `timeout` (0: unknown).
  std::expected<CircuitPermit, Rejection> Admit(TimePoint now, Duration timeout = Duration::zero());
  std::expected<CircuitPermit, Rejection> Admit() { return Admit(context_.clock.Now()); }

  /// Whether a call could be let through; takes nothing. For pickers: one atomic load.
  bool WouldAdmit(TimePoint now) const {
    return now.time_since_epoch().count() >= admits_from_.load(std::memory_order_relaxed);
  }
  bool WouldAdmit() const { return WouldAdmit(context_.clock.Now()); }

  /// From when on it may let calls through; kNever when that is not a matter of time.
  TimePoint admits_from() const {
    return TimePoint(Duration(admits_from_.load(std::memory_order_relaxed)));
  }

  /// Changes the rules and keeps the state.
  void Apply(const CircuitBreakerOptions& options, TimePoint now);
  void Apply(const CircuitBreakerOptions& options) { Apply(options, context_.clock.Now()); }
  /// Holds it open or closed, whatever the calls do, in shadow too; journalled as kForced.
  void Force(const CircuitOrder& order, TimePoint now);
  void Force(const CircuitOrder& order) { Force(order, context_.clock.Now()); }
  /// Lifts an order: a forced open circuit probes, a forced closed one is closed.
  void Release(TimePoint now);
  void Release() { Release(context_.clock.Now()); }
  /// Closed, with nothing remembered.
  void Reset(TimePoint now);
  void Reset() { Reset(context_.clock.Now()); }
  /// It was seen alive (a passing check, a late reply, a connect): a rest ends, the next call
  /// probes.
  void EvidenceOfLife(TimePoint now);
  void EvidenceOfLife() { EvidenceOfLife(context_.clock.Now()); }

  CircuitState state(TimePoint now) const;
  CircuitState state() const { return state(context_.clock.Now()); }
  CircuitStatus Status(TimePoint now) const;
  CircuitStatus Status() const { return Status(context_.clock.Now()); }

 private:
  friend class CircuitPermit;
  struct Control;
  class Notes;
  class Sums;
  using Admission = std::expected<CircuitPermit, Rejection>;

  CircuitLane& ThisLane();
  CircuitLane& MakeLane(std::uint32_t i);
  Random& Dice() const;
  Admission RefuseQuickly(TimePoint now);
  Admission AdmitUnderControl(CircuitAsk ask);
  void Settle(const CircuitPermit& permit, Outcome outcome, TimePoint now);
  void SettleSlowly(const CircuitPermit& permit, Outcome outcome, TimePoint now);
  void SettleProbe(Ticket ticket, Verdict verdict, TimePoint now);
  void RollAndConsider(Control& control, TimePoint now, bool bad, Notes& notes);
  CircuitEvidence Gather(const Control& control, TimePoint now) const;
  void Become(Control& control, const CircuitWord& word, TimePoint now, Notes& notes);
  void Tell(const Control& control, const CircuitWord& before, Notes& notes) const;
  void Publish(const Control& control);

  CircuitBreakerContext context_;
  const std::uint32_t own_lanes_;
  /// One for each of the first threads, and one that all further ones share; null until used.
  std::unique_ptr<std::atomic<CircuitLane*>[]> lanes_;
  std::unique_ptr<Guarded<Control>> control_;

  // What a call, a picker and a refusal read; written under the control lock.
  std::atomic<std::uint64_t> epoch_{0};     // generation, newest bucket, whether to count there
  std::atomic<std::int64_t> bucket_begin_;  // its time
  std::atomic<std::int64_t> bucket_end_;
  std::atomic<Duration::rep> slow_call_;
  std::atomic<std::int64_t> admits_from_;  // published last, with release
  std::atomic<Reason> refusal_reason_{Reason::kNone};
  std::atomic<double> refusal_observed_{0};
  std::atomic<double> refusal_threshold_{0};
  /// Written by calls that fail, so not beside what all calls read.
  alignas(64) std::atomic<std::uint64_t> bad_in_row_{0};
};

}  // namespace hale::policy
