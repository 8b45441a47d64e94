#include "hale/policy/partitions.h"

#include <algorithm>

#include "hale/base/quantity.h"

namespace hale::policy {
namespace {

/// Removed partitions keep their slot until their last call has left.
constexpr std::size_t kMostSlots = 1 + 2 * Partitions::kMost;

std::uint32_t PartOf(std::uint32_t whole, double share) {
  // A share such as 0.29 of 100 is 29, not the 28.999… that it is in binary.
  return static_cast<std::uint32_t>(static_cast<double>(whole) * share + 1e-6);
}

}  // namespace

std::vector<Remark> CheckShares(const PartitionsOptions& options) {
  std::vector<Remark> remarks;
  double sum = 0;
  for (const auto& [name, share] : options.shares) {
    sum += share;
    if (share > 0 && share <= 1) continue;
    remarks.push_back({name, PrintPercent(share) + " is out of range, above 0 to 100% is allowed"});
  }
  if (options.shares.size() > Partitions::kMost) {
    remarks.push_back({"", std::to_string(options.shares.size()) + " shares, at most " +
                               std::to_string(Partitions::kMost) + " are allowed"});
  } else if (sum > 1 + 1e-9) {
    remarks.push_back({"", "promise " + PrintPercent(sum) + " in all, at most 100% is there"});
  }
  return remarks;
}

Partitions::Partitions(const AdmissionQueueOptions& queue, const PartitionsOptions& options,
                       std::uint32_t limit) {
  slots_.push_back(std::make_unique<Slot>(queue));
  Apply(queue, options, limit);
}

void Partitions::Apply(const AdmissionQueueOptions& queue, const PartitionsOptions& options,
                       std::uint32_t limit) {
  queue_options_ = queue;
  for (const auto& slot : slots_) {
    slot->queue.Apply(queue);
    slot->share = 0;
  }
  if (!options.by.empty()) {
    for (const auto& [name, share] : options.shares) {
      Slot* slot = SlotFor(name);
      if (slot != nullptr) slot->share = std::max(share, 1e-9);
    }
  }
  while (slots_.size() > 1 && slots_.back()->idle()) slots_.pop_back();
  turn_ = kOthers;
  lend_ = options.lend;
  Resize(limit);
}

void Partitions::Resize(std::uint32_t limit) {
  held_ = 0;
  for (const auto& slot : slots_) {
    slot->guaranteed = PartOf(limit, slot->share);
    slot->kept = PartOf(slot->guaranteed, 1 - lend_);
    held_ += slot->kept - std::min(slot->kept, slot->in_flight);
  }
}

Partitions::Slot* Partitions::SlotFor(const std::string& name) {
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    if (slots_[i]->name == name) return slots_[i].get();
  }
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    if (!slots_[i]->idle()) continue;
    slots_[i]->name = name;
    return slots_[i].get();
  }
  if (slots_.size() >= kMostSlots) return nullptr;
  slots_.push_back(std::make_unique<Slot>(queue_options_));
  slots_.back()->name = name;
  return slots_.back().get();
}

Partitions::Index Partitions::Find(std::string_view name) const {
  Index rest = kOthers;
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    if (slots_[i]->share <= 0) continue;
    if (slots_[i]->name == name) return static_cast<Index>(i);
    if (slots_[i]->name == "*") rest = static_cast<Index>(i);
  }
  return rest;
}

bool Partitions::HasPlace(Index who, Places places) const {
  if (places.in_flight >= places.limit) return false;
  const Slot& slot = *slots_[who];
  return slot.in_flight < slot.kept || places.in_flight + held_ < places.limit;
}

bool Partitions::MayEnter(Index who, Places places) const {
  return slots_[who]->queue.size() == 0 && HasPlace(who, places);
}

void Partitions::Entered(Index who) {
  if (who == kOthers) return;
  Slot& slot = *slots_[who];
  if (slot.in_flight++ < slot.kept) --held_;
}

void Partitions::Entered(Entry& entry, Index who) {
  entry.partition_ = who;
  Entered(who);
}

void Partitions::Left(Index who) {
  if (who == kOthers) return;
  Slot& slot = *slots_[who];
  if (--slot.in_flight < slot.kept) ++held_;
}

/// Its share of the queue; who has none has what is left.
std::uint32_t Partitions::QuotaOf(Index who) const {
  if (who != kOthers) return PartOf(queue_options_.size, slots_[who]->share);
  std::uint32_t left = queue_options_.size;
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    left -= std::min(left, QuotaOf(static_cast<Index>(i)));
  }
  return left;
}

