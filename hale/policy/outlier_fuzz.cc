#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hale/policy/deviation.h"
#include "hale/policy/fuzz_input.h"
#include "hale/policy/outlier.h"
#include "hale/policy/stamped.h"
#include "hale/policy/usual_latency.h"

// Any sequence of (time, call, verdict), of what becomes known of instances, and of instances that
// join and leave, leads the judgement and a model that keeps every answer and every instance's past
// to the same decisions and events.

namespace hale::policy {
namespace {

bool Near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(b)); }

struct Answer {
  TimePoint at;
  bool failed;
  double log;  ///< of its latency in nanoseconds, to base 2
};

struct Usual {
  std::optional<double> log;
  std::uint32_t calls = 0;
};

/// Stamps are coarse, and what is between them counts as nothing.
bool Silent(TimePoint from, TimePoint to) {
  return (Stamped::At(to) - Stamped::At(from)) * double{1 << 20} > 30e9;
}

/// The mean of the last 32 or so, all counted anew.
Usual UsualOf(const std::vector<Answer>& answers, TimePoint now) {
  Usual usual;
  TimePoint last = TimePoint::min();
  for (const Answer& answer : answers) {
    if (usual.calls > 0 && Silent(last, answer.at)) usual = {};
    last = answer.at;
    ++usual.calls;
    if (!usual.log) {
      if (!answer.failed) usual.log = answer.log;
    } else if (!answer.failed || answer.log > *usual.log) {
      *usual.log += (answer.log - *usual.log) / std::min(32U, usual.calls);
    }
  }
  if (usual.calls == 0 || Silent(last, now)) return {};
  usual.calls = std::min(2047U, usual.calls);
  return usual;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

double Spread(std::vector<double> values) {
  const double median = Median(values);
  for (double& value : values) value = std::abs(value - median);
  return 1.4826 * Median(values);
}

/// How far each is from being left out, a nanosecond, a call and a median at a time.
std::vector<Deviation> Distances(const std::vector<PeerFigures>& set, const DeviationOptions& o) {
  std::vector<Deviation> distances(set.size());
  std::vector<double> logs;
  std::vector<double> shares;
  for (const PeerFigures& one : set) {
    if (one.calls < o.minimum_calls) continue;
    shares.push_back(one.failures);
    if (one.latency > 0ns) logs.push_back(std::log2(Seconds(one.latency)));
  }
  if (o.mode == Mode::kOff || shares.size() < 3) return distances;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const PeerFigures& one = set[i];
    if (one.calls < o.minimum_calls) continue;
    distances[i].compared = true;
    const double share = Median(shares);
    const double chance = std::sqrt(share * (1 - share) / 16);
    const double wide = std::max({Spread(shares), 0.05, chance});
    distances[i].failures = std::min((one.failures - share) / (wide * o.threshold),
                                     (one.failures - share) / o.failures);
    if (one.latency <= 0ns || logs.size() < 3) continue;
    const double median = std::exp2(Median(logs));
    const double slower = std::log2(Seconds(one.latency) / median);
    distances[i].latency =
        std::min({slower / (std::max(Spread(logs), 0.26) * o.threshold),
                  slower / std::log2(o.slower), (Seconds(one.latency) - median) / 0.025});
  }
  return distances;
}

/// The rows of the page's table.
enum class Row : std::uint8_t { kWell, kRefuses, kStopped, kDoubted, kOpen, kUnlike, kForced };

/// What became of one instance.
struct Past {
  Row row = Row::kWell;
  Reason reason = Reason::kNone;
  Use use = Use::kNormal;
  bool has_place = false;
  bool undone = false;  ///< it had a place in this sickness
  bool left_out = false;
  bool shadow = false;
  TimePoint next_from = TimePoint::min();  ///< on its account nobody else is left out before
  TimePoint out_since = TimePoint::min();
  TimePoint until = TimePoint::min();
  TimePoint ramp_from = TimePoint::min();
  Duration peers{0};
  float distance = 0;
  std::uint32_t rests = 0;

  bool sick() const { return row == Row::kOpen || row == Row::kUnlike; }
  bool dead() const { return row == Row::kRefuses || row == Row::kStopped || row == Row::kDoubted; }
  bool out() const { return left_out && !shadow; }
};

