#include <algorithm>
#include <utility>

#include "hale/mesh/service.h"

namespace hale::mesh {

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
  facts.circuit = member.breaker().state(now);
  if (facts.circuit != policy::CircuitState::kClosed) {
    facts.circuit_reason = member.breaker().Status(now).trip.reason;
  }
  facts.health = member.health();
  facts.stalled = member.pulse().stalled();
  facts.refused = member.refused();
  facts.alive = std::max(member.alive(), member.pulse().Read().last_byte);
  facts.latency = member.load().Latency(now);
  facts.before = known.verdict;
  return facts;
}

void Service::Judge(TimePoint now, Random& random) {
  const auto set = set_.Get();
  const auto options = options_.Get();
  MarkStalls(*set, *options, now);

  std::vector<policy::InstanceFacts> facts;
  std::vector<Known*> all;
  for (const auto& member : set->members) {
    Known* known = Find(member->address());
    all.push_back(known);
    facts.push_back(FactsOf(*known, now));
  }
  const policy::Judgement judgement = policy::Judge(facts, options->outlier, now);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const policy::InstanceVerdict& after = judgement.verdicts[i];
    if (after == all[i]->verdict) continue;
    const auto event = policy::ToEvent(all[i]->verdict, after, now);
    all[i]->verdict = after;
    all[i]->member->verdict().Publish(after, options->outlier, random, now);
    // The stall itself has been told, with its figures.
    if (event && event->kind != EventKind::kStalled) Tell(*event, all[i]->member->address());
  }
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
}

std::vector<std::shared_ptr<Member>> Service::TakeProbes(TimePoint now, Random& random) {
  const auto set = set_.Get();
  const auto options = options_.Get();
  std::vector<std::shared_ptr<Member>> probes;
  for (const auto& member : set->members) {
    policy::PublishedVerdict& verdict = member->verdict();
    if (verdict.use() != policy::Use::kOut || now < verdict.probe_at()) continue;
    if (verdict.TakeProbe(options->outlier, random, now)) probes.push_back(member);
  }
  return probes;
}

}  // namespace hale::mesh
