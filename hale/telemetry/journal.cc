#include "hale/telemetry/journal.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>

#include "hale/telemetry/json_line.h"
#include "hale/telemetry/sentence.h"

namespace hale::telemetry {
namespace {

constexpr Duration kFoldFor = 1s;

// Decisions about single calls, which come as often as calls do.
bool IsFolded(EventKind kind) {
  switch (kind) {
    case EventKind::kRefused:
    case EventKind::kWouldRefuse:
    case EventKind::kRetried:
    case EventKind::kRetryDenied:
    case EventKind::kRaced:
    case EventKind::kHedged:
    case EventKind::kJoined:
    case EventKind::kFellBack:
    case EventKind::kDelayed:
    case EventKind::kBound:
      return true;
    default:
      return false;
  }
}

std::uint64_t HashOf(const Event& event, std::initializer_list<std::string_view> texts) {
  const std::hash<std::string_view> hash;
  std::uint64_t sum =
      static_cast<std::uint64_t>(event.kind) * 256 + static_cast<std::uint64_t>(event.reason) + 1;
  for (const std::string_view text : texts) {
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
  if (fold.waiting == 0) return;
  fold.last.count = fold.waiting;
  Enter(state, fold.last);
  fold.waiting = 0;
  --state.waiting;
}

void Journal::ReleaseDue(State& state, TimePoint now) {
  if (state.waiting == 0) return;
  for (Folds* folds : {&state.kinds, &state.others}) {
    for (std::size_t i = 0; i < kFolds; ++i) {
      if (now >= folds->untils[i]) Release(state, folds->folds[i]);
    }
  }
}

/// Makes the last an entry for all that wait: where they differ, figures are only one's own.
void Journal::Join(Fold& fold, const JournalEntry& entry) {
  const JournalEntry before = std::exchange(fold.last, entry);
  if (fold.waiting == 0) {
    fold.mixed = false;
    return;
  }
  const auto compare = [&](auto& text, const auto& other) {
    if (text == other.view()) return;
    text = std::string_view();
    fold.mixed = true;
  };
  compare(fold.last.service, before.service);
  compare(fold.last.instance, before.instance);
  compare(fold.last.detail, before.detail);
  if (!fold.mixed) return;
  fold.last.observed = fold.last.threshold = 0;
  fold.last.span = Duration::zero();
}

/// Where such are folded, else the fold that ends first.
std::size_t Journal::PlaceOf(const Folds& folds, std::uint64_t hash) {
  const auto known = std::ranges::find(folds.hashes, hash);
  if (known != folds.hashes.end()) return static_cast<std::size_t>(known - folds.hashes.begin());
  const auto first = std::ranges::min_element(folds.untils);
  return static_cast<std::size_t>(first - folds.untils.begin());
}

/// False when all places have their second, and none is for such.
bool Journal::EnterOrFold(State& state, Folds& folds, std::uint64_t hash, const JournalEntry& entry,
                          TimePoint now) {
  const std::size_t place = PlaceOf(folds, hash);
  Fold& fold = folds.folds[place];
  if (now < folds.untils[place]) {
    if (folds.hashes[place] != hash) return false;
    Join(fold, entry);
    if (fold.waiting++ == 0) ++state.waiting;
    return true;
  }
  Release(state, fold);
  folds.hashes[place] = hash;
  folds.untils[place] = SaturatingAdd(now, kFoldFor);
  Enter(state, entry);
  return true;
}

void Journal::Add(const Event& event) noexcept {
  const TimePoint now = clock_.Now();
  const JournalEntry entry = EntryOf(event, clock_.WallNow());
  const bool folded = IsFolded(event.kind);
  const std::uint64_t hash =
      folded ? HashOf(event, {event.policy, event.service, event.instance, event.detail}) : 0;
  state_.With([&](State& state) {
    if (!folded) {
      ReleaseDue(state, now);
      return Enter(state, entry);
    }
    if (EnterOrFold(state, state.kinds, hash, entry, now)) return;
    if (EnterOrFold(state, state.others, HashOf(event, {event.policy}), entry, now)) return;
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
  std::array<char, 4096> buffer;
  JsonLine line(buffer);
  line.Unsigned("sequence", entry.sequence);
  line.Time("time", entry.time);
  line.Unsigned("count", entry.count);
  line.Text("kind", Word(entry.kind));
  line.Text("reason", Word(entry.reason));
  line.Text("policy", entry.policy.view());
  line.Text("service", entry.service.view());
  line.Text("instance", entry.instance.view());
  line.Number("observed", entry.observed);
  line.Number("threshold", entry.threshold);
  line.Span("span_seconds", entry.span);
  line.Text("detail", entry.detail.view());
  line.Text("text", Sentence(entry.ToEvent()));
  std::string_view object = line.Finish();
  object.remove_suffix(1);  // the line feed
  return std::string(object);
}

}  // namespace hale::telemetry