/// What the documentation says, without any thrift.
class Model {
 public:
  OutlierOptions options;
  std::vector<Past> set;
  bool panic = false;

  /// The distances are taken from what is tested once they are found to be right: how they were
  /// rounded decides nothing.
  void Judge(const std::vector<InstanceFacts>& facts, const std::vector<Deviation>& distances,
             TimePoint now) {
    const std::vector<Past> before = set;
    panic = false;
    if (options.mode == Mode::kOff) {
      for (Past& one : set) one = {.ramp_from = one.ramp_from};
      for (const Deviation& distance : distances) Require(distance == Deviation());
      return;
    }
    for (std::size_t i = 0; i < set.size(); ++i) FindOwn(set[i], facts[i]);
    Compare(facts, before, distances, now);
    for (Past& one : set) {
      if (!one.sick()) one.has_place = one.undone = false;
      if (one.next_from <= now) one.undone = false;
    }
    Undo(facts, now);
    LeaveOutOneMore(facts, distances, now);
    Assign(facts);
    if (options.mode == Mode::kShadow) panic = false;  // followed by nobody
    for (std::size_t i = 0; i < set.size(); ++i) {
      Past& one = set[i];
      one.shadow = options.mode == Mode::kShadow;
      if (one.shadow) one.use = Use::kNormal;
      const bool back = Away(before[i]) && !Away(one);
      const bool for_need =
          one.row == Row::kDoubted || (one.row == Row::kUnlike && before[i].use == Use::kAside);
      if (back && !for_need) one.ramp_from = now;
      if (one.out() && !before[i].out()) one.out_since = now;
    }
  }
  bool AllDead() const {
    return std::ranges::all_of(set, [](const Past& one) { return one.use == Use::kOut; });
  }

 private:
  static bool Away(const Past& one) { return one.use == Use::kOut || one.use == Use::kAside; }
  static bool Closed(const InstanceFacts& facts) {
    return facts.circuit == CircuitState::kClosed || facts.circuit == CircuitState::kForcedClosed;
  }

