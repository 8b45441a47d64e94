#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "hale/policy/admission_queue.h"
#include "hale/policy/fuzz_input.h"

// Any sequence of (time, call, departure) leads the queue and a model that keeps a list of all that
// wait and looks through it each time to the same decisions.

namespace hale::policy {
namespace {

struct Waiting {
  AdmissionQueue::Entry* entry;
  Admission call;
  TimePoint since;
  TimePoint until;

  std::uint64_t slot() const { return call.key % AdmissionQueue::kSlots; }
};

/// What the documentation says, without any thrift.
class Model {
 public:
  AdmissionQueueOptions options;

  bool Stands(TimePoint now, Duration mean) const {
    return options.order == QueueOrder::kCodel && !waiting.empty() && now - filled > Lax(mean);
  }
  TimePoint Until(const Admission& call, TimePoint now, Duration mean) const {
    Duration wait = options.max_wait;
    if (options.order == QueueOrder::kCodel) {
      wait = std::min(wait, Stands(now, mean) ? Target(mean) : Lax(mean));
    }
    wait = std::min({wait, call.remaining / 2, call.remaining - mean * 3 / 2});
    return SaturatingAdd(now, wait);
  }
  void Push(const Waiting& one) {
    if (waiting.empty()) filled = one.since;
    const auto later = std::ranges::find_if(
        waiting, [&](const Waiting& w) { return SameSlot(w, one) && w.since > one.since; });
    waiting.insert(later, one);
  }
  /// Who goes next, and whether it is admitted.
  Waiting TakeNext(TimePoint now, Duration mean, bool& admitted) {
    const Priority level = std::ranges::min(waiting, {}, [](const Waiting& w) {
                             return w.call.priority;
                           }).call.priority;
    std::uint64_t& turn = turns[static_cast<std::size_t>(level)];
    std::size_t best = waiting.size();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].call.priority != level) continue;
      if (best == waiting.size() || Behind(waiting[i], turn) < Behind(waiting[best], turn) ||
          (Stands(now, mean) && waiting[i].slot() == waiting[best].slot())) {
        best = i;
      }
    }
    const Waiting next = waiting[best];
    const TimePoint deadline = SaturatingAdd(next.since, next.call.remaining);
    const bool enough = deadline == kNever || deadline - now >= mean * 3 / 2;
    const bool fresh = !Stands(now, mean) || now - next.since <= Target(mean);
    admitted = now < next.until && enough && fresh;
    if (admitted) turn = next.slot() + 1;
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(best));
    return next;
  }
  AdmissionQueue::Entry* Victim(const Admission& call) const {
    std::optional<Waiting> victim;
    for (const Waiting& one : waiting) {
      if (!victim || one.call.priority > victim->call.priority ||
          (one.call.priority == victim->call.priority && Count(one) > Count(*victim)) ||
          (one.call.priority == victim->call.priority && Count(one) == Count(*victim) &&
           one.slot() <= victim->slot())) {
        victim = one;
      }
    }
    if (!victim || victim->call.priority < call.priority) return nullptr;
    const Waiting mine{nullptr, call, {}, {}};
    if (victim->call.priority == call.priority && Count(*victim) <= Count(mine) + 1) return nullptr;
    return victim->entry;
  }
  void Remove(const AdmissionQueue::Entry* entry) {
    std::erase_if(waiting, [&](const Waiting& w) { return w.entry == entry; });
  }
  void PassTurnTo(const Waiting& one) {
    turns[static_cast<std::size_t>(one.call.priority)] = one.slot();
  }

  std::vector<Waiting> waiting;

 private:
  static bool SameSlot(const Waiting& a, const Waiting& b) {
    return a.call.priority == b.call.priority && a.slot() == b.slot();
  }
  static std::uint64_t Behind(const Waiting& one, std::uint64_t turn) {
    return (one.slot() + AdmissionQueue::kSlots - turn % AdmissionQueue::kSlots) %
           AdmissionQueue::kSlots;
  }
  std::int64_t Count(const Waiting& like) const {
    return std::ranges::count_if(waiting, [&](const Waiting& w) { return SameSlot(w, like); });
  }
  Duration Target(Duration mean) const { return std::max(options.target, 2 * mean); }
  Duration Lax(Duration mean) const { return std::max(options.interval, Target(mean)); }

  TimePoint filled{};
  std::array<std::uint64_t, kPriorities> turns{};
};

