#include "hale/policy/circuit_breaker.h"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "hale/base/thread_slot.h"
#include "hale/policy/circuit_breaker_timeline.h"

namespace hale::policy {
namespace {

constexpr std::uint32_t kMostLanes = 8;  // a failure reads all of them

std::uint32_t LanesFor(std::uint32_t asked) {
  return std::clamp(asked != 0 ? asked : std::thread::hardware_concurrency() + 1, 1U, kMostLanes);
}

/// What a call through a closed circuit needs to know, in one word, so that it is of one moment.
struct Epoch {
  enum class Calls : std::uint8_t {
    kAsk,      // take the control lock
    kCounted,  // the circuit is closed and does not ramp
    kFree,     // the breaker is off
  };
  // Buckets are told apart modulo 2^24: calls that are out while so many begin are taken for
  // others.
  static constexpr std::uint32_t kBucketMask = 0xFF'FFFF;

  static Epoch From(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word >> 32),
            static_cast<std::uint32_t>(word >> 8) & kBucketMask, static_cast<Calls>(word & 0xFF)};
  }
  std::uint64_t word() const {
    return (std::uint64_t{generation} << 32) | (std::uint64_t{bucket & kBucketMask} << 8) |
           static_cast<std::uint64_t>(calls);
  }
  /// Whether a bucket is still in the ring. One above the mask never is.
  bool Holds(std::uint32_t which) const {
    return which <= kBucketMask && ((bucket - which) & kBucketMask) < CircuitTimeline::kSlots;
  }

  std::uint32_t generation = 0;
  std::uint32_t bucket = 0;
  Calls calls = Calls::kAsk;
};

// The bucket of a call that is counted in none.
constexpr std::uint32_t kOutside = ~std::uint32_t{0};

std::int64_t Nanos(TimePoint at) { return at.time_since_epoch().count(); }

}  // namespace

/// What changes of state, probes and the ramp need.
struct CircuitBreaker::Control {
  explicit Control(const CircuitBreakerOptions& o) : options(o), timeline(o) {}

  CircuitBreakerOptions options;
  CircuitTimeline timeline;
  CircuitWord word;
  CircuitTrip trip;
  std::uint64_t opened = 0;
  bool ramping = false;     // as published
  bool seen_alive = false;  // the rest was cut short
  std::string why;          // the operator's words
};

/// The counters of all threads.
class CircuitBreaker::Sums final : public CircuitSums {
 public:
  explicit Sums(const CircuitBreaker& breaker) : breaker_(breaker) {}
  CircuitCounts Of(std::uint32_t slot) const override {
    CircuitCounts counts;
    ForEach([&](const CircuitLane& lane) { counts += lane.Read(slot); });
    return counts;
  }
  std::uint64_t answered_late() const override {
    std::uint64_t late = 0;
    ForEach([&](const CircuitLane& lane) { late += lane.answered_late(); });
    return late;
  }
  CircuitOutside outside() const {
    CircuitOutside all;
    ForEach([&](const CircuitLane& lane) { all += lane.outside(); });
    return all;
  }

 private:
  template <class Visit>
  void ForEach(Visit visit) const {
    for (std::uint32_t i = 0; i <= breaker_.own_lanes_; ++i) {
      // Acquire: of a lane that has just been made.
      if (const CircuitLane* lane = breaker_.lanes_[i].load(std::memory_order_acquire))
        visit(*lane);
    }
  }
  const CircuitBreaker& breaker_;
};