  static void FindOwn(Past& one, const InstanceFacts& facts) {
    const auto is = [&](Row row, Reason reason) {
      one.row = row;
      one.reason = reason;
    };
    is(Row::kWell, Reason::kNone);
    if (!Closed(facts)) is(Row::kOpen, facts.circuit_reason);
    if (facts.health == Opinion::kBad || facts.registry == Opinion::kBad) {
      is(Row::kDoubted, Reason::kUnhealthy);
    }
    if (facts.circuit == CircuitState::kForcedOpen) is(Row::kForced, Reason::kForced);
    if (facts.stalled) is(Row::kStopped, Reason::kStalled);
    if (facts.refused > facts.alive) is(Row::kRefuses, Reason::kUpstreamConnect);
  }
  void Compare(const std::vector<InstanceFacts>& facts, const std::vector<Past>& before,
               const std::vector<Deviation>& distances, TimePoint now) {
    const bool enforced = options.deviation.mode == Mode::kEnforce;
    std::vector<PeerFigures> figures(set.size());
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (set[i].row != Row::kWell) continue;
      const bool rests = before[i].has_place && now < before[i].until;
      if (enforced && before[i].row == Row::kUnlike && rests) {
        set[i].row = Row::kUnlike;
        set[i].reason = before[i].reason;
      } else if (!before[i].has_place) {  // new calls alone count
        figures[i] = facts[i].figures;
      }
    }
    const auto expected = Distances(figures, options.deviation);
    for (std::size_t i = 0; i < set.size(); ++i) {
      Require(distances[i].compared == expected[i].compared);
      Require(Near(distances[i].latency, expected[i].latency));
      Require(Near(distances[i].failures, expected[i].failures));
      if (distances[i].compared && distances[i].worse() < 1) set[i].rests = 0;
      if (!enforced || distances[i].worse() < 1) continue;
      const bool slow = distances[i].latency >= distances[i].failures;
      set[i].row = Row::kUnlike;
      set[i].reason = slow ? Reason::kSlowRate : Reason::kFailureRate;
    }
  }

  /// Zero: nobody's is known.
  Duration Fastest(const std::vector<InstanceFacts>& facts) const {
    Duration fastest = kForever;
    for (std::size_t i = 0; i < set.size(); ++i) {
      const bool known = set[i].row == Row::kWell && facts[i].latency > 0ns;
      if (known) fastest = std::min(fastest, facts[i].latency);
    }
    return fastest == kForever ? Duration(0) : fastest;
  }
  void Undo(const std::vector<InstanceFacts>& facts, TimePoint now) {
    const Duration fastest = Fastest(facts);
    for (Past& one : set) {
      const bool slower = fastest > Scale(one.peers, options.peers_slower);
      if (!one.has_place || one.peers == 0ns || !slower || fastest - one.peers <= 25ms) continue;
      one.has_place = false;
      one.undone = true;
      one.next_from = now + 10 * options.interval;
    }
  }
  void LeaveOutOneMore(const std::vector<InstanceFacts>& facts,
                       const std::vector<Deviation>& distances, TimePoint now) {
    double places = 0;
    for (const Past& one : set) {
      if (one.undone || one.next_from > now) return;
      places += one.has_place ? 1 : 0;
    }
    if (places + 1 > std::max(1.0, options.max_sick * static_cast<double>(set.size()))) return;
    std::optional<std::size_t> next;
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (!set[i].sick() || set[i].has_place) continue;
      const auto rank = [&](std::size_t who) {
        return set[who].row == Row::kOpen ? HUGE_VAL : distances[who].worse();
      };
      if (!next || rank(i) > rank(*next)) next = i;
    }
    if (!next) return;
    Past& one = set[*next];
    one.has_place = true;
    one.next_from = now + options.interval;
    one.peers = Fastest(facts);
    if (one.row != Row::kUnlike) return;
    const DeviationOptions& o = options.deviation;
    const double rest = Seconds(o.rest) * std::pow(2, one.rests);
    const Duration most = std::max(o.rest, o.max_rest);
    one.until = now + (rest < Seconds(most) ? Scale(o.rest, std::pow(2, one.rests)) : most);
    one.distance = static_cast<float>(distances[*next].worse());
    ++one.rests;
  }

  /// Whether so few remain that the doubtful are better than nothing.
  bool TooFew() const {
    const auto left = std::ranges::count_if(set, [](const Past& one) {
      return one.row == Row::kWell || (one.sick() && !one.has_place);
    });
    return static_cast<double>(left) < options.panic * static_cast<double>(set.size());
  }
  void Assign(const std::vector<InstanceFacts>& facts) {
    const bool few = TooFew();
    bool all_open = true;
    for (std::size_t i = 0; i < set.size(); ++i) {
      const bool living = !set[i].dead() || (set[i].row == Row::kDoubted && few);
      if (living && Closed(facts[i])) all_open = false;
    }
    for (std::size_t i = 0; i < set.size(); ++i) {
      Past& one = set[i];
      const bool again = few && (one.row == Row::kDoubted || (one.sick() && !all_open));
      one.left_out = (one.dead() || one.has_place || one.row == Row::kForced) && !again;
      one.use = Use::kNormal;
      if (one.dead() && one.left_out) one.use = Use::kOut;
      if (one.row == Row::kUnlike && one.left_out) one.use = Use::kAside;
      if (!one.left_out && !all_open && !Closed(facts[i])) one.use = Use::kAnyway;
      if (!one.left_out && (one.dead() || one.has_place)) panic = true;
    }
    if (!std::ranges::all_of(set, &Past::left_out)) return;
    for (Past& one : set) {  // rather than nobody
      if (one.use != Use::kAside) continue;
      one.use = Use::kNormal;
      one.left_out = false;
      panic = true;
    }
  }
};

/// What the documentation says is told of an instance.
std::optional<Event> Told(const Past& before, const Past& after, TimePoint now) {
  Event event;
  event.reason = after.reason;
  if (before.out() && !after.out()) {
    event.kind = EventKind::kReturned;
    event.span = now - before.out_since;
    const bool needed = !after.shadow && (after.row == Row::kDoubted || after.has_place);
    event.reason = needed ? Reason::kPanic : Reason::kRecovered;
    return event;
  }
  if (after.shadow ? before.left_out || !after.left_out : before.out() || !after.out()) {
    return std::nullopt;
  }
  event.kind = after.row == Row::kStopped ? EventKind::kStalled : EventKind::kEjected;
  if (after.shadow) event.kind = EventKind::kWouldRefuse;
  if (after.row == Row::kUnlike) {
    event.observed = after.distance;
    event.threshold = 1;
    event.span = after.until - now;
  }
  return event;
}

