#include "hale/policy/bulkhead.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

Rejection Refused(Reason reason, std::uint32_t observed, std::uint32_t threshold) {
  return {.reason = reason,
          .observed = static_cast<double>(observed),
          .threshold = static_cast<double>(threshold)};
}

}  // namespace

/// All that is ever queued here is a waiter.
Bulkhead::Waiter& Bulkhead::WaiterOf(AdmissionQueue::Entry& entry) {
  return static_cast<Waiter&>(static_cast<Partitions::Entry&>(entry));
}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::Waiter::Take() {
  if (state_ != State::kGranted && state_ != State::kDropped) return Permit();
  if (std::exchange(state_, State::kIdle) == State::kDropped) return std::unexpected(Dropped());
  return Permit(*bulkhead_, partition());
}

Bulkhead::Bulkhead(const BulkheadOptions& options, BulkheadContext context)
    : limit_(options.limit),
      queue_limit_(options.queue),
      max_wait_(options.max_wait),
      mode_(options.mode),
      divided_(!options.partitions.by.empty()),
      room_(QueueOf(options), options.partitions, options.limit),
      context_(std::move(context)) {}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::TryEnter(TimePoint now,
                                                              std::string_view partition,
                                                              EventSink* trail) {
  if (divided_.load(std::memory_order_relaxed)) return TryEnterDivided(now, partition, trail);
  const std::uint32_t most = limit();
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (HasPlace(Unpack(word), most)) {
    // Acquire: what the one who left has done is visible to who takes the place.
    if (word_.compare_exchange_weak(word, word + kOneInFlight, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return Permit(*this, Partitions::kOthers);
    }
  }
  if (mode() != Mode::kEnforce) return EnterAnyway(now, Partitions::kOthers, trail);
  return std::unexpected(Refused(Reason::kConcurrency, Unpack(word).in_flight, most));
}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::TryEnterDivided(TimePoint now,
                                                                     std::string_view partition,
                                                                     EventSink* trail) {
  const bool enforce = mode() == Mode::kEnforce;
  Partitions::Index who = Partitions::kOthers;
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  {
    const auto room = room_.Lock();
    who = room->Find(partition);
    while (room->MayEnter(who, {Unpack(word).in_flight, limit()})) {
      if (!word_.compare_exchange_weak(word, word + kOneInFlight, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        continue;
      }
      room->Entered(who);
      return Permit(*this, who);
    }
    if (!enforce) room->Entered(who);
  }
  if (!enforce) return EnterAnyway(now, who, trail);
  return std::unexpected(Refused(Reason::kConcurrency, Unpack(word).in_flight, limit()));
}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::Enter(Waiter& waiter, const Admission& call,
                                                           TimePoint now) {
  auto entered = TryEnter(now, call.partition, call.trail);
  if (entered) return entered;
  const Duration longest = max_wait_.load(std::memory_order_relaxed);
  if (queue_limit() == 0 || longest <= Duration::zero()) return entered;
  if (auto waitable = AdmissionQueue::Waitable(call, mean_call()); !waitable) {
    return std::unexpected(waitable.error());
  }
  Ended ended;
  const Step step = IsHopeless(call) ? Step::kFull : EnterOrQueue(waiter, call, now, ended);
  Wake(ended);
  switch (step) {
    case Step::kEntered:
      return Permit(*this, waiter.partition());
    case Step::kQueued:
      if (ended.dropped.first() != nullptr) TellFull(now);
      return Permit();
    case Step::kFull:
      break;
  }
  TellFull(now);
  return std::unexpected(Refused(Reason::kQueueFull, waiting(), queue_limit()));
}

/// When the queue is full it is at its busiest: who would find nobody to make place for it is
/// refused without the lock.
bool Bulkhead::IsHopeless(const Admission& call) const {
  if (waiting() < queue_limit() || divided_.load(std::memory_order_relaxed)) return false;
  if (call.key != 0 || keyed_.load(std::memory_order_relaxed)) return false;
  return call.priority >= lowest_waiting_.load(std::memory_order_relaxed);
}

/// `waiting` grows in the same word in which places are given back: a place that becomes free
/// either is seen here, or its leaver sees that somebody waits.
Bulkhead::Step Bulkhead::EnterOrQueue(Waiter& waiter, const Admission& call, TimePoint now,
                                      Ended& ended) {
  const auto room = room_.Lock();
  const Partitions::Index who = room->Find(call.partition);
  const bool enforce = mode() == Mode::kEnforce;
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  bool enter = true;
  do {
    enter = !enforce || room->MayEnter(who, {Unpack(word).in_flight, limit()});
  } while (!word_.compare_exchange_weak(word, word + (enter ? kOneInFlight : kOneWaiting),
                                        std::memory_order_acquire, std::memory_order_relaxed));
  waiter.bulkhead_ = this;
  if (enter) {
    room->Entered(waiter, who);
    return Step::kEntered;
  }
  const auto queued = room->Push(waiter, who, call, now, mean_call(), ended.dropped);
  if (queued == Partitions::Queued::kFull) {
    NoLongerWaiting(1);
    lowest_waiting_.store(room->lowest_waiting(), std::memory_order_relaxed);
    return Step::kFull;
  }
  NotePushed(call);
  waiter.state_ = Waiter::State::kQueued;
  if (auto* out = ended.dropped.first()) {
    WaiterOf(*out).state_ = Waiter::State::kDropped;
    NoLongerWaiting(1);
  }
  return Step::kQueued;
}

/// Called under the lock.
void Bulkhead::NotePushed(const Admission& call) {
  if (call.priority > lowest_waiting_.load(std::memory_order_relaxed)) {
    lowest_waiting_.store(call.priority, std::memory_order_relaxed);
  }
  if (call.key != 0) keyed_.store(true, std::memory_order_relaxed);
}

Bulkhead::Patience Bulkhead::PatienceFrom(TimePoint now, Duration remaining,
                                          std::uint32_t leaves) const {
  const Duration wait = LongestWait(max_wait_.load(std::memory_order_relaxed), remaining);
  return {.since = now, .until = SaturatingAdd(now, wait), .leaves = leaves};
}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::WaitAgain(Permit place, Waiter& waiter,
                                                               const Admission& call,
                                                               const Patience& patience,
                                                               TimePoint now) {
  const bool may_wait = queue_limit() != 0 && patience.until > patience.since;
  if (!may_wait || mode() != Mode::kEnforce) {
    return std::unexpected(Refused(Reason::kConcurrency, in_flight(), limit()));
  }
  if (now >= patience.until) {
    return std::unexpected(Rejection{.reason = Reason::kQueueTimeout,
                                     .observed = Seconds(now - patience.since),
                                     .threshold = Seconds(patience.until - patience.since)});
  }
  if (WaitOrLookAgain(place, waiter, call, patience)) return place;
  TellFull(now);
  return std::unexpected(Refused(Reason::kQueueFull, waiting(), queue_limit()));
}

/// False: it may do neither. `place` is empty when it now waits.
bool Bulkhead::WaitOrLookAgain(Permit& place, Waiter& waiter, const Admission& call,
                               const Patience& patience) {
  const auto room = room_.Lock();
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (true) {
    const Count count = Unpack(word);
    // Acquire: what the one who left gave back before is seen when it is looked for once more.
    if (count.leaves != patience.leaves) {
      std::atomic_thread_fence(std::memory_order_acquire);
      return true;
    }
    if (count.waiting >= queue_limit()) return false;
    if (word_.compare_exchange_weak(word, word - kOneInFlight + kOneWaiting,
                                    std::memory_order_release, std::memory_order_relaxed)) {
      place.bulkhead_ = nullptr;
      waiter.bulkhead_ = this;
      waiter.state_ = Waiter::State::kQueued;
      room->Left(place.partition_);
      room->PushBack(waiter, place.partition_, call, patience.since, patience.until);
      NotePushed(call);
      return true;
    }
  }
}

/// The place goes to the next that waits, and if there is another place it goes to the second:
/// those that gave theirs back for want of an instance are fewer in flight than may be, and so
/// learn that there is an instance again. Nobody slips into it before: who comes meanwhile queues
/// behind them.
void Bulkhead::Leave(Partitions::Index partition) {
  constexpr std::uint64_t kLeave = kOneLeft - kOneInFlight;
  // With partitions several counts decide together: nobody sees one of them changed and another
  // not.
  const bool shared = partition == Partitions::kOthers && !divided_.load(std::memory_order_relaxed);
  // Release: see TryEnter.
  if (shared && Unpack(word_.fetch_add(kLeave, std::memory_order_release)).waiting == 0) return;
  const TimePoint now = context_.clock.Now();
  Ended ended;
  room_.With([&](Partitions& room) {
    if (!shared) {
      room.Left(partition);
      word_.fetch_add(kLeave, std::memory_order_release);
    }
    GiveSpare(room, now, ended);
    GiveSpare(room, now, ended);
  });
  Wake(ended);
}

/// Called under the lock.
void Bulkhead::GiveSpare(Partitions& room, TimePoint now, Ended& ended) {
  if (room.waiting() == 0 || in_flight() >= limit()) return;
  word_.fetch_add(kOneInFlight, std::memory_order_acquire);
  if (PopNext(room, now, ended, false) == nullptr) {
    word_.fetch_sub(kOneInFlight, std::memory_order_release);
  }
}

void Bulkhead::LetOneTry(TimePoint now) {
  if (waiting() == 0) return;
  Ended ended;
  room_.With([&](Partitions& room) { GiveSpare(room, now, ended); });
  Wake(ended);
}

/// The next that gets a place, which is counted already; whoever's it is with `any`. Called under
/// the lock.
Partitions::Entry* Bulkhead::PopNext(Partitions& room, TimePoint now, Ended& ended, bool any) {
  EntryChain dropped;
  const std::uint32_t before = room.waiting();
  const Partitions::Places places{in_flight() - 1, limit()};
  Partitions::Entry* const entry =
      any ? room.PopAny(now, mean_call(), dropped) : room.Pop(places, now, mean_call(), dropped);
  NoLongerWaiting(before - room.waiting());
  while (AdmissionQueue::Entry* const out = dropped.Pop()) {
    WaiterOf(*out).state_ = Waiter::State::kDropped;
    ended.dropped.Add(*out);
  }
  if (entry == nullptr) return nullptr;
  WaiterOf(*entry).state_ = Waiter::State::kGranted;
  ended.granted.Add(*entry);
  return entry;
}

/// Called under the lock.
void Bulkhead::NoLongerWaiting(std::uint32_t count) {
  if (count == 0) return;
  const std::uint64_t left =
      word_.fetch_sub(count * kOneWaiting, std::memory_order_relaxed) - count * kOneWaiting;
  const std::uint32_t still = Unpack(left).waiting;
  if (still <= queue_limit() / 2) told_full_.store(false, std::memory_order_relaxed);
  if (still != 0) return;
  lowest_waiting_.store(Priority::kCriticalPlus, std::memory_order_relaxed);
  keyed_.store(false, std::memory_order_relaxed);
}

void Bulkhead::Wake(const EntryChain& chain) {
  for (AdmissionQueue::Entry* at = chain.first(); at != nullptr;) {
    // It may be gone when its Wake() returns.
    AdmissionQueue::Entry* const next = at->next();
    WaiterOf(*at).Wake();
    at = next;
  }
}

void Bulkhead::Wake(const Ended& ended) {
  Wake(ended.granted);
  Wake(ended.dropped);
}

bool Bulkhead::Abandon(Waiter& waiter) {
  const auto room = room_.Lock();
  if (waiter.state_ == Waiter::State::kGranted || waiter.state_ == Waiter::State::kDropped) {
    return false;
  }
  if (waiter.state_ == Waiter::State::kQueued) {
    room->Remove(waiter);
    NoLongerWaiting(1);
  }
  waiter.state_ = Waiter::State::kIdle;
  return true;
}

std::uint32_t Bulkhead::in_flight() const {
  return Unpack(word_.load(std::memory_order_relaxed)).in_flight;
}

std::uint32_t Bulkhead::waiting() const {
  return Unpack(word_.load(std::memory_order_relaxed)).waiting;
}

bool Bulkhead::Stands(TimePoint now) const {
  return room_.With([&](const Partitions& room) { return room.Stands(now, mean_call()); });
}

std::vector<Partitions::Status> Bulkhead::partitions() const {
  return room_.With([this](const Partitions& room) { return room.statuses(in_flight()); });
}

void Bulkhead::Apply(const BulkheadOptions& options) {
  const TimePoint now = context_.clock.Now();
  Ended ended;
  room_.With([&](Partitions& room) {
    limit_.store(options.limit, std::memory_order_relaxed);
    queue_limit_.store(options.queue, std::memory_order_relaxed);
    max_wait_.store(options.max_wait, std::memory_order_relaxed);
    mode_.store(options.mode, std::memory_order_relaxed);
    divided_.store(!options.partitions.by.empty(), std::memory_order_relaxed);
    room.Apply(QueueOf(options), options.partitions, options.limit);
    AdmitWaiting(room, now, ended);
  });
  Wake(ended);
}

void Bulkhead::SetLimit(std::uint32_t limit) {
  if (limit == limit_.load(std::memory_order_relaxed)) return;
  const TimePoint now = context_.clock.Now();
  Ended ended;
  room_.With([&](Partitions& room) {
    limit_.store(limit, std::memory_order_relaxed);
    room.Resize(limit);
    AdmitWaiting(room, now, ended);
  });
  Wake(ended);
}

/// Admits all who now have a place. Called under the lock.
void Bulkhead::AdmitWaiting(Partitions& room, TimePoint now, Ended& ended) {
  const bool any = mode() != Mode::kEnforce;
  while (room.waiting() != 0 && (any || in_flight() < limit())) {
    // The place is taken while somebody still waits, so that nobody slips into it.
    word_.fetch_add(kOneInFlight, std::memory_order_acquire);
    if (PopNext(room, now, ended, any) != nullptr) continue;
    word_.fetch_sub(kOneInFlight, std::memory_order_release);
    return;
  }
}

/// The partition, if it is one, has been counted.
Bulkhead::Permit Bulkhead::EnterAnyway(TimePoint now, Partitions::Index partition,
                                       EventSink* trail) {
  const std::uint64_t before = word_.fetch_add(kOneInFlight, std::memory_order_acquire);
  Permit permit(*this, partition);
  if (mode() == Mode::kShadow) {
    Event event;
    event.at = now;
    event.kind = EventKind::kWouldRefuse;
    event.reason = Reason::kConcurrency;
    event.policy = "bulkhead";
    event.service = context_.service;
    event.observed = Unpack(before).in_flight;
    event.threshold = limit();
    TrailOr(trail, context_.events).On(event);
  }
  return permit;
}

/// Once, until the queue has been half empty again.
void Bulkhead::TellFull(TimePoint now) {
  if (told_full_.exchange(true, std::memory_order_relaxed)) return;
  Event event;
  event.at = now;
  event.kind = EventKind::kBound;
  event.reason = Reason::kQueueFull;
  event.policy = "bulkhead";
  event.service = context_.service;
  event.observed = waiting();
  event.threshold = queue_limit();
  context_.events.On(event);
}

}  // namespace hale::policy
