#include "hale/telemetry/journal.h"

#include <algorithm>
#include <boost/json.hpp>
#include <functional>

#include "hale/telemetry/json_line.h"
#include "hale/telemetry/sentence.h"

namespace hale::telemetry {
namespace {

constexpr Duration kFoldFor = 1s;

// Decisions about single calls, which come as often as calls do.
bool Folds(EventKind kind) {
  switch (kind) {
    case EventKind::kRefused:
    case EventKind::kWouldRefuse:
    case EventKind::kRetried:
    case EventKind::kRetryDenied:
    case EventKind::kRaced:
    case EventKind::kBound:
      return true;
    default:
      return false;
  }
}

std::uint64_t HashOf(const Event& event) {
  const std::hash<std::string_view> hash;
  std::uint64_t sum = static_cast<std::uint64_t>(event.kind) * 256 +
                      static_cast<std::uint64_t>(event.reason) + 1;
  for (const std::string_view text : {event.policy, event.service, event.instance}) {
    sum = (sum ^ hash(text)) * 0x9E3779B97F4A7C15;
    sum ^= sum >> 32;
  }
  return sum;
}

JournalEntry EntryOf(const Event& event, WallTime time) {
  JournalEntry entry;
  entry.at = event.at;
  entry.time = time;
  entry.kind = event.kind;
  entry.reason = event.reason;
  entry.policy = event.policy;
  entry.service = event.service;
  entry.instance = event.instance;
  entry.observed = event.observed;
  entry.threshold = event.threshold;
  entry.span = event.span;
  entry.detail = event.detail;
  return entry;
}

}  // namespace

Event JournalEntry::ToEvent() const {
  return {.at = at,
          .kind = kind,
          .reason = reason,
          .policy = policy.view(),
          .service = service.view(),
          .instance = instance.view(),
          .observed = observed,
          .threshold = threshold,
          .span = span,
          .detail = detail.view()};
}

Journal::Journal(const Clock& clock, std::size_t capacity)
    : clock_(clock), state_(std::max<std::size_t>(capacity, 1)) {}

void Journal::Enter(State& state, const JournalEntry& entry) {
  ++state.last;
  JournalEntry& slot = state.ring[(state.last - 1) % state.ring.size()];
  slot = entry;
  slot.sequence = state.last;
}

void Journal::Release(State& state, Fold& fold) {
  if (fold.pending.count == 0) return;
  Enter(state, fold.pending);
  fold.pending.count = 0;
  --state.waiting;
}

void Journal::ReleaseDue(State& state, TimePoint now) {
  if (state.waiting == 0) return;
  for (Fold& fold : state.folds) {
    if (now >= fold.until) Release(state, fold);
  }
}

void Journal::Add(const Event& event) noexcept {
  const TimePoint now = clock_.Now();
  const JournalEntry entry = EntryOf(event, clock_.WallNow());
  const bool folds = Folds(event.kind);
  const std::uint64_t hash = folds ? HashOf(event) : 0;
  state_.With([&](State& state) {
    if (!folds) {
      ReleaseDue(state, now);
      return Enter(state, entry);
    }
    Fold& fold = state.folds[hash % state.folds.size()];
    if (fold.hash == hash && now < fold.until) {
      const std::uint64_t count = fold.pending.count + 1;
      if (count == 1) ++state.waiting;
      fold.pending = entry;
      fold.pending.count = count;
      return;
    }
    Release(state, fold);
    fold.hash = hash;
    fold.until = SaturatingAdd(now, kFoldFor);
    Enter(state, entry);
  });
}

Journal::Page Journal::Since(std::uint64_t after, std::size_t limit) {
  const TimePoint now = clock_.Now();
  return state_.With([&](State& state) {
    ReleaseDue(state, now);
    Page page;
    const std::uint64_t size = state.ring.size();
    const std::uint64_t oldest = state.last > size ? state.last - size : 0;
    // A number from the future is that of an earlier process: begin anew.
    if (after > state.last) after = 0;
    if (after < oldest) {
      page.lost = oldest - after;
      after = oldest;
    }
    const std::uint64_t end = std::min<std::uint64_t>(state.last, after + limit);
    page.entries.reserve(end - after);
    for (std::uint64_t i = after; i < end; ++i) page.entries.push_back(state.ring[i % size]);
    page.next = end;
    return page;
  });
}

std::uint64_t Journal::last() const {
  return state_.With([](const State& state) { return state.last; });
}

std::uint64_t Journal::overwritten() const {
  return state_.With([](const State& state) {
    return state.last > state.ring.size() ? state.last - state.ring.size() : 0;
  });
}

std::string JournalJson(const JournalEntry& entry) {
  const auto time = TimeText(entry.time);
  boost::json::object object{
      {"sequence", entry.sequence},
      {"time", std::string_view(time.data(), time.size())},
      {"count", entry.count},
      {"kind", Word(entry.kind)},
      {"reason", Word(entry.reason)},
      {"policy", entry.policy.view()},
      {"service", entry.service.view()},
      {"instance", entry.instance.view()},
      {"observed", entry.observed},
      {"threshold", entry.threshold},
      {"span_seconds", Seconds(entry.span)},
      {"detail", entry.detail.view()},
      {"text", Sentence(entry.ToEvent())},
  };
  return boost::json::serialize(object);
}

}  // namespace hale::telemetry
