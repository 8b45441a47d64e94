#include "hale/mesh/service.h"

#include <algorithm>

namespace hale::mesh {
namespace {

/// How long a member that left is remembered, and how many of them.
constexpr Duration kRemembered = std::chrono::minutes(10);
constexpr std::size_t kMostRemembered = 10'000;

}  // namespace

Service::Service(std::string name, const ServiceOptions& options, ServiceContext context)
    : name_(std::move(name)),
      context_(context),
      options_(options),
      set_(MemberSet{}),
      throttle_(options.throttle, {name_, context.events}),
      bulkhead_(options.bulkhead, {name_, context.events, context.clock}),
      concurrency_(options.concurrency, options.bulkhead.limit, {name_, context.events}),
      budget_(options.retry.budget),
      hedge_(options.hedge),
      gate_(options.deadline),
      balancer_(options.balance),
      hung_after_(options.breaker.hung_after) {
  Drive(bulkhead_, concurrency_);
}

void Service::Apply(const ServiceOptions& options, TimePoint now) {
  throttle_.Apply(options.throttle);
  ApplyLimited(bulkhead_, options.bulkhead, concurrency_, options.concurrency);
  budget_.Apply(options.retry.budget, fleet());
  hedge_.Apply(options.hedge);
  gate_.Apply(options.deadline);
  balancer_.Apply(options.balance);
  hung_after_ = policy::HungThreshold(replies_, options.breaker.hung_after);
  for (auto& [address, known] : known_) known.member->Apply(options, hung_after_, now);
  const bool narrowed_anew = options_.Get()->balance != options.balance;
  options_.Publish(options);
  if (narrowed_anew) PublishSet(set_.Get()->members);
}

Reason Service::Protects(TimePoint now) const {
  if (panic()) return Reason::kPanic;
  const auto set = set_.Get();
  const bool closed = std::ranges::all_of(set->members, [&](const auto& member) {
    return policy::IsClosed(member->breaker().state_in_force(now));
  });
  return closed ? Reason::kNone : Reason::kCircuitOpen;
}

void Service::SetFleet(std::uint32_t processes) {
  if (fleet_.exchange(processes, std::memory_order_relaxed) == processes) return;
  budget_.Apply(options_.Get()->retry.budget, processes);
}

void Service::SetInstances(const cluster::Instances& instances, TimePoint now) {
  for (auto& [address, known] : known_) {
    if (known.left == kNever && instances.Find(address) == nullptr) known.left = now;
  }
  ForgetOld(now);
  const auto options = options_.Get();
  std::vector<std::shared_ptr<Member>> members;
  for (const cluster::Instance& instance : instances) {
    auto [at, fresh] = known_.try_emplace(instance.address);
    Known& known = at->second;
    if (fresh) {
      policy::CircuitBreakerContext context{.service = name_,
                                            .instance = instance.address,
                                            .events = context_.events,
                                            .clock = context_.clock};
      known.member = std::make_shared<Member>(instance, *options, std::move(context));
      known.member->Apply(*options, hung_after_, now);
      // Of a service that starts, all instances are new, and none needs to be spared.
      if (had_instances_) known.verdict.ramp_from = now;
      known.member->verdict().Publish(known.verdict, options->outlier, ThreadRandom(), now);
    }
    known.left = kNever;
    known.instance = instance;
    members.push_back(known.member);
  }
  had_instances_ = had_instances_ || !instances.empty();
  PublishSet(std::move(members));
}

void Service::ForgetOld(TimePoint now) {
  std::erase_if(known_, [&](const auto& entry) {
    return entry.second.left != kNever && now - entry.second.left > kRemembered;
  });
  const auto has_left = [](const auto& entry) { return entry.second.left != kNever; };
  const auto remembered = static_cast<std::size_t>(std::ranges::count_if(known_, has_left));
  if (remembered <= kMostRemembered) return;
  std::erase_if(known_, has_left);
  Event event;
  event.at = now;
  event.kind = EventKind::kBound;
  event.policy = "instances";
  event.observed = static_cast<double>(remembered);
  event.threshold = static_cast<double>(kMostRemembered);
  Tell(event, {});
}

Service::Known* Service::Find(std::string_view address) {
  const auto at = known_.find(address);
  return at == known_.end() ? nullptr : &at->second;
}

void Service::OnHealth(std::string_view address, cluster::Health health) {
  Known* known = Find(address);
  if (known == nullptr) return;
  known->member->OnOpinion(health == cluster::Health::kUnhealthy ? policy::Opinion::kBad
                           : health == cluster::Health::kHealthy ? policy::Opinion::kGood
                                                                 : policy::Opinion::kNone);
  if (wake_) wake_();
}

void Service::OnAlive(std::string_view address, TimePoint now) {
  Known* known = Find(address);
  if (known == nullptr) return;
  known->member->OnAlive(now);
  // A connection is accepted by the kernel of a process that has stopped: only an answer ends a
  // stall.
  if (EffectiveKind(options_.Get()->health) == cluster::HealthKind::kHttp) {
    known->member->OnBytes(now);
  }
  known->member->breaker().EvidenceOfLife(now);
}

void Service::OnRefused(Member& member, TimePoint now) {
  member.OnRefused(now);
  if (member.verdict().use() != policy::Use::kOut && wake_) wake_();
}

void Service::Tell(Event event, std::string_view instance) const {
  event.service = name_;
  event.instance = instance;
  context_.events.On(event);
}

}  // namespace hale::mesh
