#include "hale/policy/outlier.h"

#include <algorithm>
#include <utility>

namespace hale::policy {
namespace {

/// Latencies are peaks of few calls: a rise below this says nothing, whatever its factor.
constexpr Duration kNoise = 25ms;

/// So many intervals an undone leaving out is not tried again, nor another begun.
constexpr int kUndoneFor = 10;

/// What an instance's own facts say, before its peers are looked at.
enum class Finding : std::uint8_t {
  kWell,
  kSick,
  kForced,   ///< an operator holds its circuit open: left out by order, outside our counts
  kDoubted,  ///< somebody says that it is down
  kGone,     ///< it refuses or has stopped: nobody brings it back but itself
};

struct Found {
  Finding finding = Finding::kWell;
  Reason reason = Reason::kNone;
};

Found Find(const InstanceFacts& facts) {
  if (facts.refused > facts.alive) return {Finding::kGone, Reason::kUpstreamConnect};
  if (facts.stalled) return {Finding::kGone, Reason::kStalled};
  if (facts.health == Opinion::kBad || facts.registry == Opinion::kBad) {
    return {Finding::kDoubted, Reason::kUnhealthy};
  }
  switch (facts.circuit) {
    case CircuitState::kOpen:
    case CircuitState::kHalfOpen:
      return {Finding::kSick, facts.circuit_reason};
    case CircuitState::kForcedOpen:
      return {Finding::kForced, Reason::kForced};
    default:
      return {};
  }
}

bool Closed(CircuitState state) {
  return state == CircuitState::kClosed || state == CircuitState::kForcedClosed;
}

Standing StandingOf(Finding finding) {
  switch (finding) {
    case Finding::kWell:
      return Standing::kIn;
    case Finding::kSick:
    case Finding::kForced:
      return Standing::kSick;
    default:
      return Standing::kDead;
  }
}

/// One judgement in the making.
struct Case {
  std::span<const InstanceFacts> set;
  const OutlierOptions& options;
  TimePoint now;
  std::vector<Found> found;
  std::vector<InstanceVerdict> verdicts;

  bool Is(std::size_t i, Finding finding) const { return found[i].finding == finding; }
};

/// What stays from the last time.
void Carry(Case& state, std::size_t i) {
  const InstanceVerdict& before = state.set[i].before;
  InstanceVerdict& verdict = state.verdicts[i];
  verdict.standing = StandingOf(state.found[i].finding);
  verdict.reason = state.found[i].reason;
  verdict.since = verdict.standing == before.standing ? before.since : state.now;
  verdict.ramp_from = before.ramp_from;
  if (!state.Is(i, Finding::kSick) || before.standing != Standing::kSick) return;
  verdict.has_place = before.has_place;
  verdict.peers_latency = before.peers_latency;
  const TimePoint undone_until = SaturatingAdd(before.since, kUndoneFor * state.options.interval);
  verdict.undone = before.undone && state.now < undone_until;
}

/// The latency of the fastest that is well: when even that rises, all suffer. 0: not known.
Duration FastestPeer(const Case& state) {
  Duration fastest{0};
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const Duration latency = state.set[i].latency;
    if (!state.Is(i, Finding::kWell) || latency <= Duration::zero()) continue;
    if (fastest == Duration::zero() || latency < fastest) fastest = latency;
  }
  return fastest;
}

void UndoWherePeersSuffer(Case& state) {
  const Duration fastest = FastestPeer(state);
  for (InstanceVerdict& verdict : state.verdicts) {
    if (!verdict.has_place || verdict.peers_latency == Duration::zero()) continue;
    if (fastest <= Scale(verdict.peers_latency, state.options.peers_slower)) continue;
    if (fastest - verdict.peers_latency <= kNoise) continue;
    verdict.has_place = false;
    verdict.undone = true;
    verdict.since = state.now;
  }
}

/// Gives a place to one more of the sick, if there is one to give.
void LeaveOutOneMore(Case& state) {
  const auto share = state.options.max_sick * static_cast<double>(state.set.size());
  const auto most = std::max<std::size_t>(1, static_cast<std::size_t>(share));
  std::size_t places = 0;
  TimePoint last = TimePoint::min();
  for (const InstanceVerdict& verdict : state.verdicts) {
    if (verdict.undone) return;  // the peers have no room for more
    if (!verdict.has_place) continue;
    ++places;
    last = std::max(last, verdict.since);
  }
  if (places >= most || SaturatingAdd(last, state.options.interval) > state.now) return;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    if (!state.Is(i, Finding::kSick) || state.verdicts[i].has_place) continue;
    state.verdicts[i].has_place = true;
    state.verdicts[i].since = state.now;
    state.verdicts[i].peers_latency = FastestPeer(state);
    return;
  }
}