Partitions::Queued Partitions::Push(Entry& entry, Index who, const Admission& call, TimePoint now,
                                    Duration mean_call, EntryChain& dropped) {
  if (waiting_ >= queue_options_.size) {
    AdmissionQueue::Entry* victim = MakePlace(who, call, now);
    if (victim == nullptr) return Queued::kFull;
    --waiting_;
    dropped.Add(*victim);
  }
  entry.partition_ = who;
  slots_[who]->queue.Push(entry, call, now, mean_call);
  ++waiting_;
  return Queued::kYes;
}

/// Who is below its share of the queue takes the place of who is furthest above.
AdmissionQueue::Entry* Partitions::MakePlace(Index who, const Admission& call, TimePoint now) {
  if (!divided() || slots_[who]->queue.size() >= QuotaOf(who)) {
    return slots_[who]->queue.MakePlaceFor(call, now);
  }
  Index most = kOthers;
  std::int64_t above = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto index = static_cast<Index>(i);
    const std::int64_t over = std::int64_t{slots_[i]->queue.size()} - QuotaOf(index);
    if (over <= above) continue;
    above = over;
    most = index;
  }
  return above > 0 ? slots_[most]->queue.MakePlace(now) : nullptr;
}

void Partitions::PushBack(Entry& entry, Index who, const Admission& call, TimePoint since,
                          TimePoint until) {
  entry.partition_ = who;
  slots_[who]->queue.PushBack(entry, call, since, until);
  ++waiting_;
}

void Partitions::Remove(Entry& entry) {
  slots_[entry.partition_]->queue.Remove(entry);
  --waiting_;
}

/// Whose turn the next place is: the one furthest below its share, then the highest priority, then
/// each in turn.
std::optional<Partitions::Index> Partitions::NextWithPlace(Places places) {
  std::optional<Index> best;
  const auto owed = [this](Index i) {
    const Slot& slot = *slots_[i];
    if (slot.in_flight >= slot.guaranteed) return 0.0;
    return 1 - static_cast<double>(slot.in_flight) / static_cast<double>(slot.guaranteed);
  };
  const auto better = [&](Index one, Index other) {
    const double debt = owed(one);
    const double other_debt = owed(other);
    if (debt != other_debt) return debt > other_debt;
    return slots_[one]->queue.highest() < slots_[other]->queue.highest();
  };
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto index = static_cast<Index>((turn_ + i) % slots_.size());
    if (slots_[index]->queue.size() == 0 || !HasPlace(index, places)) continue;
    if (!best || better(index, *best)) best = index;
  }
  return best;
}

Partitions::Entry* Partitions::PopFrom(Index who, TimePoint now, Duration mean_call,
                                       EntryChain& dropped) {
  AdmissionQueue& queue = slots_[who]->queue;
  const std::uint32_t before = queue.size();
  AdmissionQueue::Entry* const entry = queue.Pop(now, mean_call, dropped);
  waiting_ -= before - queue.size();
  if (entry == nullptr) return nullptr;
  Entered(who);
  turn_ = static_cast<Index>((who + 1U) % slots_.size());
  return static_cast<Entry*>(entry);
}

Partitions::Entry* Partitions::Pop(Places places, TimePoint now, Duration mean_call,
                                   EntryChain& dropped) {
  while (const auto who = NextWithPlace(places)) {
    if (Entry* entry = PopFrom(*who, now, mean_call, dropped)) return entry;
  }
  return nullptr;
}

Partitions::Entry* Partitions::PopAny(TimePoint now, Duration mean_call, EntryChain& dropped) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (Entry* entry = PopFrom(static_cast<Index>(i), now, mean_call, dropped)) return entry;
  }
  return nullptr;
}

bool Partitions::Stands(TimePoint now, Duration mean_call) const {
  return std::ranges::any_of(slots_,
                             [&](const auto& slot) { return slot->queue.Stands(now, mean_call); });
}

Priority Partitions::lowest_waiting() const {
  Priority lowest = Priority::kCriticalPlus;
  for (const auto& slot : slots_) {
    if (slot->queue.size() > 0) lowest = std::max(lowest, slot->queue.lowest());
  }
  return lowest;
}

std::vector<Partitions::Status> Partitions::statuses(std::uint32_t in_flight) const {
  std::vector<Status> all;
  std::uint32_t named = 0;
  for (const auto& slot : slots_) {
    named += slot->in_flight;
    all.push_back({slot->name, slot->guaranteed, slot->in_flight, slot->queue.size()});
  }
  all.front().in_flight = in_flight - std::min(in_flight, named);
  return all;
}

}  // namespace hale::policy
