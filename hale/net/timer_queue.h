#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hale/base/executor.h"

namespace hale::net {

/// Pending timers in the order they fall due, those of one instant in the order they were armed: a
/// binary heap of slots, so that arming and cancelling cost O(log n) and no allocation once it has
/// grown. Not thread-safe.
class TimerQueue {
 public:
  Executor::Timer Add(TimePoint when, Executor::Work work);
  /// Destroys the work of a timer that has not been taken; ignores any other.
  void Cancel(Executor::Timer timer);
  /// When the first falls due; kNever when there is none.
  TimePoint next() const { return heap_.empty() ? kNever : heap_.front().when; }
  /// Takes the first whose instant is at or before `now` and that was armed before `mark`.
  std::optional<Executor::Work> Take(TimePoint now, std::uint64_t mark);
  /// What Take's mark must be to exclude whatever is armed from here on.
  std::uint64_t mark() const { return sequence_; }
  std::size_t size() const { return heap_.size(); }
  bool empty() const { return heap_.empty(); }

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t sequence;
    std::uint32_t slot;
    bool operator<(const Entry& other) const {
      return when != other.when ? when < other.when : sequence < other.sequence;
    }
  };
  struct Slot {
    Executor::Work work;
    std::uint32_t position = 0;    ///< in the heap
    std::uint32_t generation = 1;  ///< told apart from earlier users of the slot
    bool armed = false;
  };

  void Place(std::uint32_t position, Entry entry);
  void Up(std::uint32_t position);
  void Down(std::uint32_t position);
  Executor::Work Remove(std::uint32_t position);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t sequence_ = 0;
};

}  // namespace hale::net
