#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "hale/base/event.h"
#include "hale/base/field.h"
#include "hale/base/reason.h"
#include "hale/base/time.h"
#include "hale/policy/circuit_breaker_options.h"
#include "hale/policy/deviation.h"
#include "hale/policy/mode.h"

namespace hale::policy {

struct OutlierOptions {
  Mode mode = Mode::kEnforce;
  double max_sick = 0.2;      ///< [0, 1] of the set left out as sick at most; always one
  double panic = 0.5;         ///< [0, 1]: with a smaller share left, the doubtful are used again
  Duration interval = 1s;     ///< between leaving out one sick instance and the next
  double peers_slower = 2.0;  ///< [1, …): growth of the peers' latency that undoes a leaving out
  Duration rest = 1s;         ///< before a dead instance gets its first probe; doubles with each
  Duration max_rest = 30s;
  DeviationOptions deviation = {};  ///< who is sick by comparison with its peers

  friend bool operator==(const OutlierOptions&, const OutlierOptions&) = default;
};

constexpr auto Fields(Type<OutlierOptions>) {
  using O = OutlierOptions;
  return std::tuple{
      Field{"mode", &O::mode, "off, shadow or enforce"},
      Field{"max_sick", &O::max_sick, 0.0, 1.0, "share left out as sick at most; always one"},
      Field{"panic", &O::panic, 0.0, 1.0, "with a smaller share left, the doubtful come back"},
      Field{"interval", &O::interval, 0ms, 1h, "from leaving out one sick instance to the next"},
      Field{"peers_slower", &O::peers_slower, 1.0, 100.0,
            "growth of peers' latency that undoes it"},
      Field{"rest", &O::rest, 10ms, 1h, "before a dead instance's first probe; doubles"},
      Field{"max_rest", &O::max_rest, 10ms, 1h, "and never longer than this"},
      Field{"deviation", &O::deviation, "when an instance is left out for being unlike its peers"}};
}

/// What somebody who looks at it from outside says: a health check, a registry.
enum class Opinion : std::uint8_t { kNone, kGood, kBad };

/// How an instance stands within its set.
enum class Standing : std::uint8_t {
  kIn,
  kSick,  ///< errors or slowness: its circuit is open, or it is unlike its peers. It carries load
  kDead,  ///< it refuses connections, has stopped, or is said to be down. It carries none
};

/// What a pick may do with an instance.
enum class Use : std::uint8_t {
  kNormal,  ///< pick it if its breaker admits
  kAnyway,  ///< pick it; a refusal of its breaker is passed over: too few are left to do without
  kOut,     ///< leave it out, but for one probe a rest
  kAside,   ///< leave it out until its rest is over: it is unlike its peers
};

/// The judgement on one instance, kept by the caller and handed in again the next time. One that
/// joins a set already in use begins with `ramp_from` at that time.
struct InstanceVerdict {
  Standing standing = Standing::kIn;
  Use use = Use::kNormal;
  Reason reason = Reason::kNone;           ///< why it is not in
  bool unlike = false;                     ///< kSick by comparison, not by its circuit
  bool has_place = false;                  ///< kSick: one of the places of max_sick is its
  bool undone = false;                     ///< kSick: it had a place and its peers grew slow
  bool left_out = false;                   ///< all told: it gets no calls but probes
  bool shadow = false;                     ///< left_out is only what would be
  TimePoint since = TimePoint::min();      ///< of being out(), else of this standing
  TimePoint next_from = TimePoint::min();  ///< nobody else is given a place before, on its account
  TimePoint ramp_from = TimePoint::min();  ///< since when its load grows: Candidate::since
  Duration peers_latency{0};               ///< of its fastest peer when it was given its place
  TimePoint until = TimePoint::min();      ///< unlike its peers: the end of its rest
  float distance = 0;       ///< and how far it was when the rest began, see Deviation
  std::uint32_t rests = 0;  ///< one after another, without having been well between

  /// It is left out in earnest.
  bool out() const { return left_out && !shadow; }

  friend bool operator==(const InstanceVerdict&, const InstanceVerdict&) = default;
};

/// What is known of one instance.
struct InstanceFacts {
  CircuitState circuit = CircuitState::kClosed;
  Reason circuit_reason = Reason::kNone;  ///< why its circuit is not closed
  Opinion health = Opinion::kNone;
  Opinion registry = Opinion::kNone;
  bool stalled = false;                  ///< Pulse::stalled()
  TimePoint refused = TimePoint::min();  ///< the last connect that was refused
  TimePoint alive = TimePoint::min();    ///< the last byte, connect or passing check
  Duration latency{0};                   ///< Load::Latency(); 0: unknown
  PeerFigures figures;                   ///< what it is compared by
  InstanceVerdict before;                ///< how it was judged the last time
};

struct Judgement {
  std::vector<InstanceVerdict> verdicts;  ///< one for each instance, in their order
  std::vector<Deviation> deviations;      ///< how far each is from being left out by comparison
  bool panic = false;     ///< too few were left, and some of the doubtful are used again
  bool all_dead = false;  ///< nobody may be picked: `no_instance` at once, but for probes
};

/// Judges a set: who is dead, who is sick, who is left out. The dead are left out without a cap:
/// they carry no load. The sick are left out one at a time, at most max(1, max_sick × n), since
/// each shifts load to its peers (beyond 1 − ρ/0.95 of them the cure is the outage); when even the
/// fastest peer grows slow it is undone, for ten intervals. When fewer than `panic` remain, the
/// sick and those who are only said to be down are used again, never who refuses or has stopped.
/// Sick ones without a place are used although their breaker refuses, unless the circuit of every
/// living instance is open: a service that fails is no outlier, its breakers refuse
/// (`circuit_open`). An instance that is unlike its peers takes one of the same places, the
/// farthest first after those whose circuit is open, and rests; each rest in a row is twice as
/// long. Afterwards it is judged by new calls alone: forget its figures. Run it when a fact changes
/// and at a coarse interval, not at each pick. (After Envoy's outlier detection, which ejects a
/// share at most, and its panic threshold.) Pure.
Judgement Judge(std::span<const InstanceFacts> set, const OutlierOptions& options, TimePoint now);

/// What changed for an instance: kEjected, kReturned or kStalled, in shadow kWouldRefuse, or
/// nothing: nobody returns who was left out in shadow only, and who was out returns when only
/// shadow is left of it. The caller adds names. Pure.
std::optional<Event> ToEvent(const InstanceVerdict& before, const InstanceVerdict& after,
                             TimePoint now);

}  // namespace hale::policy