/// Whether so few remain that the doubtful are better than nothing, and there are any.
bool Panics(const Case& state) {
  std::size_t left = 0;
  bool doubtful = false;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const bool place = state.verdicts[i].has_place;
    if (state.Is(i, Finding::kWell) || (state.Is(i, Finding::kSick) && !place)) ++left;
    if (state.Is(i, Finding::kDoubted) || place) doubtful = true;
  }
  const double least = state.options.panic * static_cast<double>(state.set.size());
  return doubtful && static_cast<double>(left) < least;
}

/// Turns findings, places and panic into what a pick may do; whether panic has changed anything.
bool Assign(Case& state, bool panic) {
  bool all_open = true;
  bool brought_back = false;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const bool doubted = state.Is(i, Finding::kDoubted);
    const bool out = state.Is(i, Finding::kGone) || (doubted && !panic);
    state.verdicts[i].use = out ? Use::kOut : Use::kNormal;
    if (!out && Closed(state.set[i].circuit)) all_open = false;
    if (doubted && !out) brought_back = true;
  }
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    InstanceVerdict& verdict = state.verdicts[i];
    const bool stays_out = verdict.has_place && (!panic || all_open);
    verdict.left_out = verdict.use == Use::kOut || stays_out || state.Is(i, Finding::kForced);
    if (verdict.left_out || all_open || Closed(state.set[i].circuit)) continue;
    verdict.use = Use::kAnyway;
    if (verdict.has_place) brought_back = true;
  }
  return brought_back;
}

}  // namespace

Judgement Judge(std::span<const InstanceFacts> set, const OutlierOptions& options, TimePoint now) {
  Case state{.set = set, .options = options, .now = now, .found = {}, .verdicts = {}};
  state.verdicts.resize(set.size());
  if (options.mode == Mode::kOff) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      state.verdicts[i].ramp_from = set[i].before.ramp_from;
    }
    return {.verdicts = std::move(state.verdicts), .panic = false, .all_dead = set.empty()};
  }
  for (const InstanceFacts& facts : set) state.found.push_back(Find(facts));
  for (std::size_t i = 0; i < set.size(); ++i) Carry(state, i);
  UndoWherePeersSuffer(state);
  LeaveOutOneMore(state);
  const bool panic = Assign(state, Panics(state));

  bool all_dead = true;
  for (std::size_t i = 0; i < set.size(); ++i) {
    InstanceVerdict& verdict = state.verdicts[i];
    if (options.mode == Mode::kShadow) {
      verdict.use = Use::kNormal;
      verdict.shadow = true;
    }
    if (verdict.use != Use::kOut) all_dead = false;
    // Who is brought back by need is needed whole; who comes back by itself begins slowly.
    const bool returns = set[i].before.use == Use::kOut && verdict.use != Use::kOut;
    if (returns && !state.Is(i, Finding::kDoubted)) verdict.ramp_from = now;
  }
  return {.verdicts = std::move(state.verdicts), .panic = panic, .all_dead = all_dead};
}

std::optional<Event> ToEvent(const InstanceVerdict& before, const InstanceVerdict& after,
                             TimePoint now) {
  if (before.left_out == after.left_out) return std::nullopt;
  Event event;
  event.at = now;
  event.policy = "outlier";
  if (after.left_out) {
    event.kind = after.reason == Reason::kStalled ? EventKind::kStalled : EventKind::kEjected;
    if (after.shadow) event.kind = EventKind::kWouldRefuse;
    event.reason = after.reason;
    return event;
  }
  event.kind = EventKind::kReturned;
  event.span = now - before.since;
  if (after.standing == Standing::kIn) {
    event.reason = Reason::kRecovered;
  } else if (after.undone) {
    event.reason = Reason::kRecovered;
    event.detail = "its absence made its peers slow";
  } else {
    event.reason = Reason::kPanic;
  }
  return event;
}

}  // namespace hale::policy
