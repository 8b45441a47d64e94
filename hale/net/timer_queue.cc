#include "hale/net/timer_queue.h"

#include <utility>

namespace hale::net {
namespace {

constexpr Executor::Timer Name(std::uint32_t slot, std::uint32_t generation) {
  return Executor::Timer{(static_cast<std::uint64_t>(generation) << 32) | slot};
}

}  // namespace

Executor::Timer TimerQueue::Add(TimePoint when, Executor::Work work) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.work = std::move(work);
  slot.armed = true;
  const Entry entry{.when = when, .sequence = sequence_++, .slot = index};
  heap_.push_back(entry);
  slot.position = static_cast<std::uint32_t>(heap_.size() - 1);
  Up(slot.position);
  return Name(index, slots_[index].generation);
}

void TimerQueue::Cancel(Executor::Timer timer) {
  const auto name = static_cast<std::uint64_t>(timer);
  const auto index = static_cast<std::uint32_t>(name);
  if (timer == Executor::Timer::kNone || index >= slots_.size()) return;
  const Slot& slot = slots_[index];
  if (!slot.armed || slot.generation != name >> 32) return;
  // Destroyed only now that the queue is consistent: its destructor may cancel other timers.
  const Executor::Work forgotten = Remove(slot.position);
}

std::optional<Executor::Work> TimerQueue::Take(TimePoint now, std::uint64_t mark) {
  if (heap_.empty() || heap_.front().when > now || heap_.front().sequence >= mark) {
    return std::nullopt;
  }
  return Remove(0);
}

Executor::Work TimerQueue::Remove(std::uint32_t position) {
  Slot& slot = slots_[heap_[position].slot];
  free_.push_back(heap_[position].slot);
  slot.armed = false;
  // A generation of 0 would let slot 0 be called kNone.
  if (++slot.generation == 0) slot.generation = 1;
  Executor::Work work = std::move(slot.work);
  slot.work = nullptr;

  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    Place(position, last);
    Up(position);
    Down(slots_[last.slot].position);
  }
  return work;
}

void TimerQueue::Place(std::uint32_t position, Entry entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = position;
}

void TimerQueue::Up(std::uint32_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / 2;
    if (!(entry < heap_[parent])) break;
    Place(position, heap_[parent]);
    position = parent;
  }
  Place(position, entry);
}

void TimerQueue::Down(std::uint32_t position) {
  const Entry entry = heap_[position];
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    std::uint32_t child = 2 * position + 1;
    if (child >= size) break;
    if (child + 1 < size && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    Place(position, heap_[child]);
    position = child;
  }
  Place(position, entry);
}

}  // namespace hale::net
