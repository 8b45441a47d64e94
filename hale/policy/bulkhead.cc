#include "hale/policy/bulkhead.h"

#include <utility>

namespace hale::policy {
namespace {

/// The word, taken apart. Its steps are here; the shell below repeats them until one is taken.
struct Count {
  std::uint32_t in_flight = 0;
  std::uint32_t waiting = 0;
};

constexpr std::uint64_t kOneInFlight = std::uint64_t{1} << 32;
constexpr std::uint64_t kOneWaiting = 1;

Count Unpack(std::uint64_t word) {
  return {.in_flight = static_cast<std::uint32_t>(word >> 32),
          .waiting = static_cast<std::uint32_t>(word)};
}

/// Who waits goes first: with a queue there is no place even when one is free for a moment.
bool HasPlace(Count count, std::uint32_t limit) {
  return count.in_flight < limit && count.waiting == 0;
}

/// Whether a place that becomes free goes to one who waits. Not while there are too many, which is
/// so after the limit has been lowered.
bool HandsOver(Count count, std::uint32_t limit) {
  return count.waiting != 0 && count.in_flight <= limit;
}

Rejection Refused(Reason reason, std::uint32_t observed, std::uint32_t threshold) {
  return {.reason = reason,
          .observed = static_cast<double>(observed),
          .threshold = static_cast<double>(threshold)};
}

}  // namespace

Bulkhead::Permit::Permit(Permit&& other) noexcept
    : bulkhead_(std::exchange(other.bulkhead_, nullptr)) {}

Bulkhead::Permit& Bulkhead::Permit::operator=(Permit&& other) noexcept {
  std::swap(bulkhead_, other.bulkhead_);
  return *this;
}

void Bulkhead::Permit::Release() {
  if (Bulkhead* bulkhead = std::exchange(bulkhead_, nullptr)) bulkhead->Leave();
}

Bulkhead::Permit Bulkhead::Waiter::Take() {
  if (state_ != State::kGranted) return {};
  state_ = State::kIdle;
  return Permit(*bulkhead_);
}

void Bulkhead::Queue::Append(Waiter& waiter) {
  waiter.previous_ = last;
  waiter.next_ = nullptr;
  (last != nullptr ? last->next_ : first) = &waiter;
  last = &waiter;
}

void Bulkhead::Queue::Remove(Waiter& waiter) {
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : first) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last) = waiter.previous_;
}

