#include "hale/cluster/health_checker.h"

#include <algorithm>
#include <deque>
#include <map>
#include <stop_token>
#include <utility>

namespace hale::cluster {
namespace {

struct Member {
  Member(std::uint64_t n, Instance i, const HealthOptions& options)
      : number(n), instance(std::move(i)), core(options) {}
  const std::uint64_t number;
  Instance instance;
  HealthCore core;
  std::uint64_t departure = 0;  ///< counts its leavings; odd while it is away
  bool checking = false;
  TimePoint due{};

  bool present() const { return departure % 2 == 0; }
};

struct Departed {
  TimePoint at;
  std::shared_ptr<Member> member;
  std::uint64_t departure;
};

}  // namespace

struct HealthChecker::State : std::enable_shared_from_this<State> {
  explicit State(Parts p) : parts(std::move(p)) {}

  bool on() const {
    return parts.prober != nullptr && EffectiveKind(parts.options) != HealthKind::kOff;
  }
  TimePoint now() const { return parts.executor.Now(); }

  void Add(const Instance& instance);
  void Leave(const std::shared_ptr<Member>& member);
  void Forget();
  void Plan(const std::shared_ptr<Member>& member, TimePoint due);
  void Unplan(Member& member);
  void Arm();
  void StartDue();
  void Start(std::shared_ptr<Member> member);
  void End(Member& member, TimePoint began, const Result<void>& result, std::uint64_t round);
  void Judge(Member& member, const Result<void>& result, Duration latency);
  void Tell(EventKind kind, Reason reason, const Member* member, double observed, double threshold,
            std::string_view detail);
  static Task<void> Check(std::shared_ptr<State> state, std::shared_ptr<Member> member);

  // By time, then by how long the member is known.
  using Slot = std::pair<TimePoint, std::uint64_t>;

