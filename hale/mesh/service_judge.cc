#include <algorithm>
#include <utility>

#include "hale/mesh/service.h"

namespace hale::mesh {
namespace {

constexpr Duration kHasten = std::chrono::milliseconds(50);

}  // namespace

/// Breakers are told when it has changed by a quarter.
void Service::FollowReplies(const ServiceOptions& options, TimePoint now) {
  const Duration after = policy::HungThreshold(replies_, options.breaker.hung_after);
  if (4 * std::chrono::abs(after - hung_after_) <= hung_after_) return;
  hung_after_ = after;
  for (auto& [address, known] : known_) known.member->Apply(options, hung_after_, now);
}

void Service::MarkStalls(const MemberSet& set, const ServiceOptions& options, TimePoint now) {
  if (options.stall.mode == policy::Mode::kOff) return;
  const Duration theta = policy::StallThreshold(replies_);
  std::vector<policy::PulseReading> readings;
  readings.reserve(set.members.size());
  for (const auto& member : set.members) readings.push_back(member->pulse().Read());
  const std::vector<bool> stalled = policy::JudgeStalls(readings, theta, now);
  for (std::size_t i = 0; i < stalled.size(); ++i) {
    if (options.stall.mode == policy::Mode::kShadow) {
      // Nothing is marked, so that it would be found again at each look.
      bool& told = Find(set.members[i]->address())->would_be_stalled;
      if (std::exchange(told, stalled[i])) continue;
    }
    if (!stalled[i] || readings[i].stalled) continue;
    Event event;
    event.at = now;
    event.reason = Reason::kStalled;
    event.policy = "stall";
    event.observed = Seconds(now - readings[i].waiting_since);
    event.threshold = Seconds(theta);
    if (options.stall.mode == policy::Mode::kShadow) {
      event.kind = EventKind::kWouldRefuse;
      Tell(event, set.members[i]->address());
    } else if (set.members[i]->pulse().MarkStalled(readings[i])) {
      event.kind = EventKind::kStalled;
      Tell(event, set.members[i]->address());
    }
  }
}

policy::InstanceFacts Service::FactsOf(const Known& known, TimePoint now) const {
  const Member& member = *known.member;
  policy::InstanceFacts facts;
  facts.circuit = member.breaker().state_in_force(now);
  if (facts.circuit != policy::CircuitState::kClosed) {
    facts.circuit_reason = member.breaker().Status(now).trip.reason;
  }
  facts.health = member.health();
  facts.stalled = member.pulse().stalled();
  facts.refused = member.refused();
  facts.alive = std::max(member.alive(), member.pulse().Read().last_byte);
  facts.latency = member.load().Latency(now);
  const auto usual = member.load().usual().Read(now);
  facts.figures = {
      .latency = usual.latency, .failures = member.load().FailureShare(now), .calls = usual.calls};
  facts.before = known.verdict;
  return facts;
}

void Service::Judge(TimePoint now, Random& random) {
  const auto set = set_.Get();
  const auto options = options_.Get();
  FollowReplies(*options, now);
  MarkStalls(*set, *options, now);

  std::vector<policy::InstanceFacts> facts;
  std::vector<Known*> all;
  for (const auto& member : set->members) {
    Known* known = Find(member->address());
    all.push_back(known);
    facts.push_back(FactsOf(*known, now));
  }
  const policy::Judgement judgement = policy::Judge(facts, options->outlier, now);
  bool moved = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const policy::InstanceVerdict& after = judgement.verdicts[i];
    const policy::InstanceVerdict& before = all[i]->verdict;
    all[i]->deviation = judgement.deviations[i];
    if (after == before) continue;
    moved = moved || after.out() != before.out();
    // What it was before its rest says nothing about what it is now.
    if (before.use == policy::Use::kAside && after.use != policy::Use::kAside) {
      all[i]->member->load().usual().Forget();
    }
    const auto event = policy::ToEvent(before, after, now);
    all[i]->verdict = after;
    all[i]->member->verdict().Publish(after, options->outlier, random, now);
    // The stall itself has been told, with its figures.
    if (event && event->kind != EventKind::kStalled) Tell(*event, all[i]->member->address());
  }
  if (moved) PublishSet(set->members);
  if (judgement.panic != panic_.exchange(judgement.panic, std::memory_order_relaxed)) {
    Event event;
    event.at = now;
    event.kind = EventKind::kPanic;
    event.reason = judgement.panic ? Reason::kPanic : Reason::kRecovered;
    event.policy = "outlier";
    event.observed = static_cast<double>(std::ranges::count_if(
        judgement.verdicts, [](const auto& v) { return v.standing == policy::Standing::kIn; }));
    event.threshold = options->outlier.panic * static_cast<double>(all.size());
    Tell(event, {});
  }
  // One that is back has room, and nobody leaves it to say so.
  bulkhead_.LetOneTry(now);
}

std::vector<std::shared_ptr<Member>> Service::TakeProbes(TimePoint now, Random& random) {
  const auto set = set_.Get();
  const auto options = options_.Get();
  // Not more often, however many calls find nobody.
  const bool missed = SaturatingAdd(hastened_, kHasten) <= now &&
                      missed_.exchange(false, std::memory_order_relaxed);
  if (missed) hastened_ = now;
  std::vector<std::shared_ptr<Member>> probes;
  for (const auto& member : set->members) {
    policy::PublishedVerdict& verdict = member->verdict();
    if (missed) verdict.Hasten(options->outlier, now);
    if (verdict.use() != policy::Use::kOut || now < verdict.probe_at()) continue;
    if (verdict.TakeProbe(options->outlier, random, now)) probes.push_back(member);
  }
  return probes;
}

}  // namespace hale::mesh