/// Events that are told when the locks are gone.
class CircuitBreaker::Notes {
 public:
  Notes(const CircuitBreaker& breaker, TimePoint now) : breaker_(breaker), now_(now) {}
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;
  ~Notes() {
    for (std::size_t i = 0; i < count_; ++i) breaker_.context_.events.On(events_[i]);
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
  // At most: an order runs out, that is half-open, and this call is refused.
  std::array<Event, 4> events_;
  std::size_t count_ = 0;
  std::string kept_;
};

void CircuitPermit::Settle(Outcome outcome) {
  if (breaker_ != nullptr) Settle(outcome, breaker_->context_.clock.Now());
}

void CircuitPermit::Settle(Outcome outcome, TimePoint now) {
  if (breaker_ != nullptr) std::exchange(breaker_, nullptr)->Settle(*this, outcome, now);
}

void CircuitPermit::Drop() { Settle(Outcome::kIgnored, ticket_.admitted); }

CircuitPermit& CircuitPermit::operator=(CircuitPermit&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  breaker_ = std::exchange(other.breaker_, nullptr);
  ticket_ = other.ticket_;
  bucket_ = other.bucket_;
  return *this;
}

CircuitBreaker::CircuitBreaker(const CircuitBreakerOptions& options, CircuitBreakerContext context)
    : context_(std::move(context)),
      own_lanes_(LanesFor(context_.lanes)),
      lanes_(std::make_unique<std::atomic<CircuitLane*>[]>(own_lanes_ + 1)),
      control_(std::make_unique<Guarded<Control>>(options)) {
  Publish(*control_->Lock());
}

CircuitBreaker::~CircuitBreaker() {
  for (std::uint32_t i = 0; i <= own_lanes_; ++i) delete lanes_[i].load(std::memory_order_acquire);
}

inline CircuitLane& CircuitBreaker::ThisLane() {
  const std::uint32_t i = std::min(ThreadSlot(), own_lanes_);
  CircuitLane* const lane = lanes_[i].load(std::memory_order_acquire);
  return lane != nullptr ? *lane : MakeLane(i);
}

CircuitLane& CircuitBreaker::MakeLane(std::uint32_t i) {
  using Writers = CircuitLane::Writers;
  auto fresh = std::make_unique<CircuitLane>(i < own_lanes_ ? Writers::kOne : Writers::kMany);
  CircuitLane* there = nullptr;
  // Release: a lane that is seen has been made.
  if (!lanes_[i].compare_exchange_strong(there, fresh.get(), std::memory_order_acq_rel)) {
    return *there;
  }
  return *fresh.release();
}

Random& CircuitBreaker::Dice() const {
  return context_.random != nullptr ? *context_.random : ThreadRandom();
}

CircuitBreaker::Admission CircuitBreaker::Admit(TimePoint now, Duration timeout) {
  const Epoch epoch = Epoch::From(epoch_.load(std::memory_order_relaxed));
  if (epoch.calls == Epoch::Calls::kCounted &&
      Nanos(now) >= bucket_begin_.load(std::memory_order_relaxed) &&
      Nanos(now) < bucket_end_.load(std::memory_order_relaxed)) {
    ThisLane().Sent(epoch.bucket % CircuitTimeline::kSlots);
    return CircuitPermit(this, {epoch.generation, now}, epoch.bucket);
  }
  if (epoch.calls == Epoch::Calls::kFree) return CircuitPermit();
  // Acquire: the figures of the refusal are at least as new as the time.
  if (Nanos(now) < admits_from_.load(std::memory_order_acquire)) return RefuseQuickly(now);
  return AdmitUnderControl({now, timeout});
}

CircuitBreaker::Admission CircuitBreaker::RefuseQuickly(TimePoint now) {
  ThisLane().Refused();
  Rejection rejection{refusal_reason_.load(std::memory_order_relaxed), Duration::zero(),
                      refusal_observed_.load(std::memory_order_relaxed),
                      refusal_threshold_.load(std::memory_order_relaxed)};
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

CircuitBreaker::Admission CircuitBreaker::AdmitUnderControl(CircuitAsk ask) {
  CircuitLane& lane = ThisLane();
  Notes notes(*this, ask.now);
  const auto control = control_->Lock();
  RollAndConsider(*control, ask.now, false, notes);
  CircuitStep step = Enter(control->word, ask, control->options, Dice());
  Become(*control, step.word, ask.now, notes);
  if (!step.admitted) {
    Rejection& rejection = step.rejection;
    if (rejection.reason == Reason::kCircuitOpen) {
      rejection.observed = control->trip.observed;
      rejection.threshold = control->trip.threshold;
    }
    if (control->options.mode == Mode::kShadow && rejection.reason != Reason::kForced) {
      lane.WouldRefuse();
      notes.Add(EventKind::kWouldRefuse,
                {rejection.reason, rejection.observed, rejection.threshold});
      return CircuitPermit();
    }
    lane.Refused();
    return std::unexpected(rejection);
  }
  const std::uint32_t generation = control->word.generation;
  if (control->word.state != CircuitState::kClosed) {
    lane.SentOutside();
    return CircuitPermit(this, {generation, ask.now}, kOutside);
  }
  const CircuitTimeline& timeline = control->timeline;
  lane.Sent(timeline.head() % CircuitTimeline::kSlots);
  return CircuitPermit(this, {generation, timeline.latest()}, timeline.head() & Epoch::kBucketMask);
}

void CircuitBreaker::Settle(const CircuitPermit& permit, Outcome outcome, TimePoint now) {
  const Ticket& ticket = permit.ticket_;
  const Epoch epoch = Epoch::From(epoch_.load(std::memory_order_relaxed));
  // Nearly every call: it went well, and nothing has changed since.
  if (outcome == Outcome::kSuccess && ticket.generation == epoch.generation &&
      epoch.Holds(permit.bucket_) &&
      (now - ticket.admitted).count() < slow_call_.load(std::memory_order_relaxed) &&
      Nanos(now) < bucket_end_.load(std::memory_order_relaxed) &&
      bad_in_row_.load(std::memory_order_relaxed) == 0) {
    ThisLane().Answered(permit.bucket_ % CircuitTimeline::kSlots, Verdict::kGood);
  } else {
    SettleSlowly(permit, outcome, now);
  }
}

void CircuitBreaker::SettleSlowly(const CircuitPermit& permit, Outcome outcome, TimePoint now) {
  const Ticket ticket = permit.ticket_;
  const Epoch epoch = Epoch::From(epoch_.load(std::memory_order_relaxed));
  CircuitLane& lane = ThisLane();
  bool bad = false;
  if (ticket.generation != epoch.generation) {
    lane.Stale();
  } else {
    const Duration slow_call(slow_call_.load(std::memory_order_relaxed));
    const Verdict verdict = Judge(outcome, now - ticket.admitted, slow_call);
    if (permit.bucket_ == kOutside) {
      lane.AnsweredOutside(verdict);
      SettleProbe(ticket, verdict, now);
      return;
    }
    if (epoch.Holds(permit.bucket_)) {
      lane.Answered(permit.bucket_ % CircuitTimeline::kSlots, verdict);
    } else {
      lane.AnsweredLate(verdict);
    }
    bad = IsBad(verdict);
    if (bad) {
      bad_in_row_.fetch_add(1, std::memory_order_relaxed);
    } else if (verdict == Verdict::kGood && bad_in_row_.load(std::memory_order_relaxed) != 0) {
      bad_in_row_.store(0, std::memory_order_relaxed);
    }
  }
  if (!bad && Nanos(now) < bucket_end_.load(std::memory_order_relaxed)) return;
  Notes notes(*this, now);
  const auto control = control_->Lock();
  RollAndConsider(*control, now, bad, notes);
}

void CircuitBreaker::SettleProbe(Ticket ticket, Verdict verdict, TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  if (control->word.generation != ticket.generation) return;
  const CircuitWord next = policy::Settle(control->word, verdict, now, control->options, Dice());
  if (next.state == CircuitState::kOpen) {
    control->trip = ProbeFailed(control->word, control->options);
  }
  Become(*control, next, now, notes);
}

/// After a call that was bad, and whenever a bucket begins, the window is judged.
void CircuitBreaker::RollAndConsider(Control& control, TimePoint now, bool bad, Notes& notes) {
  const bool begun = control.timeline.Roll(now, Sums(*this));
  if (!begun && !bad) return;
  std::optional<CircuitTrip> trip;
  if (control.word.state == CircuitState::kClosed) {
    trip = Decide(Gather(control, now), AdmitShare(control.word, now, control.options),
                  control.options);
  }
  if (trip) control.trip = *trip;
  // Also when nothing changes: a ramp that has ended lets calls pass without the lock from here on.
  Become(control, trip ? Opened(control.word, now, control.options, Dice()) : control.word, now,
         notes);
}

CircuitEvidence CircuitBreaker::Gather(const Control& control, TimePoint now) const {
  CircuitEvidence evidence =
      control.timeline.Evidence(now, HungAfter(control.options), Sums(*this));
  evidence.bad_in_row = bad_in_row_.load(std::memory_order_relaxed);
  return evidence;
}

void CircuitBreaker::Become(Control& control, const CircuitWord& word, TimePoint now,
                            Notes& notes) {
  const CircuitWord before = std::exchange(control.word, word);
  control.ramping =
      word.state == CircuitState::kClosed && AdmitShare(word, now, control.options) < 1;
  if (word.generation != before.generation) {
    control.timeline.Clear(Sums(*this));
    bad_in_row_.store(0, std::memory_order_relaxed);
    if (word.state == CircuitState::kOpen && before.state != CircuitState::kForcedOpen) {
      ++control.opened;
    }
    Tell(control, before, notes);
    control.seen_alive = false;
  }
  Publish(control);
}

void CircuitBreaker::Tell(const Control& control, const CircuitWord& before, Notes& notes) const {
  const CircuitWord& word = control.word;
  const auto is_forced = [](CircuitState state) {
    return state == CircuitState::kForcedOpen || state == CircuitState::kForcedClosed;
  };
  if (is_forced(word.state)) {
    Event& event = notes.Add(EventKind::kForced, {Reason::kForced, 0, 0});
    event.span = notes.Until(word.until);
    const bool open = word.state == CircuitState::kForcedOpen;
    event.detail = notes.Keep((open ? "open: " : "closed: ") + control.why);
    return;
  }
  if (is_forced(before.state)) {
    notes.Add(EventKind::kForced, {}).detail = "the order has ended";
    if (word.state == CircuitState::kOpen) return;  // it is about to probe
  }
  if (word.state == CircuitState::kOpen) {
    notes.Add(EventKind::kOpened, control.trip).span = notes.Until(word.until);
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
  const CircuitWord& word = control.word;
  CircuitTrip figures = {Reason::kCircuitOpen, control.trip.observed, control.trip.threshold};
  if (word.state == CircuitState::kForcedOpen) figures = {Reason::kForced, 0, 0};
  if (word.state == CircuitState::kHalfOpen) {
    figures = {Reason::kProbing, static_cast<double>(word.out),
               static_cast<double>(control.options.probes)};
  }
  const CircuitTimeline& timeline = control.timeline;
  Epoch epoch{word.generation, timeline.head()};
  if (word.state == CircuitState::kClosed && !control.ramping) epoch.calls = Epoch::Calls::kCounted;
  if (control.options.mode == Mode::kOff) epoch.calls = Epoch::Calls::kFree;
  bucket_begin_.store(Nanos(timeline.begin()), std::memory_order_relaxed);
  bucket_end_.store(Nanos(timeline.end()), std::memory_order_relaxed);
  const Duration slow_call = control.options.slow_call;
  slow_call_.store((slow_call > Duration::zero() ? slow_call : kForever).count(),
                   std::memory_order_relaxed);
  epoch_.store(epoch.word(), std::memory_order_relaxed);
  refusal_reason_.store(figures.reason, std::memory_order_relaxed);
  refusal_observed_.store(figures.observed, std::memory_order_relaxed);
  refusal_threshold_.store(figures.threshold, std::memory_order_relaxed);
  const TimePoint from = AdmitsFrom(word, control.options);
  // Release: who reads the time of a rest reads its figures.
  admits_from_.store(from.time_since_epoch().count(), std::memory_order_release);
}

void CircuitBreaker::Apply(const CircuitBreakerOptions& options, TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  control->timeline.Roll(now, Sums(*this));
  control->options = options;
  control->timeline.Apply(options);
  Become(*control, control->word, now, notes);
}

void CircuitBreaker::Force(const CircuitOrder& order, TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  const bool closed =
      order.state == CircuitState::kForcedClosed || order.state == CircuitState::kClosed;
  const auto state = closed ? CircuitState::kForcedClosed : CircuitState::kForcedOpen;
  control->why = order.why;
  Become(*control, Forced(control->word, state, SaturatingAdd(now, order.ttl)), now, notes);
}

void CircuitBreaker::Release(TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  Become(*control, Released(control->word, now), now, notes);
}

void CircuitBreaker::Reset(TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  Become(*control, Fresh(control->word), now, notes);
}

void CircuitBreaker::EvidenceOfLife(TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  const CircuitWord word = Awake(control->word, now);
  if (word == control->word) return;
  control->seen_alive = true;
  Become(*control, word, now, notes);
}

CircuitState CircuitBreaker::state(TimePoint now) const {
  return control_->With([now](const Control& control) { return StateAt(control.word, now); });
}

CircuitStatus CircuitBreaker::Status(TimePoint now) const {
  CircuitStatus status;
  const auto control = control_->Lock();
  status.state = StateAt(control->word, now);
  status.mode = control->options.mode;
  status.generation = control->word.generation;
  status.until = control->word.until;
  status.admit_share = AdmitShare(control->word, now, control->options);
  status.evidence = Gather(*control, now);
  status.trip = control->trip;
  status.why =
      status.state == CircuitState::kForcedOpen || status.state == CircuitState::kForcedClosed
          ? control->why
          : std::string();
  CircuitTotals& totals = status.totals;
  totals.opened = control->opened;
  const Sums sums(*this);
  const CircuitOutside outside = sums.outside();
  CircuitSum calls = control->timeline.totals(sums);
  calls += outside.calls;
  totals.admitted = calls.sent;
  totals.refused = outside.refused;
  totals.would_refuse = outside.would_refuse;
  totals.succeeded = calls.good;
  totals.failed = calls.failed;
  totals.slow = calls.slow;
  totals.ignored = calls.ignored;
  totals.late = outside.stale;
  return status;
}

}  // namespace hale::policy
