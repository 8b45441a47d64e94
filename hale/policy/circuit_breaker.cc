#include "hale/policy/circuit_breaker.h"

#include <algorithm>
#include <array>

#include "hale/policy/circuit_breaker_memory.h"

namespace hale::policy {

/// The memory, and which of the lanes' counters are in it already.
struct CircuitBreaker::Control final : CircuitElsewhere {
  Control(const CircuitBreakerOptions& o, const CircuitBreaker& b)
      : options(o), breaker(b), memory(o) {}

  void Bring(CircuitMemory& to) override {
    for (std::uint32_t slot = 0; slot < CircuitEpoch::kBuckets; ++slot) {
      CircuitCounts now;
      breaker.lanes_.ForEach([&](const CircuitLane& lane) { now += lane.Read(slot); });
      const CircuitCounts fresh = now - std::exchange(brought[slot], now);
      if (fresh == CircuitCounts()) continue;
      totals.admitted += fresh.sent;
      totals.succeeded += fresh.good;
      totals.ignored += fresh.ignored;
      const std::uint32_t bucket = newest - (newest - slot) % CircuitEpoch::kBuckets;
      if (static_cast<std::int32_t>(bucket - first) >= 0) to.Add(begins[slot], fresh);
    }
  }
  /// Buckets up to the newest are of a time that is over; what is still counted there is no
  /// evidence.
  void Forget() {
    first = newest + 1;
    Bring(memory);
  }
  void Begin(std::uint32_t number) {
    newest = number;
    begins[newest % CircuitEpoch::kBuckets] = memory.window().begin();
  }
  TimePoint begin() const { return begins[newest % CircuitEpoch::kBuckets]; }

  CircuitBreakerOptions options;
  const CircuitBreaker& breaker;
  CircuitMemory memory;
  CircuitTotals totals;     // refusals without the lock are the lanes'
  bool ramping = false;     // as published
  bool seen_alive = false;  // the rest was cut short
  std::uint32_t newest = CircuitEpoch::kBuckets;
  std::uint32_t first = CircuitEpoch::kBuckets;
  std::array<TimePoint, CircuitEpoch::kBuckets> begins{};
  std::array<CircuitCounts, CircuitEpoch::kBuckets> brought{};
  std::string why;  // the operator's words
};

/// Events that are told when the lock is gone: what shadow holds back the call's trail.
class CircuitBreaker::Notes {
 public:
  Notes(const CircuitBreaker& breaker, TimePoint now, EventSink* trail = nullptr)
      : breaker_(breaker), now_(now), trail_(trail) {}
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;
  ~Notes() {
    EventSink& everybody = breaker_.context_.events;
    for (std::size_t i = 0; i < count_; ++i) {
      const bool held_back = events_[i].kind == EventKind::kWouldRefuse;
      (held_back ? TrailOr(trail_, everybody) : everybody).On(events_[i]);
    }
  }

  Event& Add(EventKind kind, const CircuitTrip& figures) {
    Event& event = events_[std::min(count_, events_.size() - 1)];
    count_ = std::min(count_ + 1, events_.size());
    event.at = now_;
    event.kind = kind;
    event.reason = figures.reason;
    event.policy = "circuit_breaker";
    event.service = breaker_.context_.service;
    event.instance = breaker_.context_.instance;
    event.observed = figures.observed;
    event.threshold = figures.threshold;
    return event;
  }
  Duration Until(TimePoint at) const { return at == kNever ? kForever : at - now_; }
  std::string_view Keep(std::string text) { return kept_ = std::move(text); }

