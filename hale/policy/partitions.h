#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/field_value.h"
#include "hale/policy/admission_queue.h"

namespace hale::policy {

/// Shares of a bulkhead's places, and of its queue, that are promised to some of its calls.
struct PartitionsOptions {
  std::string by = {};                        ///< see ParsePartitionKey; empty: no partitions
  std::map<std::string, double> shares = {};  ///< (0, 1] of a value; `*`: of all others together
  double lend = 0.5;                          ///< [0, 1] of an unused share: what others may have

  friend bool operator==(const PartitionsOptions&, const PartitionsOptions&) = default;
};

constexpr auto Fields(Type<PartitionsOptions>) {
  using O = PartitionsOptions;
  return std::tuple{
      Field{"by", &O::by, "header:NAME, priority or route; empty: no partitions"},
      Field{"shares", &O::shares,
            "what each value is promised of the limit and the queue, such as "
            "30%; *: all others together; at most 16, 100% in all"},
      Field{"lend", &O::lend, 0.0, 1.0, "of an unused share, what others may use meanwhile"}};
}

/// What puts a call into a partition.
struct PartitionKey {
  enum class Kind : std::uint8_t { kNone, kPriority, kRoute, kHeader, kCall };
  Kind kind = Kind::kNone;
  std::string_view header = {};  ///< in any case; a part of what was parsed
};

/// Reads ``, `priority`, `route`, `header:x-tenant`, or `call`: in a program each call says its
/// partition itself. Pure.
constexpr std::optional<PartitionKey> ParsePartitionKey(std::string_view by) {
  constexpr std::string_view kHeader = "header:";
  using Kind = PartitionKey::Kind;
  if (by.empty()) return PartitionKey{};
  if (by == "priority") return PartitionKey{Kind::kPriority, {}};
  if (by == "route") return PartitionKey{Kind::kRoute, {}};
  if (by == "call") return PartitionKey{Kind::kCall, {}};
  if (!by.starts_with(kHeader) || by.size() == kHeader.size()) return std::nullopt;
  return PartitionKey{Kind::kHeader, by.substr(kHeader.size())};
}

/// What is wrong with the shares; the path is the name of one of them, or empty. Pure.
std::vector<Remark> CheckShares(const PartitionsOptions& options);

/// Who has a place and who waits for one, divided into partitions. A partition may use what is
/// spare: what is promised to nobody, and of the unused shares of others the part that they lend.
/// What is not lent is kept free for it; what is lent comes back first: a place that becomes free
/// goes to who is furthest below its share, and only then by priority. Of the queue it has the same
/// share. The limit as a whole is never exceeded. Without shares it is one AdmissionQueue. (After
/// Netflix concurrency-limits' partitions, which exceed the limit instead of lending, and
/// Kubernetes' API Priority and Fairness, KEP-1040.) Pure. Not thread-safe.
class Partitions {
 public:
  using Index = std::uint8_t;
  static constexpr Index kOthers = 0;       ///< who has no share; always there
  static constexpr std::size_t kMost = 16;  ///< shares

  /// One that waits; it knows its partition.
  class Entry : public AdmissionQueue::Entry {
   public:
    Index partition() const { return partition_; }

   private:
    friend class Partitions;
    Index partition_ = kOthers;
  };

  /// All places, and how many of them are taken.
  struct Places {
    std::uint32_t in_flight = 0;
    std::uint32_t limit = 0;
  };

  struct Status {
    std::string name;  ///< empty: who has no share
    std::uint32_t guaranteed = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t waiting = 0;
  };

  Partitions(const AdmissionQueueOptions& queue, const PartitionsOptions& options,
             std::uint32_t limit);

  /// The partition of a value.
  Index Find(std::string_view name) const;
  /// Whether one that comes now gets a place: there is one for it, and none of its own waits.
  bool MayEnter(Index who, Places places) const;
  void Entered(Index who);
  /// The same for one that would have waited: it knows its partition from now on.
  void Entered(Entry& entry, Index who);
  void Left(Index who);

  enum class Queued : std::uint8_t { kYes, kFull };
  /// Queues a call, and puts into `dropped` who had to make place for it.
  Queued Push(Entry& entry, Index who, const Admission& call, TimePoint now, Duration mean_call,
              EntryChain& dropped);
  /// Queues again one that was admitted in vain. See AdmissionQueue::PushBack.
  void PushBack(Entry& entry, Index who, const Admission& call, TimePoint since, TimePoint until);
  /// Takes out who gets the next place, and counts it as entered; null when there is none for whom
  /// waits. Those that nothing admits any more go into `dropped`.
  Entry* Pop(Places places, TimePoint now, Duration mean_call, EntryChain& dropped);
  /// The same whatever the places: when nobody is refused any more.
  Entry* PopAny(TimePoint now, Duration mean_call, EntryChain& dropped);
  void Remove(Entry& entry);

  std::uint32_t waiting() const { return waiting_; }
  bool divided() const { return slots_.size() > 1; }
  bool Stands(TimePoint now, Duration mean_call) const;
  /// A call of this priority and no key would find nobody to make place for it in a full queue.
  Priority lowest_waiting() const;
  std::vector<Status> statuses(std::uint32_t in_flight) const;

  /// New shares and bounds. Who waits and who is in stay what they are, also in a partition that is
  /// gone.
  void Apply(const AdmissionQueueOptions& queue, const PartitionsOptions& options,
             std::uint32_t limit);
  /// The same shares of another number of places.
  void Resize(std::uint32_t limit);

 private:
  struct Slot {
    explicit Slot(const AdmissionQueueOptions& options) : queue(options) {}
    std::string name;
    double share = 0;
    std::uint32_t guaranteed = 0;  // places, lent or not
    std::uint32_t kept = 0;        // of them, those that are not lent
    std::uint32_t in_flight = 0;   // not counted for kOthers
    AdmissionQueue queue;
    bool idle() const { return share <= 0 && in_flight == 0 && queue.size() == 0; }
  };

  bool HasPlace(Index who, Places places) const;
  std::optional<Index> NextWithPlace(Places places);
  Entry* PopFrom(Index who, TimePoint now, Duration mean_call, EntryChain& dropped);
  AdmissionQueue::Entry* MakePlace(Index who, const Admission& call, TimePoint now);
  std::uint32_t QuotaOf(Index who) const;
  Slot* SlotFor(const std::string& name);

  AdmissionQueueOptions queue_options_;
  std::vector<std::unique_ptr<Slot>> slots_;
  double lend_ = 0;
  std::uint32_t held_ = 0;  // kept places that are free
  std::uint32_t waiting_ = 0;
  Index turn_ = 0;  // who goes first among those that are equal
};

}  // namespace hale::policy
