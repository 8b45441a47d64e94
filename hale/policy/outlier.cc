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
  kUnlike,   ///< its peers are faster, or fail less
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
  // Before opinions, which panic passes over: an order it does not.
  if (facts.circuit == CircuitState::kForcedOpen) return {Finding::kForced, Reason::kForced};
  if (facts.health == Opinion::kBad || facts.registry == Opinion::kBad) {
    return {Finding::kDoubted, Reason::kUnhealthy};
  }
  if (!IsClosed(facts.circuit)) return {Finding::kSick, facts.circuit_reason};
  return {};
}

Standing StandingOf(Finding finding) {
  switch (finding) {
    case Finding::kWell:
      return Standing::kIn;
    case Finding::kSick:
    case Finding::kUnlike:
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
  std::vector<Deviation> deviations;

  bool Is(std::size_t i, Finding finding) const { return found[i].finding == finding; }
  bool IsSick(std::size_t i) const { return Is(i, Finding::kSick) || Is(i, Finding::kUnlike); }
};

/// Its rest is not over.
bool Rests(const InstanceVerdict& before, const OutlierOptions& options, TimePoint now) {
  if (options.deviation.mode != Mode::kEnforce) return false;
  return before.unlike && before.has_place && now < before.until;
}

/// Compares those whose own facts say nothing against them, and finds who is unlike the others.
void FindUnlike(Case& state) {
  std::vector<PeerFigures> figures(state.set.size());
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const InstanceFacts& facts = state.set[i];
    if (!state.Is(i, Finding::kWell)) continue;
    if (Rests(facts.before, state.options, state.now)) {
      state.found[i] = {Finding::kUnlike, facts.before.reason};
    } else if (!facts.before.has_place) {  // else its figures are of before its rest
      figures[i] = facts.figures;
    }
  }
  state.deviations = Deviations(figures, state.options.deviation);
  if (state.options.deviation.mode != Mode::kEnforce) return;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const Deviation& deviation = state.deviations[i];
    if (!state.Is(i, Finding::kWell) || deviation.worse() < 1) continue;
    const bool slow = deviation.latency >= deviation.failures;
    state.found[i] = {Finding::kUnlike, slow ? Reason::kSlowRate : Reason::kFailureRate};
  }
}

/// What stays from the last time.
void Carry(Case& state, std::size_t i) {
  const InstanceVerdict& before = state.set[i].before;
  InstanceVerdict& verdict = state.verdicts[i];
  verdict.standing = StandingOf(state.found[i].finding);
  verdict.reason = state.found[i].reason;
  verdict.next_from = before.next_from;
  verdict.ramp_from = before.ramp_from;
  verdict.unlike = state.Is(i, Finding::kUnlike);
  // Compared again and found to be as its peers are: what was is forgiven.
  const bool forgiven = state.deviations[i].compared && state.deviations[i].worse() < 1;
  verdict.rests = forgiven ? 0 : before.rests;
  if (!state.IsSick(i) || before.standing != Standing::kSick) return;
  verdict.has_place = before.has_place;
  verdict.until = before.until;
  verdict.distance = before.distance;
  verdict.peers_latency = before.peers_latency;
  verdict.undone = before.undone && state.now < before.next_from;
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
    verdict.next_from = SaturatingAdd(state.now, kUndoneFor * state.options.interval);
  }
}

/// Of the sick without a place: one whose circuit is open, else the one most unlike its peers.
std::optional<std::size_t> NextOut(const Case& state) {
  std::optional<std::size_t> next;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    if (!state.IsSick(i) || state.verdicts[i].has_place) continue;
    if (state.Is(i, Finding::kSick)) return i;
    if (!next || state.deviations[i].worse() > state.deviations[*next].worse()) next = i;
  }
  return next;
}

/// Gives a place to one more of the sick, if there is one to give.
void LeaveOutOneMore(Case& state) {
  const auto share = state.options.max_sick * static_cast<double>(state.set.size());
  const auto most = std::max<std::size_t>(1, static_cast<std::size_t>(share));
  std::size_t places = 0;
  for (const InstanceVerdict& verdict : state.verdicts) {
    // Also when it is well by now: what its peers have taken on, they have.
    if (verdict.undone || verdict.next_from > state.now) return;
    if (verdict.has_place) ++places;
  }
  if (places >= most) return;
  const std::optional<std::size_t> next = NextOut(state);
  if (!next) return;
  InstanceVerdict& verdict = state.verdicts[*next];
  verdict.has_place = true;
  verdict.next_from = SaturatingAdd(state.now, state.options.interval);
  verdict.peers_latency = FastestPeer(state);
  if (!verdict.unlike) return;
  const DeviationOptions& options = state.options.deviation;
  Duration rest = options.rest;
  for (std::uint32_t i = 0; i < verdict.rests && rest < options.max_rest; ++i) rest *= 2;
  verdict.until =
      SaturatingAdd(state.now, std::min(rest, std::max(options.rest, options.max_rest)));
  verdict.distance = static_cast<float>(state.deviations[*next].worse());
  ++verdict.rests;
}