 private:
  const CircuitBreaker& breaker_;
  TimePoint now_;
  EventSink* trail_;
  // At most: an order runs out, that is half-open, and this call is refused.
  std::array<Event, 4> events_;
  std::size_t count_ = 0;
  std::string kept_;
};

void CircuitPermit::Settle(Outcome outcome) {
  if (breaker_ != nullptr) Settle(outcome, breaker_->context_.clock.Now());
}

void CircuitPermit::Drop() { Settle(Outcome::kIgnored, admitted_); }

CircuitBreaker::CircuitBreaker(const CircuitBreakerOptions& options, CircuitBreakerContext context)
    : context_(std::move(context)) {
  control_ = std::make_unique<Guarded<Control>>(options, *this);
  const auto control = control_->Lock();
  control->Begin(control->newest);
  Publish(*control);
}

CircuitBreaker::~CircuitBreaker() = default;

std::size_t CircuitBreaker::bytes() const {
  std::size_t lanes = 0;
  lanes_.ForEach([&](const CircuitLane&) { ++lanes; });
  return sizeof(*this) + sizeof(*control_) + sizeof(CircuitLane) * lanes +
         control_->With([](const Control& control) { return control.memory.window().bytes(); });
}

CircuitRules CircuitBreaker::Rules(Control& control) const {
  Random& random = context_.random != nullptr ? *context_.random : ThreadRandom();
  return {control.options, random, &control};
}

CircuitBreaker::Admission CircuitBreaker::AdmitOtherwise(CircuitAsk ask, EventSink* trail) {
  if (epoch().calls() == CircuitEpoch::Calls::kFree) return CircuitPermit();
  // Acquire: the figures of the refusal are at least as new as the time.
  if (Nanos(ask.now) < admits_from_.load(std::memory_order_acquire)) return RefuseQuickly(ask.now);
  return AdmitUnderControl(ask, trail);
}

CircuitBreaker::Admission CircuitBreaker::RefuseQuickly(TimePoint now) {
  lanes_.Mine().Refused();
  Rejection rejection{refusal_reason_.load(std::memory_order_relaxed), Duration::zero(),
                      refusal_observed_.load(std::memory_order_relaxed),
                      refusal_threshold_.load(std::memory_order_relaxed)};
  if (rejection.reason == Reason::kCircuitOpen) {
    rejection.detail = Word(opened_by_.load(std::memory_order_relaxed));
  }
  if (rejection.reason != Reason::kProbing) {
    const Duration from(admits_from_.load(std::memory_order_relaxed));
    // The circuit may just have closed: then there is nothing to wait for.
    const Duration at = now.time_since_epoch();
    rejection.retry_after = TimePoint(from) == kNever ? kForever
                            : from <= at              ? Duration::zero()
                                                      : from - at;
  }
  return std::unexpected(rejection);
}

CircuitBreaker::Admission CircuitBreaker::AdmitUnderControl(CircuitAsk ask, EventSink* trail) {
  Notes notes(*this, ask.now, trail);
  const auto control = control_->Lock();
  const CircuitWord before = control->memory.word();
  const auto ticket = control->memory.Admit(ask, Rules(*control));
  Follow(*control, before, ask.now, notes);
  if (ticket) {
    ++control->totals.admitted;
    const CircuitEpoch epoch(ticket->generation, 0, CircuitEpoch::Calls::kLocked);
    return CircuitPermit(CircuitPermit::Maker(), *this, epoch, ticket->admitted);
  }
  const Rejection& rejection = ticket.error();
  if (control->options.mode == Mode::kShadow && rejection.reason != Reason::kForced) {
    ++control->totals.would_refuse;
    const CircuitTrip figures{rejection.reason, rejection.observed, rejection.threshold};
    notes.Add(EventKind::kWouldRefuse, figures).detail = rejection.detail;
    return CircuitPermit();
  }
  ++control->totals.refused;
  return std::unexpected(rejection);
}

void CircuitBreaker::Fail(std::uint32_t generation, TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  const CircuitWord before = control->memory.word();
  if (!control->memory.Fail(generation, now, Rules(*control))) return;
  ++control->totals.admitted;
  ++control->totals.failed;
  Follow(*control, before, now, notes);
}

void CircuitBreaker::SettleOtherwise(const CircuitPermit& permit, Outcome outcome, TimePoint now) {
  if (outcome == Outcome::kIgnored && InBucket(now) && epoch().Counts(permit.epoch_)) {
    lanes_.Mine().Ignored(permit.epoch_.slot());
  } else {
    SettleUnderControl(permit, outcome, now);
  }
}

void CircuitBreaker::SettleUnderControl(const CircuitPermit& permit, Outcome outcome,
                                        TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  const CircuitWord before = control->memory.word();
  const Verdict verdict = control->memory.Record(permit.ticket(), outcome, now, Rules(*control));
  CircuitTotals& totals = control->totals;
  if (permit.epoch_.generation() != before.generation) {
    ++totals.late;
  } else {
    totals.succeeded += verdict == Verdict::kGood ? 1 : 0;
    totals.failed += verdict == Verdict::kFailed ? 1 : 0;
    totals.slow += verdict == Verdict::kSlow ? 1 : 0;
    totals.ignored += verdict == Verdict::kIgnored ? 1 : 0;
  }
  Follow(*control, before, now, notes);
}

/// Tells and publishes what has become of the memory.
void CircuitBreaker::Follow(Control& control, const CircuitWord& before, TimePoint now,
                            Notes& notes) {
  const CircuitWord& word = control.memory.word();
  const bool ramping =
      word.state == CircuitState::kClosed && AdmitShare(word, now, control.options) < 1;
  const bool changed = word.generation != before.generation;
  if (changed) {
    control.Forget();
    if (word.state == CircuitState::kOpen && before.state != CircuitState::kForcedOpen) {
      ++control.totals.opened;
    }
    Tell(control, before, notes);
    control.seen_alive = false;
  }
  const bool begun = changed || control.memory.window().begin() != control.begin();
  if (begun) control.Begin(control.newest + 1);
  // What all calls read is written only when it is news.
  const bool same_ramp = std::exchange(control.ramping, ramping) == ramping;
  if (begun || !same_ramp || word != before) Publish(control);
}

void CircuitBreaker::Tell(const Control& control, const CircuitWord& before, Notes& notes) const {
  const CircuitWord& word = control.memory.word();
  if (IsForced(word.state)) {
    Event& event = notes.Add(EventKind::kForced, {Reason::kForced, 0, 0});
    event.span = notes.Until(word.until);
    const bool open = word.state == CircuitState::kForcedOpen;
    event.detail = notes.Keep((open ? "open: " : "closed: ") + control.why);
    return;
  }
  if (IsForced(before.state)) {
    notes.Add(EventKind::kForced, {}).detail = "the order has ended";
    if (word.state == CircuitState::kOpen) return;  // it is about to probe
  }
  if (word.state == CircuitState::kOpen) {
    notes.Add(EventKind::kOpened, control.memory.trip()).span = notes.Until(word.until);
  } else if (word.state == CircuitState::kHalfOpen) {
    const Reason reason = before.state == CircuitState::kHalfOpen ? Reason::kProbeLost
                          : control.seen_alive                    ? Reason::kRecovered
                                                                  : Reason::kNone;
    notes.Add(EventKind::kHalfOpened, {reason, 0, static_cast<double>(control.options.probes)});
  } else {
    const bool passed = before.state == CircuitState::kHalfOpen && word.until > TimePoint::min();
    notes.Add(EventKind::kClosed, {passed ? Reason::kRecovered : Reason::kNone, 0, 0});
  }
}

void CircuitBreaker::Publish(const Control& control) {
  const CircuitWord& word = control.memory.word();
  CircuitTrip figures = {Reason::kCircuitOpen, control.memory.trip().observed,
                         control.memory.trip().threshold};
  if (word.state == CircuitState::kForcedOpen) figures = {Reason::kForced, 0, 0};
  if (word.state == CircuitState::kHalfOpen) {
    figures = {Reason::kProbing, static_cast<double>(word.out),
               static_cast<double>(control.options.probes)};
  }
  const CircuitWindow& window = control.memory.window();
  const bool counted = word.state == CircuitState::kClosed && !control.ramping;
  auto calls = counted ? CircuitEpoch::Calls::kCounted : CircuitEpoch::Calls::kAsk;
  if (control.options.mode == Mode::kOff) calls = CircuitEpoch::Calls::kFree;
  bucket_width_.store(static_cast<std::uint64_t>((window.end() - window.begin()).count()),
                      std::memory_order_relaxed);
  const Duration slow_call = control.options.slow_call;
  slow_call_.store((slow_call > Duration::zero() ? slow_call : kForever).count(),
                   std::memory_order_relaxed);
  epoch_.store(CircuitEpoch(word.generation, control.newest, calls).word(),
               std::memory_order_relaxed);
  // Release: see InBucket.
  bucket_begin_.store(Nanos(window.begin()), std::memory_order_release);
  refusal_reason_.store(figures.reason, std::memory_order_relaxed);
  opened_by_.store(control.memory.trip().reason, std::memory_order_relaxed);
  refusal_observed_.store(figures.observed, std::memory_order_relaxed);
  refusal_threshold_.store(figures.threshold, std::memory_order_relaxed);
  const TimePoint from = AdmitsFrom(word, control.options);
  // Release: who reads the time of a rest reads its figures.
  admits_from_.store(from.time_since_epoch().count(), std::memory_order_release);
}

void CircuitBreaker::Apply(const CircuitBreakerOptions& options, TimePoint now) {
  const auto control = control_->Lock();
  control->options = options;
  // Calls that are out are found by their time from here on.
  if (control->memory.Apply(Rules(*control), now)) {
    control->Begin(control->newest + CircuitEpoch::kBuckets);
    control->first = control->newest;
  } else if (control->memory.window().begin() != control->begin()) {
    control->Begin(control->newest + 1);
  }
  const CircuitWord& word = control->memory.word();
  control->ramping = word.state == CircuitState::kClosed && AdmitShare(word, now, options) < 1;
  Publish(*control);
}

template <class To>
void CircuitBreaker::Change(TimePoint now, To to) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  const CircuitWord before = control->memory.word();
  control->memory.Become(to(*control));
  Follow(*control, before, now, notes);
}