class Pair {
 public:
  void Apply(const AdmissionQueueOptions& options) {
    model_.options = options;
    queue_.Apply(options);
  }
  void Push(const Admission& call, TimePoint now, Duration mean) {
    const bool waitable = call.remaining > mean * 3 / 2;
    Require(AdmissionQueue::Waitable(call, mean).has_value() == waitable);
    if (!waitable) return;
    auto& entry = entries_.emplace_back();
    const TimePoint until = model_.Until(call, now, mean);
    queue_.Push(entry, call, now, mean);
    Require(entry.until() == until);
    model_.Push({&entry, call, now, until});
  }
  void Pop(TimePoint now, Duration mean) {
    EntryChain dropped;
    AdmissionQueue::Entry* const got = queue_.Pop(now, mean, dropped);
    AdmissionQueue::Entry* at = dropped.first();
    while (!model_.waiting.empty()) {
      bool admitted = false;
      const Waiting next = model_.TakeNext(now, mean, admitted);
      Require(next.entry == (admitted ? got : at));
      if (admitted) {
        Require(at == nullptr);
        last_ = next;
        return;
      }
      Require(at->Dropped().reason != Reason::kNone);
      at = at->next();
    }
    Require(got == nullptr && at == nullptr);
  }
  void PushLastBack() {
    if (!last_) return;
    queue_.PushBack(*last_->entry, last_->call, last_->since, last_->until);
    model_.Push(*last_);
    model_.PassTurnTo(*last_);
    last_.reset();
  }
  void MakePlaceFor(const Admission& call, TimePoint now) {
    AdmissionQueue::Entry* const expected = model_.Victim(call);
    // Of a slot the last one goes.
    const auto* const got = queue_.MakePlaceFor(call, now);
    Require(got == expected);
    if (got != nullptr) model_.Remove(got);
  }
  void Remove(std::size_t which) {
    if (model_.waiting.empty()) return;
    auto* const entry = model_.waiting[which % model_.waiting.size()].entry;
    queue_.Remove(*entry);
    model_.Remove(entry);
  }
  void Compare(TimePoint now, Duration mean) const {
    Require(queue_.size() == model_.waiting.size());
    Require(queue_.Stands(now, mean) == model_.Stands(now, mean));
  }

 private:
  std::deque<AdmissionQueue::Entry> entries_;
  AdmissionQueue queue_;
  Model model_;
  std::optional<Waiting> last_;
};

Admission PickCall(Input& input) {
  const std::uint8_t bits = input.Byte();
  return {.remaining = input.Pick(std::array{Duration(kForever), Duration(2s), Duration(300ms),
                                             Duration(30ms), Duration(0s), Duration(-1s)}),
          .priority = static_cast<Priority>(bits % 4),
          .key = bits / 4U % 8U * (bits > 200 ? 31U : 1U)};
}

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  Input input(data, std::min<std::size_t>(size, 600));
  Pair pair;
  TimePoint now(1h);
  Duration mean{0};
  while (!input.empty()) {
    const std::uint8_t op = input.Byte();
    if (op < 90) {
      pair.Push(PickCall(input), now, mean);
    } else if (op < 150) {
      pair.Pop(now, mean);
    } else if (op < 165) {
      pair.PushLastBack();
    } else if (op < 185) {
      pair.MakePlaceFor(PickCall(input), now);
    } else if (op < 200) {
      pair.Remove(input.Byte());
    } else if (op < 235) {
      now += input.Pick(std::array{Duration(1ns), Duration(1ms), Duration(5ms), Duration(20ms),
                                   Duration(100ms), Duration(200ms), Duration(1h)});
    } else if (op < 245) {
      mean = input.Pick(std::array{Duration(0s), Duration(2ms), Duration(40ms), Duration(80ms)});
    } else {
      pair.Apply({.max_wait = input.Pick(std::array{Duration(0ms), Duration(200ms), Duration(2s)}),
                  .order = op % 2 == 0 ? QueueOrder::kFifo : QueueOrder::kCodel,
                  .target = input.Pick(std::array{Duration(5ms), Duration(50ms), Duration(300ms)}),
                  .interval = input.Pick(std::array{Duration(10ms), Duration(100ms)})});
    }
    pair.Compare(now, mean);
  }
  return 0;
}
