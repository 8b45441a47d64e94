#pragma once

#include <atomic>
#include <cstddef>
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
#include "hale/policy/lanes.h"

namespace hale::policy {

class CircuitBreaker;
struct CircuitRules;

/// The right to one call. Settle it once with how the call ended; the destructor settles
/// `kIgnored`, which gives a probe's place back and counts nothing. Empty when nothing is counted
/// (mode off, shadow past a refusal, forced closed). Must not outlive its breaker. Movable. Not
/// thread-safe, but may be settled on another thread than it was taken on.
class CircuitPermit {
 public:
  CircuitPermit() = default;
  CircuitPermit(CircuitPermit&& other) noexcept
      : breaker_(std::exchange(other.breaker_, nullptr)),
        epoch_(other.epoch_),
        admitted_(other.admitted_) {}
  CircuitPermit& operator=(CircuitPermit&& other) noexcept {
    if (this == &other) return *this;
    if (breaker_ != nullptr) Drop();
    breaker_ = std::exchange(other.breaker_, nullptr);
    epoch_ = other.epoch_;
    admitted_ = other.admitted_;
    return *this;
  }
  ~CircuitPermit() {
    if (breaker_ != nullptr) Drop();
  }

  /// The first call counts, later ones do nothing.
  void Settle(Outcome outcome);
  void Settle(Outcome outcome, TimePoint now);
  /// The state's generation and the time of admission, of a settled one still. Of an empty one the
  /// generation is 0, which no circuit has.
  Ticket ticket() const { return {epoch_.generation(), admitted_}; }

  /// Only a breaker has one.
  class Maker {
    friend class CircuitBreaker;
    Maker() = default;
  };
  CircuitPermit(Maker /*breaker*/, CircuitBreaker& breaker, CircuitEpoch epoch, TimePoint admitted)
      : breaker_(&breaker), epoch_(epoch), admitted_(admitted) {}

 private:
  friend class CircuitBreaker;
  void Drop();

  CircuitBreaker* breaker_ = nullptr;
  CircuitEpoch epoch_;
  TimePoint admitted_{};
};

/// What surrounds a breaker. The references outlive it.
struct CircuitBreakerContext {
  std::string service{};   ///< for events
  std::string instance{};  ///< for events; empty: the breaker of a whole service
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
  Random* random = nullptr;  ///< null: the thread's; otherwise used under the breaker's lock
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

/// A circuit breaker, one for each instance: never for more than fails together (M. Nygard,
/// "Release It!", 2nd ed., 2018, ch. 5). `CircuitMemory`, the core's, behind a lock that is taken
/// to change the state, by failures, probes and the ramp, by who begins a bucket and by answers to
/// calls sent four buckets ago; a call that goes well through a closed circuit writes two counters
/// of its own thread, a refusal one. Below 2 KiB with two loops. Events are told after the lock is
/// released, so that a sink may call back. Refusals in `enforce` are the caller's to tell.
/// Thread-safe.
class CircuitBreaker {
 public:
  explicit CircuitBreaker(const CircuitBreakerOptions& options, CircuitBreakerContext context = {});
  ~CircuitBreaker();
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  /// Takes a permit for one call that ends within `timeout` (0: unknown). Refused with
  /// `circuit_open` or `forced` and the time until it is let through, or `probing`: in the ramp by
  /// the dice drawn and the share let through, else by calls out and probes. A refusal that shadow
  /// holds back is told the call's `trail`.
  std::expected<CircuitPermit, Rejection> Admit(TimePoint now, Duration timeout = Duration::zero(),
                                                EventSink* trail = nullptr);
  std::expected<CircuitPermit, Rejection> Admit() { return Admit(context_.clock.Now()); }
  /// One more failure now, of a call that was settled as good: its ticket's generation. Counted
  /// only while the circuit is closed and still in it; nobody is admitted or refused for it.
  void Fail(std::uint32_t generation, TimePoint now);

