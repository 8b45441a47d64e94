#include "hale/policy/stall.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

constexpr std::uint64_t kStalledBit = 1;

std::int64_t Ticks(TimePoint at) { return at.time_since_epoch().count(); }

/// The word for a silence that began at `since`; never 0, which is none.
std::uint64_t Word(TimePoint since) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(Ticks(since), 1)) << 1;
}

TimePoint Since(std::uint64_t word) {
  return word == 0 ? kNever : TimePoint(Duration(static_cast<std::int64_t>(word >> 1)));
}

}  // namespace

std::vector<bool> JudgeStalls(std::span<const PulseReading> set, Duration theta, TimePoint now) {
  // The two latest, so that each has the latest of its peers.
  TimePoint latest = TimePoint::min();
  TimePoint next = TimePoint::min();
  std::size_t whose = set.size();
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i].answered > latest) {
      next = std::exchange(latest, set[i].answered);
      whose = i;
    } else {
      next = std::max(next, set[i].answered);
    }
  }
  std::vector<bool> stalled(set.size());
  for (std::size_t i = 0; i < set.size(); ++i) {
    const PulseReading& one = set[i];
    const bool silent = one.unanswered > 0 && one.waiting_since != kNever &&
                        SaturatingAdd(one.waiting_since, theta) <= now;
    const TimePoint peers = i == whose ? next : latest;
    stalled[i] = one.stalled || (silent && peers > one.waiting_since);
  }
  return stalled;
}

void Pulse::Call::Answered(TimePoint now) {
  Pulse* pulse = std::exchange(pulse_, nullptr);
  if (pulse == nullptr) return;
  std::int64_t latest = pulse->answered_.load(std::memory_order_relaxed);
  while (latest < Ticks(sent_) &&
         !pulse->answered_.compare_exchange_weak(latest, Ticks(sent_), std::memory_order_relaxed)) {
  }
  pulse->unanswered_.fetch_sub(1);
  pulse->OnBytes(now);
}

Pulse::Call Pulse::OnSent(TimePoint now) {
  unanswered_.fetch_add(1);
  Begin(now);
  return Call(*this, now);
}

/// The silence begins with this call, unless it has begun.
void Pulse::Begin(TimePoint now) {
  std::uint64_t none = 0;
  if (waiting_.load() == 0) waiting_.compare_exchange_strong(none, Word(now));
}

void Pulse::OnBytes(TimePoint now) {
  last_byte_.store(Ticks(now), std::memory_order_relaxed);
  const std::uint64_t word = waiting_.load();
  if (word == 0 || (word == Word(now) && unanswered_.load() != 0)) return;
  waiting_.exchange(0);
  // A call that is sent meanwhile finds the silence begun, and begins none. These operations are
  // sequentially consistent, so that it sees this exchange or is seen here.
  if (unanswered_.load() != 0) Begin(now);
}

/// Without a call out there is no silence, but a stall stays until a byte.
void Pulse::EndWithout() {
  if (unanswered_.fetch_sub(1) != 1) return;
  std::uint64_t word = waiting_.load();
  if (word == 0 || (word & kStalledBit) != 0) return;
  if (!waiting_.compare_exchange_strong(word, 0)) return;
  if (unanswered_.load() != 0) Begin(Since(word));
}

PulseReading Pulse::Read() const {
  const std::uint64_t word = waiting_.load();
  return {.waiting_since = Since(word),
          .answered = TimePoint(Duration(answered_.load(std::memory_order_relaxed))),
          .last_byte = TimePoint(Duration(last_byte_.load(std::memory_order_relaxed))),
          .unanswered = unanswered_.load(std::memory_order_relaxed),
          .stalled = (word & kStalledBit) != 0};
}

bool Pulse::MarkStalled(const PulseReading& reading) {
  if (reading.stalled || reading.waiting_since == kNever) return stalled();
  std::uint64_t word = Word(reading.waiting_since);
  return waiting_.compare_exchange_strong(word, word | kStalledBit) || (word & kStalledBit) != 0;
}

}  // namespace hale::policy