/// The two, led through the same sequence.
class Pair {
 public:
  void Apply(const OutlierOptions& options) { model_.options = options; }
  void Join() {
    facts_.emplace_back();
    known_.emplace_back();
    model_.set.emplace_back();
  }
  void Leave(std::size_t which) {
    const auto at = static_cast<std::ptrdiff_t>(which % facts_.size());
    facts_.erase(facts_.begin() + at);
    known_.erase(known_.begin() + at);
    model_.set.erase(model_.set.begin() + at);
  }
  void Answered(std::size_t which, Outcome outcome, Duration latency, TimePoint now) {
    Known& known = known_[which % known_.size()];
    known.usual->Observe(outcome, latency, now);
    if (outcome == Outcome::kIgnored) return;
    const auto nanoseconds = static_cast<double>(std::max(latency, Duration(1)).count());
    known.answers.push_back({now, outcome == Outcome::kFailure, std::log2(nanoseconds)});
  }
  InstanceFacts& facts(std::size_t which) { return facts_[which % facts_.size()]; }
  double& failures(std::size_t which) { return known_[which % known_.size()].failures; }
  std::size_t size() const { return facts_.size(); }

  void Judge(TimePoint now) {
    for (std::size_t i = 0; i < facts_.size(); ++i) Read(i, now);
    const Judgement got = policy::Judge(facts_, model_.options, now);
    const std::vector<Past> before = model_.set;
    Require(got.verdicts.size() == before.size() && got.deviations.size() == before.size());
    model_.Judge(facts_, got.deviations, now);
    Require(got.panic == model_.panic);
    Require(got.all_dead == model_.AllDead());
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      Same(got.verdicts[i], model_.set[i]);
      const auto event = ToEvent(facts_[i].before, got.verdicts[i], now);
      Same(event, Told(before[i], model_.set[i], now));
      facts_[i].before = got.verdicts[i];
      if (before[i].use == Use::kAside && model_.set[i].use != Use::kAside) {
        known_[i].usual->Forget();
        known_[i].answers.clear();
      }
    }
  }

 private:
  struct Known {
    std::unique_ptr<UsualLatency> usual = std::make_unique<UsualLatency>();
    std::vector<Answer> answers{};
    double failures = 0;
  };

  /// Lines between powers of two are not quite a logarithm, and nanoseconds are whole.
  void Read(std::size_t i, TimePoint now) {
    const auto read = known_[i].usual->Read(now);
    const Usual usual = UsualOf(known_[i].answers, now);
    const auto latency = static_cast<double>(read.latency.count());
    Require(read.calls == usual.calls && (latency > 0) == usual.log.has_value());
    Require(latency >= std::exp2(usual.log.value_or(0) - 0.09) - 1 || !usual.log);
    Require(latency <= std::exp2(usual.log.value_or(0) + 0.09) + 1);
    facts_[i].figures = {
        .latency = read.latency, .failures = known_[i].failures, .calls = read.calls};
  }
  static void Same(const InstanceVerdict& got, const Past& expected) {
    Standing standing = expected.dead() ? Standing::kDead : Standing::kSick;
    if (expected.row == Row::kWell) standing = Standing::kIn;
    Require(got.standing == standing && got.reason == expected.reason);
    Require(got.unlike == (expected.row == Row::kUnlike));
    Require(got.has_place == expected.has_place);
    Require(got.undone == expected.undone);
    Require(got.left_out == expected.left_out && got.shadow == expected.shadow);
    Require(got.use == expected.use);
    Require(got.rests == expected.rests);
    Require(got.ramp_from == expected.ramp_from);
    if (got.out()) Require(got.since == expected.out_since);
    if (!got.has_place) return;
    Require(got.peers_latency == expected.peers);
    if (!got.unlike) return;
    Require(got.until == expected.until && got.distance == expected.distance);
  }
  static void Same(const std::optional<Event>& got, const std::optional<Event>& expected) {
    Require(got.has_value() == expected.has_value());
    if (!got) return;
    Require(got->kind == expected->kind);
    Require(got->reason == expected->reason);
    Require(got->observed == expected->observed && got->threshold == expected->threshold);
    Require(got->span == expected->span);
  }

  std::vector<InstanceFacts> facts_;
  std::vector<Known> known_;
  Model model_;
};

