#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <tuple>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/guarded.h"
#include "hale/base/outcome.h"
#include "hale/base/time.h"
#include "hale/policy/mode.h"

namespace hale::policy {

struct BulkheadOptions {
  Mode mode = Mode::kEnforce;
  std::uint32_t limit = 1024;  ///< calls in flight at once
  std::uint32_t queue = 1024;  ///< calls that may wait for a place; 0: none
  Duration max_wait = 200ms;   ///< and no longer than this, or half of their remaining deadline

  friend bool operator==(const BulkheadOptions&, const BulkheadOptions&) = default;
};

constexpr auto Fields(Type<BulkheadOptions>) {
  using O = BulkheadOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"limit", &O::limit, 1, 1'000'000, "calls in flight at once"},
      Field{"queue", &O::queue, 0, 1'000'000, "calls that may wait for a place"},
      Field{"max_wait", &O::max_wait, 0ms, 1min, "longest wait; also at most half the deadline"}};
}

/// What surrounds a bulkhead. The references outlive it.
struct BulkheadContext {
  std::string service;  ///< for events
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
};

/// How long a call with so much left until its deadline may wait for a place: half of it at most,
/// since a queue whose wait stays below the callers' timeout cannot hold a system down. Pure.
constexpr Duration LongestWait(const BulkheadOptions& options, Duration remaining) {
  const Duration half = remaining / 2;
  return half < options.max_wait ? half : options.max_wait;
}

/// Bounds the calls in flight to one service, so that a slow one cannot take all there is
/// (M. Nygard, "Release It!", 2nd ed., 2018, ch. 5), with one bounded first-in first-out queue
/// before it. Exact over all threads: entering and leaving without a queue is one compare-and-swap;
/// only who waits, and who makes place for one that waits, takes the lock.
/// Counts in every mode, so that a change of mode finds the truth. Outlives its permits.
/// Thread-safe.
class Bulkhead {
 public:
  /// A place; given back by the destructor.
  class [[nodiscard]] Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { Release(); }
    void Release();
    explicit operator bool() const { return bulkhead_ != nullptr; }

   private:
    friend class Bulkhead;
    explicit Permit(Bulkhead& bulkhead) : bulkhead_(&bulkhead) {}
    Bulkhead* bulkhead_ = nullptr;
  };

  /// One call that waits; it lives in the caller, so queueing allocates nothing. Once queued it
  /// ends in exactly one of two ways: Granted() is called, or Abandon() returns true. It must live
  /// until then and is not touched afterwards.
  class Waiter {
   public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    virtual ~Waiter() = default;
    /// The place is yours. Called once, by the thread that made the place, which holds no lock; be
    /// quick, wake your own thread. Take() may be called from now on.
    virtual void Granted() noexcept = 0;
    /// The permit that was granted; a second time, and without a grant, it is empty.
    Permit Take();
    /// When to give up: the instant after which nobody grants any more.
    TimePoint until() const { return until_; }

   private:
    friend class Bulkhead;
    enum class State : std::uint8_t { kIdle, kQueued, kGranted, kPassedOver };
    Bulkhead* bulkhead_ = nullptr;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
    TimePoint since_{};
    TimePoint until_{};
    State state_ = State::kIdle;
  };

  explicit Bulkhead(const BulkheadOptions& options = {}, BulkheadContext context = {});
  Bulkhead(const Bulkhead&) = delete;
  Bulkhead& operator=(const Bulkhead&) = delete;

  /// Enters or is refused (`concurrency`); never waits and never overtakes one that does.
  std::expected<Permit, Rejection> TryEnter(TimePoint now);
  /// The same, but queues `waiter` when it is full: an empty permit says that it now waits, until
  /// Granted(), and no longer than waiter.until(). Refused with `queue_full`; with `concurrency`
  /// when there is no queue; with `deadline` when it would have to wait and nothing remains.
  std::expected<Permit, Rejection> Enter(Waiter& waiter, TimePoint now, Duration remaining);
  /// Stops waiting. True: it has not been granted and never will be. False: it has been, and
  /// Granted() has run or is about to; wait for it, the permit is yours to use or to drop.
  [[nodiscard]] bool Abandon(Waiter& waiter);
  /// The rejection of a waiter that gave up at its time (`queue_timeout`), in numbers.
  static Rejection TimedOut(const Waiter& waiter, TimePoint now);

  std::uint32_t in_flight() const;
  std::uint32_t waiting() const;

  /// New options at once. A limit below what is in flight lets nobody in until enough have left; a
  /// higher one lets in at once who waits.
  void Apply(const BulkheadOptions& options);

 private:
  struct Queue {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
    void Append(Waiter& waiter);
    void Remove(Waiter& waiter);
  };
  enum class Step : std::uint8_t { kEntered, kQueued, kFull };

  void Leave();
  Step EnterOrQueue(Waiter& waiter);
  void Dequeue(Queue& queue, Waiter& waiter);
  Waiter* NextLive(Queue& queue, TimePoint now);
  Waiter* AdmitWaiting(Queue& queue, TimePoint now);
  std::expected<Permit, Rejection> WouldRefuse(TimePoint now);
  void TellFull(TimePoint now);

  // in flight | waiting. `waiting` changes only under the queue's lock.
  alignas(64) std::atomic<std::uint64_t> word_{0};
  std::atomic<std::uint32_t> limit_;
  std::atomic<std::uint32_t> queue_limit_;
  std::atomic<Duration> max_wait_;
  std::atomic<Mode> mode_;
  std::atomic<bool> told_full_{false};
  alignas(64) Guarded<Queue> queue_;
  const BulkheadContext context_;
};

}  // namespace hale::policy