Bulkhead::Bulkhead(const BulkheadOptions& options, BulkheadContext context)
    : limit_(options.limit),
      queue_limit_(options.queue),
      max_wait_(options.max_wait),
      mode_(options.mode),
      context_(std::move(context)) {}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::TryEnter(TimePoint now) {
  const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (HasPlace(Unpack(word), limit)) {
    // Acquire: what the one who left has done is visible to who takes the place.
    if (word_.compare_exchange_weak(word, word + kOneInFlight, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return Permit(*this);
    }
  }
  if (mode_.load(std::memory_order_relaxed) != Mode::kEnforce) return WouldRefuse(now);
  return std::unexpected(Refused(Reason::kConcurrency, Unpack(word).in_flight, limit));
}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::Enter(Waiter& waiter, TimePoint now,
                                                           Duration remaining) {
  auto entered = TryEnter(now);
  if (entered) return entered;

  const std::uint32_t queue_limit = queue_limit_.load(std::memory_order_relaxed);
  const Duration wait =
      LongestWait({.max_wait = max_wait_.load(std::memory_order_relaxed)}, remaining);
  if (remaining <= Duration::zero()) {
    return std::unexpected(Rejection{.reason = Reason::kDeadline, .observed = Seconds(remaining)});
  }
  if (queue_limit == 0 || wait <= Duration::zero()) return entered;

  waiter.since_ = now;
  waiter.until_ = SaturatingAdd(now, wait);
  // When it is full it is at its busiest: refuse without the lock.
  const bool full = Unpack(word_.load(std::memory_order_relaxed)).waiting >= queue_limit;
  switch (full ? Step::kFull : EnterOrQueue(waiter)) {
    case Step::kEntered:
      return Permit(*this);
    case Step::kQueued:
      return Permit();
    case Step::kFull:
      break;
  }
  TellFull(now);
  return std::unexpected(Refused(Reason::kQueueFull, waiting(), queue_limit));
}

/// `waiting` grows in the same word in which places are given back: a place that becomes free
/// either is seen here, or its leaver sees that somebody waits.
Bulkhead::Step Bulkhead::EnterOrQueue(Waiter& waiter) {
  const auto queue = queue_.Lock();
  const bool enforce = mode_.load(std::memory_order_relaxed) == Mode::kEnforce;
  const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (true) {
    const Count count = Unpack(word);
    const bool enter = !enforce || HasPlace(count, limit);
    if (!enter && count.waiting >= queue_limit_.load(std::memory_order_relaxed)) {
      return Step::kFull;
    }
    if (!word_.compare_exchange_weak(word, word + (enter ? kOneInFlight : kOneWaiting),
                                     std::memory_order_acquire, std::memory_order_relaxed)) {
      continue;
    }
    if (enter) return Step::kEntered;
    waiter.bulkhead_ = this;
    waiter.state_ = Waiter::State::kQueued;
    queue->Append(waiter);
    return Step::kQueued;
  }
}

void Bulkhead::Leave() {
  const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while (!HandsOver(Unpack(word), limit)) {
    // Release: see TryEnter.
    if (word_.compare_exchange_weak(word, word - kOneInFlight, std::memory_order_release,
                                    std::memory_order_relaxed)) {
      return;
    }
  }
  const TimePoint now = context_.clock.Now();
  Waiter* heir = queue_.With([&](Queue& queue) {
    Waiter* next = NextLive(queue, now);
    if (next == nullptr) word_.fetch_sub(kOneInFlight, std::memory_order_release);
    return next;
  });
  if (heir != nullptr) heir->Granted();
}

/// Called under the lock.
void Bulkhead::Dequeue(Queue& queue, Waiter& waiter) {
  queue.Remove(waiter);
  const std::uint64_t left = word_.fetch_sub(kOneWaiting, std::memory_order_relaxed) - kOneWaiting;
  if (Unpack(left).waiting <= queue_limit_.load(std::memory_order_relaxed) / 2) {
    told_full_.store(false, std::memory_order_relaxed);
  }
}

/// Takes the first waiter whose time has not passed out of the queue; those before it are dropped:
/// they are about to abandon, and would find no use for a place. Called under the lock.
Bulkhead::Waiter* Bulkhead::NextLive(Queue& queue, TimePoint now) {
  while (Waiter* waiter = queue.first) {
    Dequeue(queue, *waiter);
    if (now < waiter->until_) {
      waiter->state_ = Waiter::State::kGranted;
      return waiter;
    }
    waiter->state_ = Waiter::State::kPassedOver;
  }
  return nullptr;
}

bool Bulkhead::Abandon(Waiter& waiter) {
  const auto queue = queue_.Lock();
  if (waiter.state_ == Waiter::State::kGranted) return false;
  if (waiter.state_ == Waiter::State::kQueued) Dequeue(*queue, waiter);
  waiter.state_ = Waiter::State::kIdle;
  return true;
}

Rejection Bulkhead::TimedOut(const Waiter& waiter, TimePoint now) {
  return {.reason = Reason::kQueueTimeout,
          .observed = Seconds(now - waiter.since_),
          .threshold = Seconds(waiter.until_ - waiter.since_)};
}

std::uint32_t Bulkhead::in_flight() const {
  return Unpack(word_.load(std::memory_order_relaxed)).in_flight;
}

std::uint32_t Bulkhead::waiting() const {
  return Unpack(word_.load(std::memory_order_relaxed)).waiting;
}

void Bulkhead::Apply(const BulkheadOptions& options) {
  const TimePoint now = context_.clock.Now();
  Waiter* granted = queue_.With([&](Queue& queue) {
    limit_.store(options.limit, std::memory_order_relaxed);
    queue_limit_.store(options.queue, std::memory_order_relaxed);
    max_wait_.store(options.max_wait, std::memory_order_relaxed);
    mode_.store(options.mode, std::memory_order_relaxed);
    return AdmitWaiting(queue, now);
  });
  while (granted != nullptr) {
    // It may be gone when its Granted() returns.
    Waiter* next = granted->next_;
    granted->Granted();
    granted = next;
  }
}

/// Admits who now has a place, as a list by `next_`. Called under the lock.
Bulkhead::Waiter* Bulkhead::AdmitWaiting(Queue& queue, TimePoint now) {
  const bool enforce = mode_.load(std::memory_order_relaxed) == Mode::kEnforce;
  const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
  Queue admitted;
  while (waiting() != 0 && (!enforce || in_flight() < limit)) {
    // The place is taken while somebody still waits, so that nobody slips into it.
    word_.fetch_add(kOneInFlight, std::memory_order_acquire);
    Waiter* waiter = NextLive(queue, now);
    if (waiter == nullptr) {
      word_.fetch_sub(kOneInFlight, std::memory_order_release);
      break;
    }
    admitted.Append(*waiter);
  }
  return admitted.first;
}

std::expected<Bulkhead::Permit, Rejection> Bulkhead::WouldRefuse(TimePoint now) {
  const std::uint64_t before = word_.fetch_add(kOneInFlight, std::memory_order_acquire);
  Permit permit(*this);
  if (mode_.load(std::memory_order_relaxed) == Mode::kShadow) {
    Event event;
    event.at = now;
    event.kind = EventKind::kWouldRefuse;
    event.reason = Reason::kConcurrency;
    event.policy = "bulkhead";
    event.service = context_.service;
    event.observed = Unpack(before).in_flight;
    event.threshold = limit_.load(std::memory_order_relaxed);
    context_.events.On(event);
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
  event.threshold = queue_limit_.load(std::memory_order_relaxed);
  context_.events.On(event);
}

}  // namespace hale::policy