OutlierOptions PickOptions(Input& input) {
  constexpr std::array kModes = {Mode::kEnforce, Mode::kEnforce, Mode::kShadow, Mode::kOff};
  OutlierOptions options;
  options.mode = input.Pick(kModes);
  options.max_sick = input.Pick(std::array{0.2, 0.0, 0.5, 1.0});
  options.panic = input.Pick(std::array{0.5, 0.0, 1.0});
  options.interval = input.Pick(std::array{Duration(1s), Duration(0s), Duration(5s)});
  options.peers_slower = input.Pick(std::array{2.0, 1.0, 10.0});
  DeviationOptions& deviation = options.deviation;
  deviation.mode = input.Pick(kModes);
  deviation.threshold = input.Pick(std::array{5.0, 1.0});
  deviation.slower = input.Pick(std::array{3.0, 1.5});
  deviation.failures = input.Pick(std::array{0.25, 0.05});
  deviation.minimum_calls = input.Pick(std::array{50U, 1U});
  deviation.rest = input.Pick(std::array{Duration(10s), Duration(1s)});
  deviation.max_rest = input.Pick(std::array{Duration(5min), Duration(15s), Duration(5s)});
  return options;
}

void Learn(Pair& pair, std::uint8_t op, Input& input, TimePoint now) {
  const std::uint8_t who = input.Byte();
  InstanceFacts& facts = pair.facts(who);
  if (op < 130) {
    facts.circuit = static_cast<CircuitState>(input.Byte() % 5);
    facts.circuit_reason =
        facts.circuit == CircuitState::kClosed ? Reason::kNone : Reason::kFailureRate;
  } else if (op < 150) {
    (op % 2 == 0 ? facts.health : facts.registry) = static_cast<Opinion>(input.Byte() % 3);
  } else if (op < 165) {
    facts.stalled = op % 2 == 0;
  } else if (op < 180) {
    (op % 2 == 0 ? facts.refused : facts.alive) = now;
  } else if (op < 195) {
    facts.latency = input.Pick(std::array{Duration(0s), Duration(5ms), Duration(20ms),
                                          Duration(31ms), Duration(60ms), Duration(2s)});
  } else {
    pair.failures(who) = input.Pick(std::array{0.0, 0.02, 0.1, 0.3, 0.5, 1.0});
  }
}

}  // namespace
}  // namespace hale::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hale;          // NOLINT: a fuzz target is one function
  using namespace hale::policy;  // NOLINT
  Input input(data, std::min<std::size_t>(size, 400));
  Pair pair;
  pair.Apply(PickOptions(input));
  for (int count = 1 + input.Byte() % 12; count > 0; --count) pair.Join();
  TimePoint now(1h);
  while (!input.empty()) {
    const std::uint8_t op = input.Byte();
    if (op < 90) {
      // Some hours in all: stamps go round after weeks.
      now += input.Pick(std::array{Duration(0s), Duration(1ms), Duration(500ms), Duration(1s),
                                   Duration(4s), Duration(10s), Duration(31s), Duration(1h)});
      pair.Judge(now);
    } else if (op < 200) {
      Learn(pair, op, input, now);
    } else if (op < 240) {
      const std::uint8_t who = input.Byte();
      const auto outcome = static_cast<Outcome>(input.Byte() % 3);
      const Duration latency =
          input.Pick(std::array{Duration(5ms), Duration(0s), Duration(100us), Duration(8ms),
                                Duration(40ms), Duration(100ms), Duration(1s), Duration(1h)});
      for (int times = 1 + op % 8 * 8; times > 0; --times) {
        pair.Answered(who, outcome, latency, now);
      }
    } else if (op < 245) {
      if (pair.size() < 12) pair.Join();
    } else if (op < 250) {
      if (pair.size() > 1) pair.Leave(input.Byte());
    } else {
      pair.Apply(PickOptions(input));
    }
  }
  return 0;
}