  Parts parts;
  std::map<std::string, std::shared_ptr<Member>, std::less<>> members;
  std::map<Slot, std::shared_ptr<Member>> queue;
  std::deque<Departed> departed;
  std::uint64_t known = 0;
  std::size_t away = 0;
  std::size_t in_flight = 0;
  std::uint64_t round = 0;  ///< grows when options change
  bool behind = false;
  Executor::Timer timer = Executor::Timer::kNone;
  std::stop_source stop;
};

void HealthChecker::State::Add(const Instance& instance) {
  auto& member = members[instance.address];
  if (!member) {
    member = std::make_shared<Member>(++known, instance, parts.options);
  } else if (member->present()) {
    member->instance = instance;
    return;
  } else {
    member->instance = instance;
    ++member->departure;
    --away;
    if (member->core.health() != Health::kUnknown) {
      parts.observer.OnHealth(member->instance, member->core.health());
    }
  }
  if (on() && !member->checking) Plan(member, now() + member->core.First(parts.random));
}

void HealthChecker::State::Leave(const std::shared_ptr<Member>& member) {
  Unplan(*member);
  ++member->departure;
  ++away;
  departed.push_back({now(), member, member->departure});
}

void HealthChecker::State::Forget() {
  while (!departed.empty()) {
    const Departed& oldest = departed.front();
    const bool came_back = oldest.member->departure != oldest.departure;
    const bool over = away > kMaxRemembered;
    if (!came_back && !over && now() - oldest.at < kRemembered) break;
    if (!came_back) {
      if (over) {
        Tell(EventKind::kBound, Reason::kNone, oldest.member.get(), static_cast<double>(away),
             kMaxRemembered, "too many instances have left; the first is forgotten early");
      }
      --away;
      members.erase(oldest.member->instance.address);
    }
    departed.pop_front();
  }
}

void HealthChecker::State::Plan(const std::shared_ptr<Member>& member, TimePoint due) {
  member->due = due;
  queue.emplace(Slot(due, member->number), member);
}

void HealthChecker::State::Unplan(Member& member) { queue.erase(Slot(member.due, member.number)); }

void HealthChecker::State::Arm() {
  parts.executor.Cancel(std::exchange(timer, Executor::Timer::kNone));
  if (queue.empty() || in_flight >= kMaxInFlight) return;
  timer = parts.executor.At(queue.begin()->first.first, [this] {
    timer = Executor::Timer::kNone;
    StartDue();
  });
}

void HealthChecker::State::StartDue() {
  while (in_flight < kMaxInFlight && !queue.empty() && queue.begin()->first.first <= now()) {
    auto member = queue.begin()->second;
    queue.erase(queue.begin());
    Start(std::move(member));
  }
  Forget();
  Arm();
}

void HealthChecker::State::Start(std::shared_ptr<Member> member) {
  const Duration late = now() - member->due;
  if (late > parts.options.interval && !behind) {
    behind = true;
    Tell(EventKind::kBound, Reason::kNone, nullptr, static_cast<double>(in_flight), kMaxInFlight,
         "health checks start more than an interval late");
  } else if (late < parts.options.interval / 2) {
    behind = false;
  }
  member->checking = true;
  ++in_flight;
  Spawn(Check(shared_from_this(), std::move(member)), stop.get_token());
}

Task<void> HealthChecker::State::Check(std::shared_ptr<State> state,
                                       std::shared_ptr<Member> member) {
  const TimePoint began = state->now();
  const std::uint64_t round = state->round;
  // It may be exchanged while the check is out.
  const std::shared_ptr<Prober> prober = state->parts.prober;
  const auto result = co_await prober->Probe(member->instance, state->parts.options.timeout);
  if (state->stop.stop_requested()) co_return;
  --state->in_flight;
  member->checking = false;
  state->End(*member, began, result, round);
  if (member->present() && state->on()) {
    const Duration rest = round == state->round ? member->core.Rest(state->parts.random)
                                                : member->core.First(state->parts.random);
    state->Plan(member, std::max(state->now(), SaturatingAdd(began, rest)));
  }
  state->Arm();
}

void HealthChecker::State::End(Member& member, TimePoint began, const Result<void>& result,
                               std::uint64_t asked_in) {
  if (asked_in != round || !member.present()) return;
  Judge(member, result, now() - began);
}

void HealthChecker::State::Judge(Member& member, const Result<void>& result, Duration latency) {
  const Health before = member.core.health();
  const bool turned = member.core.Record(result.has_value());
  if (result) parts.observer.OnAlive(member.instance, latency);
  if (!turned) return;
  parts.observer.OnHealth(member.instance, member.core.health());
  const double streak = member.core.streak();
  if (!result) {
    Tell(EventKind::kHealthChanged, Reason::kUnhealthy, &member, streak, parts.options.fall,
         result.error().message);
  } else if (before == Health::kUnhealthy) {
    Tell(EventKind::kHealthChanged, Reason::kRecovered, &member, streak, parts.options.rise, {});
  }
}

void HealthChecker::State::Tell(EventKind kind, Reason reason, const Member* member,
                                double observed, double threshold, std::string_view detail) {
  Event event;
  event.at = now();
  event.kind = kind;
  event.reason = reason;
  event.policy = "health";
  event.service = parts.service;
  if (member != nullptr) event.instance = member->instance.address;
  event.observed = observed;
  event.threshold = threshold;
  event.detail = detail;
  parts.sink.On(event);
}

HealthChecker::HealthChecker(Parts parts) : state_(std::make_shared<State>(std::move(parts))) {}

HealthChecker::~HealthChecker() {
  state_->stop.request_stop();
  state_->parts.executor.Cancel(state_->timer);
}

void HealthChecker::SetInstances(const Instances& instances) {
  state_->Forget();
  for (const auto& [address, member] : state_->members) {
    if (member->present() && instances.Find(address) == nullptr) state_->Leave(member);
  }
  for (const Instance& instance : instances) state_->Add(instance);
  state_->Forget();
  state_->Arm();
}

void HealthChecker::Apply(HealthOptions options, std::shared_ptr<Prober> prober) {
  State& state = *state_;
  const bool was_on = state.on();
  state.parts.options = std::move(options);
  state.parts.prober = std::move(prober);
  ++state.round;
  for (const auto& [address, member] : state.members) {
    member->core.Apply(state.parts.options);
    if (!member->present()) continue;
    state.Unplan(*member);
    if (state.on()) {
      if (!member->checking) {
        state.Plan(member, state.now() + member->core.First(state.parts.random));
      }
    } else if (was_on && member->core.health() != Health::kUnknown) {
      member->core.Reset();
      state.parts.observer.OnHealth(member->instance, Health::kUnknown);
    }
  }
  state.Arm();
}

Health HealthChecker::health(std::string_view address) const {
  const auto found = state_->members.find(address);
  if (found == state_->members.end() || !found->second->present()) return Health::kUnknown;
  return found->second->core.health();
}

std::size_t HealthChecker::in_flight() const { return state_->in_flight; }

std::size_t HealthChecker::remembered() const { return state_->away; }

}  // namespace hale::cluster