/// Whether so few remain that the doubtful are better than nothing, and there are any.
bool Panics(const Case& state) {
  std::size_t left = 0;
  bool doubtful = false;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const bool place = state.verdicts[i].has_place;
    if (state.Is(i, Finding::kWell) || (state.IsSick(i) && !place)) ++left;
    if (state.Is(i, Finding::kDoubted) || place) doubtful = true;
  }
  const double least = state.options.panic * static_cast<double>(state.set.size());
  return doubtful && static_cast<double>(left) < least;
}

/// Better somebody slow than nobody; whether that had to be.
bool LeaveSomebody(Case& state) {
  bool had_to = false;
  for (const InstanceVerdict& verdict : state.verdicts) {
    if (!verdict.left_out) return false;
  }
  for (InstanceVerdict& verdict : state.verdicts) {
    if (verdict.use != Use::kAside) continue;
    verdict.use = Use::kNormal;
    verdict.left_out = false;
    had_to = true;
  }
  return had_to;
}

/// Turns findings, places and panic into what a pick may do; whether panic has changed anything.
bool Assign(Case& state, bool panic) {
  bool all_open = true;
  bool brought_back = false;
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    const bool doubted = state.Is(i, Finding::kDoubted);
    const bool out = state.Is(i, Finding::kGone) || (doubted && !panic);
    state.verdicts[i].use = out ? Use::kOut : Use::kNormal;
    if (!out && IsClosed(state.set[i].circuit)) all_open = false;
    if (doubted && !out) brought_back = true;
  }
  for (std::size_t i = 0; i < state.set.size(); ++i) {
    InstanceVerdict& verdict = state.verdicts[i];
    const bool stays_out = verdict.has_place && (!panic || all_open);
    verdict.left_out = verdict.use == Use::kOut || stays_out || state.Is(i, Finding::kForced);
    if (verdict.unlike) {  // its circuit is closed: nothing but its use keeps calls away
      if (stays_out) verdict.use = Use::kAside;
      if (verdict.has_place && !stays_out) brought_back = true;
      continue;
    }
    if (verdict.left_out || all_open || IsClosed(state.set[i].circuit)) continue;
    verdict.use = Use::kAnyway;
    if (verdict.has_place) brought_back = true;
  }
  return LeaveSomebody(state) || brought_back;
}

}  // namespace

Judgement Judge(std::span<const InstanceFacts> set, const OutlierOptions& options, TimePoint now) {
  Case state{
      .set = set, .options = options, .now = now, .found = {}, .verdicts = {}, .deviations = {}};
  state.verdicts.resize(set.size());
  if (options.mode == Mode::kOff) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      state.verdicts[i].ramp_from = set[i].before.ramp_from;
    }
    state.deviations.resize(set.size());
    return {.verdicts = std::move(state.verdicts),
            .deviations = std::move(state.deviations),
            .panic = false,
            .all_dead = set.empty()};
  }
  for (const InstanceFacts& facts : set) state.found.push_back(Find(facts));
  FindUnlike(state);
  for (std::size_t i = 0; i < set.size(); ++i) Carry(state, i);
  UndoWherePeersSuffer(state);
  LeaveOutOneMore(state);
  const bool panic = Assign(state, Panics(state));

  bool all_dead = true;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const InstanceVerdict& before = set[i].before;
    InstanceVerdict& verdict = state.verdicts[i];
    if (options.mode == Mode::kShadow) {
      verdict.use = Use::kNormal;
      verdict.shadow = true;
    }
    if (verdict.use != Use::kOut) all_dead = false;
    // Who is brought back by need is needed whole; who comes back by itself begins slowly.
    const bool was_out = before.use == Use::kOut || before.use == Use::kAside;
    const bool returns = was_out && verdict.use != Use::kOut && verdict.use != Use::kAside;
    const bool by_need = state.Is(i, Finding::kDoubted) ||
                         (state.Is(i, Finding::kUnlike) && before.use == Use::kAside);
    if (returns && !by_need) verdict.ramp_from = now;
    const bool as_before =
        before.out() ? verdict.out() : !verdict.out() && verdict.standing == before.standing;
    verdict.since = as_before ? before.since : now;
  }
  return {.verdicts = std::move(state.verdicts),
          .deviations = std::move(state.deviations),
          .panic = panic && options.mode == Mode::kEnforce,
          .all_dead = all_dead};
}

std::optional<Event> ToEvent(const InstanceVerdict& before, const InstanceVerdict& after,
                             TimePoint now) {
  Event event;
  event.at = now;
  event.policy = "outlier";
  if (before.out() && !after.out()) {
    event.kind = EventKind::kReturned;
    event.span = now - before.since;
    event.reason = Reason::kRecovered;
    if (after.shadow) {
      event.detail = "in shadow";
    } else if (after.undone) {
      event.detail = "its absence made its peers slow";
    } else if (after.standing == Standing::kDead || after.has_place) {
      event.reason = Reason::kPanic;
    }
    return event;
  }
  if (!after.left_out || (after.shadow ? before.left_out : before.out())) return std::nullopt;
  event.kind = after.reason == Reason::kStalled ? EventKind::kStalled : EventKind::kEjected;
  if (after.shadow) event.kind = EventKind::kWouldRefuse;
  event.reason = after.reason;
  if (after.unlike) {
    event.observed = after.distance;
    event.threshold = 1;
    event.span = after.until - now;
    event.detail = "unlike its peers";
  }
  return event;
}

}  // namespace hale::policy
