#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/base/clock.h"
#include "hale/base/event.h"
#include "hale/base/guarded.h"
#include "hale/base/outcome.h"
#include "hale/base/time.h"
#include "hale/policy/admission_queue.h"
#include "hale/policy/bulkhead_options.h"
#include "hale/policy/partitions.h"
#include "hale/policy/service_time.h"

namespace hale::policy {

/// What surrounds a bulkhead. The references outlive it.
struct BulkheadContext {
  std::string service;  ///< for events
  EventSink& events = NullSink();
  const Clock& clock = RealClock();
};

/// Bounds the calls in flight to one service, so that a slow one cannot take all there is
/// (M. Nygard, "Release It!", 2nd ed., 2018, ch. 5), with one bounded AdmissionQueue before it, and
/// may promise shares of both to some of the calls (Partitions). Exact over all threads: entering
/// and leaving without a queue is one compare-and-swap; only who waits, and who makes place for one
/// that waits, takes the lock. With partitions all do: several counts decide together.
/// Who has a place and finds that it is of no use yet, since no instance takes another call, gives
/// it back and waits in the same queue, in the order in which it came (WaitAgain).
/// Counts in every mode, so that a change of mode finds the truth. Outlives its permits.
/// Thread-safe.
class Bulkhead {
 public:
  /// A place; given back by the destructor.
  class [[nodiscard]] Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept
        : bulkhead_(std::exchange(other.bulkhead_, nullptr)), partition_(other.partition_) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(bulkhead_, other.bulkhead_);
      std::swap(partition_, other.partition_);
      return *this;
    }
    ~Permit() { Release(); }
    void Release() {
      if (Bulkhead* bulkhead = std::exchange(bulkhead_, nullptr)) bulkhead->Leave(partition_);
    }
    explicit operator bool() const { return bulkhead_ != nullptr; }

