#include "hale/policy/admission_queue.h"

#include <algorithm>
#include <bit>

namespace hale::policy {
namespace {

/// The slot of a key; all of no key share the first.
std::uint8_t SlotOf(std::uint64_t key) {
  return static_cast<std::uint8_t>(key % AdmissionQueue::kSlots);
}

/// The first set bit at or after `from`, going round.
std::uint8_t NextBit(std::uint32_t bits, std::uint8_t from) {
  const std::uint32_t turned = std::rotr(bits, from);
  return static_cast<std::uint8_t>((from + std::countr_zero(turned)) % AdmissionQueue::kSlots);
}

}  // namespace

Rejection AdmissionQueue::Entry::Late(TimePoint now) const {
  if (late_ == Reason::kDeadline) {
    return {.reason = late_,
            .observed = Seconds(deadline_ - now),
            .threshold = Seconds(deadline_ - until_)};
  }
  return Waited(late_, now);
}

Rejection AdmissionQueue::Entry::Waited(Reason reason, TimePoint now) const {
  return {
      .reason = reason, .observed = Seconds(now - since_), .threshold = Seconds(until_ - since_)};
}

void EntryChain::Add(AdmissionQueue::Entry& entry) {
  entry.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &entry;
  last_ = &entry;
}

AdmissionQueue::Entry* EntryChain::Pop() {
  AdmissionQueue::Entry* const entry = first_;
  if (entry != nullptr) first_ = entry->next_;
  if (first_ == nullptr) last_ = nullptr;
  return entry;
}

std::expected<void, Rejection> AdmissionQueue::Waitable(const Admission& call, Duration mean_call) {
  const Duration margin = DeadlineMargin(mean_call);
  if (call.remaining > margin) return {};
  return std::unexpected(Rejection{.reason = Reason::kDeadline,
                                   .observed = Seconds(call.remaining),
                                   .threshold = Seconds(margin)});
}

/// Below twice what a call takes, a queue of one or two calls would be shed as one that stands.
Duration AdmissionQueue::Target(Duration mean_call) const {
  return std::max(options_.target, 2 * mean_call);
}

Duration AdmissionQueue::Interval(Duration mean_call) const {
  return std::max(options_.interval, Target(mean_call));
}

bool AdmissionQueue::Stands(TimePoint now, Duration mean_call) const {
  return options_.order == QueueOrder::kCodel && size_ > 0 && now - filled_ > Interval(mean_call);
}

Duration AdmissionQueue::Patience(TimePoint now, Duration mean_call) const {
  if (options_.order == QueueOrder::kFifo) return options_.max_wait;
  const bool stands = Stands(now, mean_call);
  return std::min(options_.max_wait, stands ? Target(mean_call) : Interval(mean_call));
}

void AdmissionQueue::Push(Entry& entry, const Admission& call, TimePoint now, Duration mean_call) {
  const bool stands = Stands(now, mean_call);
  const Duration wait = LongestWait(Patience(now, mean_call), call.remaining);
  const Duration useful = call.remaining - DeadlineMargin(mean_call);
  entry.until_ = SaturatingAdd(now, std::min(wait, useful));
  entry.deadline_ = SaturatingAdd(now, call.remaining);
  entry.late_ = stands ? Reason::kShed : Reason::kQueueTimeout;
  if (useful < wait) entry.late_ = Reason::kDeadline;
  Insert(entry, call, now);
}

void AdmissionQueue::PushBack(Entry& entry, const Admission& call, TimePoint since,
                              TimePoint until) {
  entry.until_ = until;
  entry.deadline_ = SaturatingAdd(since, call.remaining);
  entry.late_ = Reason::kQueueTimeout;
  Insert(entry, call, since);
  LevelOf(entry.priority_).turn = entry.slot_;
}

/// Among those of its slot by the time at which it came, which for most is the last place.
void AdmissionQueue::Insert(Entry& entry, const Admission& call, TimePoint since) {
  entry.since_ = since;
  entry.priority_ = call.priority;
  entry.slot_ = SlotOf(call.key);
  if (size_++ == 0) filled_ = since;
  Level& level = LevelOf(entry.priority_);
  Slot& slot = level.slots[entry.slot_];
  Entry* before = slot.last;
  while (before != nullptr && before->since_ > since) before = before->previous_;
  Entry* const after = before != nullptr ? before->next_ : slot.first;
  entry.previous_ = before;
  entry.next_ = after;
  (before != nullptr ? before->next_ : slot.first) = &entry;
  (after != nullptr ? after->previous_ : slot.last) = &entry;
  ++slot.size;
  level.occupied |= 1U << entry.slot_;
}

void AdmissionQueue::Remove(Entry& entry) {
  Level& level = LevelOf(entry.priority_);
  Slot& slot = level.slots[entry.slot_];
  (entry.previous_ != nullptr ? entry.previous_->next_ : slot.first) = entry.next_;
  (entry.next_ != nullptr ? entry.next_->previous_ : slot.last) = entry.previous_;
  --size_;
  if (--slot.size == 0) level.occupied &= ~(1U << entry.slot_);
}

Priority AdmissionQueue::highest() const {
  const auto* const at = std::ranges::find_if(levels_, [](const Level& l) { return l.occupied; });
  return static_cast<Priority>(at - levels_.begin());
}

Priority AdmissionQueue::lowest() const {
  std::size_t at = kPriorities - 1;
  while (at > 0 && levels_[at].occupied == 0) --at;
  return static_cast<Priority>(at);
}

AdmissionQueue::Entry* AdmissionQueue::Pop(TimePoint now, Duration mean_call, EntryChain& dropped) {
  while (size_ > 0) {
    const bool stands = Stands(now, mean_call);
    Level& level = LevelOf(highest());
    const std::uint8_t at = NextBit(level.occupied, level.turn);
    Slot& slot = level.slots[at];
    Entry& entry = stands ? *slot.last : *slot.first;
    Remove(entry);
    if (!Drops(entry, now, mean_call, stands)) {
      // Who is dropped has not had its key's turn.
      level.turn = static_cast<std::uint8_t>((at + 1) % kSlots);
      return &entry;
    }
    dropped.Add(entry);
  }
  return nullptr;
}

/// Says why, if so. The mean may have grown since the entry was given its time.
bool AdmissionQueue::Drops(Entry& entry, TimePoint now, Duration mean_call, bool stands) const {
  const Duration margin = DeadlineMargin(mean_call);
  if (now >= entry.until_) {
    entry.dropped_ = entry.Late(now);
  } else if (entry.deadline_ - now < margin) {
    entry.dropped_ = {.reason = Reason::kDeadline,
                      .observed = Seconds(entry.deadline_ - now),
                      .threshold = Seconds(margin)};
  } else if (stands && now - entry.since_ > Target(mean_call)) {
    entry.dropped_ = {.reason = Reason::kShed,
                      .observed = Seconds(now - entry.since_),
                      .threshold = Seconds(Target(mean_call))};
  } else {
    return false;
  }
  return true;
}

AdmissionQueue::Entry* AdmissionQueue::MakePlaceFor(const Admission& call, TimePoint now) {
  if (size_ == 0) return nullptr;
  const Priority worst = lowest();
  if (worst > call.priority) return MakePlace(now);
  if (worst < call.priority) return nullptr;
  Level& level = LevelOf(worst);
  const std::uint32_t longest = std::ranges::max_element(level.slots, {}, &Slot::size)->size;
  if (longest <= level.slots[SlotOf(call.key)].size + 1) return nullptr;
  return Shed(level, now);
}

AdmissionQueue::Entry* AdmissionQueue::MakePlace(TimePoint now) {
  return size_ == 0 ? nullptr : Shed(LevelOf(lowest()), now);
}

/// Of the longest slot the last that came: those before it keep what they have waited for.
AdmissionQueue::Entry* AdmissionQueue::Shed(Level& level, TimePoint now) {
  Entry& entry = *std::ranges::max_element(level.slots, {}, &Slot::size)->last;
  Remove(entry);
  entry.dropped_ = entry.Waited(Reason::kShed, now);
  return &entry;
}

}  // namespace hale::policy
