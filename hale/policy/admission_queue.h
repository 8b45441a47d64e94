#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <tuple>

#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/outcome.h"
#include "hale/base/time.h"
#include "hale/policy/priority.h"

namespace hale::policy {

/// Who of one priority and key goes first.
enum class QueueOrder : std::uint8_t {
  kFifo,   ///< who came first
  kCodel,  ///< the same, until the queue has stood for an interval: then who came last
};

constexpr auto Names(Type<QueueOrder>) {
  return std::array{Name<QueueOrder>{"fifo", QueueOrder::kFifo},
                    Name<QueueOrder>{"codel", QueueOrder::kCodel}};
}

struct AdmissionQueueOptions {
  std::uint32_t size = 1024;  ///< calls that may wait; 0: none
  Duration max_wait = 200ms;  ///< and no longer than this, or half of their remaining deadline
  QueueOrder order = QueueOrder::kFifo;
  Duration target = 5ms;      ///< longest wait in a queue that stands; at least twice the mean call
  Duration interval = 100ms;  ///< it stands when it was not empty for this long

  friend bool operator==(const AdmissionQueueOptions&, const AdmissionQueueOptions&) = default;
};

/// How long a call with so much left until its deadline may wait for a place: half of it at most,
/// since a queue whose wait stays below the callers' timeout cannot hold a system down. Pure.
constexpr Duration LongestWait(Duration max_wait, Duration remaining) {
  const Duration half = remaining / 2;
  return half < max_wait ? half : max_wait;
}

/// What a call must have left when it leaves the queue: half as much again as a call takes. To drop
/// only what has expired is not enough: first in, first out then serves those about to expire.
/// Pure.
constexpr Duration DeadlineMargin(Duration mean_call) { return mean_call + mean_call / 2; }

/// What the queue has to know of a call.
struct Admission {
  Duration remaining = kForever;  ///< until its deadline
  Priority priority = Priority::kCritical;
  std::uint64_t key = 0;  ///< a hash of whom it is for; those of one key take turns as one
  std::string_view partition = {};  ///< whose share it uses; see PartitionsOptions::by
  EventSink* trail = nullptr;       ///< its own, see TrailOr
};

/// The order and the dropping of calls that wait for a place. It is bounded in number and in time;
/// higher priorities go first, and lower ones make place for them when it is full; within a
/// priority the keys take turns (P. McKenney, "Stochastic Fairness Queueing", 1990: 32 slots, keys
/// that meet in one share its turns, and who is in the longest slot makes place). With kCodel, when
/// the queue has not been empty for an interval, nobody waits longer than the target, and the last
/// goes first (B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015, after RFC 8289).
/// Intrusive: entries live in who waits; nothing is allocated, each step but a drop from a full
/// queue is O(1). Pure: it is handed the time. Not thread-safe.
class AdmissionQueue {
 public:
  static constexpr std::size_t kSlots = 32;

  /// One that waits. In at most one queue at a time.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    TimePoint since() const { return since_; }
    /// The instant from which nothing admits it any more.
    TimePoint until() const { return until_; }
    Priority priority() const { return priority_; }
    /// What it is told when it is not admitted, in numbers.
    Rejection Late(TimePoint now) const;
    Rejection Dropped() const { return dropped_; }
    /// The next one of a chain.
    Entry* next() const { return next_; }

   private:
    friend class AdmissionQueue;
    friend class EntryChain;
    Rejection Waited(Reason reason, TimePoint now) const;
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
    TimePoint since_{};
    TimePoint until_{};
    TimePoint deadline_{};
    Rejection dropped_{};
    Reason late_ = Reason::kQueueTimeout;
    Priority priority_ = Priority::kCritical;
    std::uint8_t slot_ = 0;
  };

  explicit AdmissionQueue(const AdmissionQueueOptions& options = {}) : options_(options) {}
  AdmissionQueue(const AdmissionQueue&) = delete;
  AdmissionQueue& operator=(const AdmissionQueue&) = delete;

  /// Whether a call that would have to wait is better refused at once: `deadline`. Pure.
  static std::expected<void, Rejection> Waitable(const Admission& call, Duration mean_call);

  /// Queues it, whether or not it is full. The call is Waitable.
  void Push(Entry& entry, const Admission& call, TimePoint now, Duration mean_call);
  /// Queues again one that was admitted in vain, with the times that it had, before those that came
  /// later; its key goes next.
  void PushBack(Entry& entry, const Admission& call, TimePoint since, TimePoint until);
  /// Of a full queue: takes out, as `shed`, who has less of a claim than `call`: the lowest
  /// priority below its own, or else the longest slot of its own that is longer than its slot will
  /// be. Null: nobody has.
  Entry* MakePlaceFor(const Admission& call, TimePoint now);
  /// Takes out who has the least claim, as `shed`; null when it is empty.
  Entry* MakePlace(TimePoint now);
  /// Takes out who goes next. Those that nothing admits any more are put into `dropped` on the way.
  Entry* Pop(TimePoint now, Duration mean_call, class EntryChain& dropped);
  /// Takes out one that is in.
  void Remove(Entry& entry);

  std::uint32_t size() const { return size_; }
  /// The highest and the lowest priority that waits; only when it is not empty.
  Priority highest() const;
  Priority lowest() const;
  bool Stands(TimePoint now, Duration mean_call) const;
  /// The longest wait of who comes now, its own deadline aside.
  Duration Patience(TimePoint now, Duration mean_call) const;

  /// Those that wait stay, with the time that they were given.
  void Apply(const AdmissionQueueOptions& options) { options_ = options; }

 private:
  struct Slot {
    Entry* first = nullptr;
    Entry* last = nullptr;
    std::uint32_t size = 0;
  };
  struct Level {
    std::array<Slot, kSlots> slots{};
    std::uint32_t occupied = 0;  // a bit for each slot that is not empty
    std::uint8_t turn = 0;       // the slot that goes first
  };

  Level& LevelOf(Priority priority) { return levels_[static_cast<std::size_t>(priority)]; }
  Duration Target(Duration mean_call) const;
  Duration Interval(Duration mean_call) const;
  void Insert(Entry& entry, const Admission& call, TimePoint since);
  Entry* Shed(Level& level, TimePoint now);
  bool Drops(Entry& entry, TimePoint now, Duration mean_call, bool stands) const;

  std::array<Level, kPriorities> levels_{};
  AdmissionQueueOptions options_;
  TimePoint filled_{};  // when the first of those that wait came
  std::uint32_t size_ = 0;
};

/// Entries that have left the queue, in the order in which they did.
class EntryChain {
 public:
  void Add(AdmissionQueue::Entry& entry);
  AdmissionQueue::Entry* first() const { return first_; }
  /// Takes the first one out; null when there is none.
  AdmissionQueue::Entry* Pop();

 private:
  AdmissionQueue::Entry* first_ = nullptr;
  AdmissionQueue::Entry* last_ = nullptr;
};

}  // namespace hale::policy