   private:
    friend class Bulkhead;
    Permit(Bulkhead& bulkhead, Partitions::Index partition)
        : bulkhead_(&bulkhead), partition_(partition) {}
    Bulkhead* bulkhead_ = nullptr;
    Partitions::Index partition_ = Partitions::kOthers;
  };

  /// One call that waits; it lives in the caller, so queueing allocates nothing. Once queued it
  /// ends in exactly one of two ways: Wake() is called, or Abandon() returns true. It must live
  /// until then and is not touched afterwards.
  class Waiter : private Partitions::Entry {
   public:
    Waiter() = default;
    virtual ~Waiter() = default;
    /// You wait no more: Take() says whether you have a place. Called once, by the thread that
    /// decided it, which holds no lock; be quick, wake your own thread.
    virtual void Wake() noexcept = 0;
    /// The place that was granted, or why there is none: `shed` for one that counts more or since
    /// the queue stands, `deadline` when too little remains, `queue_timeout`. A second time, and
    /// before Wake(), it is empty.
    std::expected<Permit, Rejection> Take();
    /// When to give up: the instant after which nobody grants any more.
    using Partitions::Entry::until;
    /// The rejection of one that gives up then (`queue_timeout`, `deadline`, `shed`), in numbers.
    using Partitions::Entry::Late;

   private:
    friend class Bulkhead;
    enum class State : std::uint8_t { kIdle, kQueued, kGranted, kDropped };
    Bulkhead* bulkhead_ = nullptr;
    State state_ = State::kIdle;
  };

  /// From when to when a call may wait, and what it saw before it decided to.
  struct Patience {
    TimePoint since{};
    TimePoint until{};
    std::uint32_t leaves = 0;
  };

  explicit Bulkhead(const BulkheadOptions& options = {}, BulkheadContext context = {});
  Bulkhead(const Bulkhead&) = delete;
  Bulkhead& operator=(const Bulkhead&) = delete;

  /// Enters or is refused (`concurrency`); never waits and never overtakes one that does. A refusal
  /// that shadow holds back is told the call's `trail`.
  std::expected<Permit, Rejection> TryEnter(TimePoint now, std::string_view partition = {},
                                            EventSink* trail = nullptr);
  /// The same, but queues `waiter` when it is full: an empty permit says that it now waits, until
  /// Wake(), and no longer than waiter.until(). Refused with `queue_full`; with `concurrency` when
  /// there is no queue; with `deadline` when it would have to wait and too little remains.
  std::expected<Permit, Rejection> Enter(Waiter& waiter, const Admission& call, TimePoint now);
  /// What grows whenever somebody leaves; wraps. Read before looking for what a place is needed
  /// for.
  std::uint32_t leaves() const {
    // Acquire: what was given back before the leave is seen by who has seen the leave.
    return static_cast<std::uint32_t>(word_.load(std::memory_order_acquire) / kOneLeft);
  }
  /// Gives `place` back and queues `waiter`, which came at `since` and waits until `until`, before
  /// those that came later. An empty permit: it now waits, as after Enter. The place itself:
  /// somebody has left since `leaves` was read, so look once more. Refused with `concurrency` when
  /// there is no queue or no time to wait in it, `queue_full` when it is full, `queue_timeout` when
  /// `until` has come.
  std::expected<Permit, Rejection> WaitAgain(Permit place, Waiter& waiter, const Admission& call,
                                             const Patience& patience, TimePoint now);
  /// Gives a place, if one is free, to the first that waits: there may be an instance for it
  /// although nobody has left.
  void LetOneTry(TimePoint now);
  /// The longest that a call may wait which begins to now, having read `leaves` before it looked.
  Patience PatienceFrom(TimePoint now, Duration remaining, std::uint32_t leaves) const;
  /// Stops waiting. True: it has not been woken and never will be. False: it has been, or is about
  /// to; wait for Wake(), and use or drop what Take() gives.
  [[nodiscard]] bool Abandon(Waiter& waiter);

  /// A call took so long, from its place to its answer.
  void Served(Duration took) { service_time_.Record(took); }
  /// What calls take on average; zero before the first.
  Duration mean_call() const { return service_time_.mean(); }

  std::uint32_t in_flight() const;
  std::uint32_t waiting() const;
  /// Whether who waits is served last in, first out, since the queue has not been empty for long.
  bool Stands(TimePoint now) const;
  /// The first one is those that have no share.
  std::vector<Partitions::Status> partitions() const;

  /// New options at once. A limit below what is in flight lets nobody in until enough have left; a
  /// higher one lets in at once who waits. Who waits keeps the time it was given.
  void Apply(const BulkheadOptions& options);
  /// Another limit, and nothing else: for one that is found by measuring. Partitions keep their
  /// shares of it.
  void SetLimit(std::uint32_t limit);
  Mode mode() const { return mode_.load(std::memory_order_relaxed); }

 private:
  /// Those that no longer wait, to be told when the lock is released.
  struct Ended {
    EntryChain granted;
    EntryChain dropped;
  };
  enum class Step : std::uint8_t { kEntered, kQueued, kFull };

  static Waiter& WaiterOf(AdmissionQueue::Entry& entry);
  static void Wake(const EntryChain& chain);
  static void Wake(const Ended& ended);
  void Leave(Partitions::Index partition);
  std::expected<Permit, Rejection> TryEnterDivided(TimePoint now, std::string_view partition,
                                                   EventSink* trail);
  bool IsHopeless(const Admission& call) const;
  Step EnterOrQueue(Waiter& waiter, const Admission& call, TimePoint now, Ended& ended);
  bool WaitOrLookAgain(Permit& place, Waiter& waiter, const Admission& call,
                       const Patience& patience);
  Partitions::Entry* PopNext(Partitions& room, TimePoint now, Ended& ended, bool any);
  void GiveSpare(Partitions& room, TimePoint now, Ended& ended);
  void AdmitWaiting(Partitions& room, TimePoint now, Ended& ended);
  void NoLongerWaiting(std::uint32_t count);
  void NotePushed(const Admission& call);
  Permit EnterAnyway(TimePoint now, Partitions::Index partition, EventSink* trail);
  void TellFull(TimePoint now);
  std::uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }
  std::uint32_t queue_limit() const { return queue_limit_.load(std::memory_order_relaxed); }

  // 20 bits of leaves, 24 in flight (off and shadow know no limit), 20 waiting (at most 10^6).
  // `waiting` changes only under the lock.
  static constexpr std::uint64_t kOneWaiting = 1;
  static constexpr std::uint64_t kOneInFlight = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kOneLeft = std::uint64_t{1} << 44;
  /// The word, taken apart.
  struct Count {
    std::uint32_t leaves = 0;  // wraps
    std::uint32_t in_flight = 0;
    std::uint32_t waiting = 0;
  };
  static Count Unpack(std::uint64_t word) {
    return {.leaves = static_cast<std::uint32_t>(word / kOneLeft),
            .in_flight = static_cast<std::uint32_t>(word % kOneLeft / kOneInFlight),
            .waiting = static_cast<std::uint32_t>(word % kOneInFlight)};
  }
  /// Who waits goes first: with a queue there is no place even when one is free for a moment.
  static bool HasPlace(Count count, std::uint32_t limit) {
    return count.in_flight < limit && count.waiting == 0;
  }

  alignas(64) std::atomic<std::uint64_t> word_{0};
  ServiceTime service_time_;  // on the line that each call writes anyway
  std::atomic<std::uint32_t> limit_;
  std::atomic<std::uint32_t> queue_limit_;
  std::atomic<Duration> max_wait_;
  std::atomic<Mode> mode_;
  std::atomic<bool> divided_;
  std::atomic<bool> told_full_{false};
  // What is known of a full queue without its lock: the lowest priority that may be in it, and
  // whether some of its calls have keys.
  std::atomic<Priority> lowest_waiting_{Priority::kCriticalPlus};
  std::atomic<bool> keyed_{false};
  alignas(64) Guarded<Partitions> room_;
  const BulkheadContext context_;
};

}  // namespace hale::policy