void CircuitBreaker::Force(const CircuitOrder& order, TimePoint now) {
  Change(now, [&](Control& control) {
    const bool closed =
        order.state == CircuitState::kForcedClosed || order.state == CircuitState::kClosed;
    const auto state = closed ? CircuitState::kForcedClosed : CircuitState::kForcedOpen;
    control.why = order.why;
    return Forced(control.memory.word(), state, SaturatingAdd(now, order.ttl));
  });
}

void CircuitBreaker::Release(TimePoint now) {
  Change(now, [&](const Control& control) { return Released(control.memory.word(), now); });
}

void CircuitBreaker::Reset(TimePoint now) {
  Change(now, [](const Control& control) { return Fresh(control.memory.word()); });
}

void CircuitBreaker::EvidenceOfLife(TimePoint now) {
  Change(now, [&](Control& control) {
    const CircuitWord& word = control.memory.word();
    const CircuitWord awake = Awake(word, now);
    if (awake != word) control.seen_alive = true;
    return awake;
  });
}

CircuitState CircuitBreaker::state(TimePoint now) const {
  return control_->With(
      [now](const Control& control) { return StateAt(control.memory.word(), now); });
}

CircuitState CircuitBreaker::state_in_force(TimePoint now) const {
  return control_->With([now](const Control& control) {
    return StateInForce(control.memory.word(), now, control.options);
  });
}

CircuitStatus CircuitBreaker::Status(TimePoint now) const {
  CircuitStatus status;
  const auto control = control_->Lock();
  control->Bring(control->memory);
  const CircuitWord& word = control->memory.word();
  status.state = StateAt(word, now);
  status.mode = control->options.mode;
  status.generation = word.generation;
  status.until = word.until;
  status.admit_share = AdmitShare(word, now, control->options);
  status.evidence = control->memory.Evidence(now, control->options);
  status.trip = control->memory.trip();
  if (IsForced(status.state)) status.why = control->why;
  status.totals = control->totals;
  lanes_.ForEach([&](const CircuitLane& lane) { status.totals.refused += lane.refused(); });
  return status;
}

}  // namespace hale::policy