  /// Whether a call could be let through; takes nothing. For pickers: one atomic load.
  bool WouldAdmit(TimePoint now) const {
    return Nanos(now) >= admits_from_.load(std::memory_order_relaxed);
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
  /// What others go by, who hedge, judge instances or protect themselves: kClosed while it would
  /// refuse nobody, since in shadow only an order is followed.
  CircuitState state_in_force(TimePoint now) const;
  CircuitStatus Status(TimePoint now) const;
  CircuitStatus Status() const { return Status(context_.clock.Now()); }

  /// All that it occupies, on the heap too, but for the texts of its context.
  std::size_t bytes() const;

 private:
  friend class CircuitPermit;
  struct Control;
  class Notes;
  using Admission = std::expected<CircuitPermit, Rejection>;

  static std::int64_t Nanos(TimePoint at) { return at.time_since_epoch().count(); }
  CircuitEpoch epoch() const { return CircuitEpoch(epoch_.load(std::memory_order_relaxed)); }
  bool InBucket(TimePoint now) const {
    // Acquire: a bucket that is seen to have begun has its epoch.
    const std::int64_t age = Nanos(now) - bucket_begin_.load(std::memory_order_acquire);
    return static_cast<std::uint64_t>(age) < bucket_width_.load(std::memory_order_relaxed);
  }
  Admission AdmitOtherwise(CircuitAsk ask, EventSink* trail);
  Admission RefuseQuickly(TimePoint now);
  Admission AdmitUnderControl(CircuitAsk ask, EventSink* trail);
  void Settle(const CircuitPermit& permit, Outcome outcome, TimePoint now);
  void SettleOtherwise(const CircuitPermit& permit, Outcome outcome, TimePoint now);
  void SettleUnderControl(const CircuitPermit& permit, Outcome outcome, TimePoint now);
  CircuitRules Rules(Control& control) const;
  template <class To>
  void Change(TimePoint now, To to);
  void Follow(Control& control, const CircuitWord& before, TimePoint now, Notes& notes);
  void Tell(const Control& control, const CircuitWord& before, Notes& notes) const;
  void Publish(const Control& control);

  // What a call reads, on one cache line; written under the control lock.
  alignas(64) std::atomic<std::uint64_t> epoch_{0};
  std::atomic<std::int64_t> bucket_begin_;  // of its newest bucket
  std::atomic<std::uint64_t> bucket_width_;
  std::atomic<Duration::rep> slow_call_;
  std::atomic<std::int64_t> admits_from_;  // published last, with release
  Lanes<CircuitLane> lanes_;
  std::atomic<Reason> refusal_reason_{Reason::kNone};
  std::atomic<Reason> opened_by_{Reason::kNone};
  std::atomic<double> refusal_observed_{0};
  std::atomic<double> refusal_threshold_{0};
  std::unique_ptr<Guarded<Control>> control_;
  CircuitBreakerContext context_;
};

inline std::expected<CircuitPermit, Rejection> CircuitBreaker::Admit(TimePoint now,
                                                                     Duration timeout,
                                                                     EventSink* trail) {
  // The bucket first: who sees that it has begun counts in it, not in the one before, which may be
  // of long ago.
  const bool in_bucket = InBucket(now);
  const CircuitEpoch epoch = this->epoch();
  if (in_bucket && epoch.calls() == CircuitEpoch::Calls::kCounted) [[likely]] {
    lanes_.Mine().Sent(epoch.slot());
    // In place: a copy of what has just been written would wait for it.
    return Admission(std::in_place, CircuitPermit::Maker(), *this, epoch, now);
  }
  return AdmitOtherwise({now, timeout}, trail);
}

inline void CircuitBreaker::Settle(const CircuitPermit& permit, Outcome outcome, TimePoint now) {
  // Nearly every call: it went well, and nothing has changed since.
  if (outcome == Outcome::kSuccess && InBucket(now) && epoch().Counts(permit.epoch_) &&
      (now - permit.admitted_).count() < slow_call_.load(std::memory_order_relaxed)) [[likely]] {
    lanes_.Mine().Good(permit.epoch_.slot());
  } else {
    SettleOtherwise(permit, outcome, now);
  }
}

inline void CircuitPermit::Settle(Outcome outcome, TimePoint now) {
  if (breaker_ != nullptr) std::exchange(breaker_, nullptr)->Settle(*this, outcome, now);
}

}  // namespace hale::policy
