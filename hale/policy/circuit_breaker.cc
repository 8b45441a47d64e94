#include "hale/policy/circuit_breaker.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <thread>

#include "hale/policy/circuit_breaker_window.h"

namespace hale::policy {
namespace {

constexpr std::uint32_t kMostLanes = 8;  // a change of state visits all

std::uint32_t LanesFor(std::uint32_t asked) {
  return std::clamp(asked != 0 ? asked : std::thread::hardware_concurrency(), 1U, kMostLanes);
}

struct Counted {
  explicit Counted(const CircuitBreakerOptions& o) : options(o), window(o) {}

  CircuitBreakerOptions options;
  CircuitWindow window;
  std::uint32_t generation = CircuitWord().generation;
  bool closed = true;    // calls are counted
  bool ramping = false;  // and each asks the ramp first
  CircuitTotals totals;
};

}  // namespace

/// The calls of one CPU. Its lock is taken by each call, since an uncontended one costs no more
/// than the two atomic additions it stands for and leaves the counts exact; others want it only
/// when a call moved to another CPU, or when the circuit is judged.
struct alignas(64) CircuitBreaker::Lane {
  explicit Lane(const CircuitBreakerOptions& options) : counted(options) {}

  Guarded<Counted> counted;
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> would_refuse{0};
};

/// What changes of state, probes and the ramp need. Locked before a lane, never after one.
struct CircuitBreaker::Control {
  explicit Control(const CircuitBreakerOptions& o) : options(o) {}

  CircuitBreakerOptions options;
  CircuitWord word;
  CircuitTrip trip;
  std::uint64_t opened = 0;
  bool ramping = false;     // as the lanes have it
  bool seen_alive = false;  // the rest was cut short
  std::string why;          // the operator's words
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
  lane_ = other.lane_;
  return *this;
}

CircuitBreaker::CircuitBreaker(const CircuitBreakerOptions& options, CircuitBreakerContext context)
    : context_(std::move(context)),
      lane_count_(LanesFor(context_.lanes)),
      control_(std::make_unique<Guarded<Control>>(options)),
      mode_(options.mode),
      admits_from_(TimePoint::min().time_since_epoch().count()) {
  lanes_.reserve(lane_count_);
  for (std::uint32_t i = 0; i < lane_count_; ++i) lanes_.push_back(std::make_unique<Lane>(options));
}

CircuitBreaker::~CircuitBreaker() = default;

std::uint32_t CircuitBreaker::ThisLane() const {
  const int cpu = lane_count_ == 1 ? 0 : sched_getcpu();
  return cpu < 0 ? 0 : static_cast<std::uint32_t>(cpu) % lane_count_;
}

Random& CircuitBreaker::Dice() const {
  return context_.random != nullptr ? *context_.random : ThreadRandom();
}

CircuitBreaker::Admission CircuitBreaker::Admit(TimePoint now, Duration timeout) {
  if (mode_.load(std::memory_order_relaxed) == Mode::kOff) return CircuitPermit();
  // Acquire: the figures of the refusal are at least as new as the time.
  if (now.time_since_epoch().count() < admits_from_.load(std::memory_order_acquire)) {
    return RefuseQuickly(now);
  }
  const std::uint32_t lane = ThisLane();
  bool rolled = false;
  {
    const auto counted = lanes_[lane]->counted.Lock();
    rolled = counted->window.Roll(now);
    if (counted->closed && !counted->ramping && !rolled) {
      ++counted->totals.admitted;
      return CircuitPermit(this, {counted->generation, counted->window.Send(now)}, lane);
    }
  }
  return AdmitUnderControl({now, timeout}, lane, rolled);
}

CircuitBreaker::Admission CircuitBreaker::RefuseQuickly(TimePoint now) {
  lanes_[ThisLane()]->refused.fetch_add(1, std::memory_order_relaxed);
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

CircuitBreaker::Admission CircuitBreaker::AdmitUnderControl(CircuitAsk ask, std::uint32_t lane,
                                                            bool rolled) {
  Notes notes(*this, ask.now);
  const auto control = control_->Lock();
  if (rolled) Consider(*control, ask.now, notes);
  CircuitStep step = Enter(control->word, ask, control->options, Dice());
  Become(*control, step.word, ask.now, notes);
  if (!step.admitted) {
    Rejection& rejection = step.rejection;
    if (rejection.reason == Reason::kCircuitOpen) {
      rejection.observed = control->trip.observed;
      rejection.threshold = control->trip.threshold;
    }
    if (control->options.mode == Mode::kShadow && rejection.reason != Reason::kForced) {
      lanes_[lane]->would_refuse.fetch_add(1, std::memory_order_relaxed);
      notes.Add(EventKind::kWouldRefuse,
                {rejection.reason, rejection.observed, rejection.threshold});
      return CircuitPermit();
    }
    lanes_[lane]->refused.fetch_add(1, std::memory_order_relaxed);
    return std::unexpected(rejection);
  }
  const auto counted = lanes_[lane]->counted.Lock();
  ++counted->totals.admitted;
  const bool in_window = control->word.state == CircuitState::kClosed;
  const TimePoint sent = in_window ? counted->window.Send(ask.now) : ask.now;
  return CircuitPermit(this, {control->word.generation, sent}, lane);
}

void CircuitBreaker::Settle(const CircuitPermit& permit, Outcome outcome, TimePoint now) {
  const Ticket ticket = permit.ticket_;
  Verdict verdict{};
  bool consider = false;
  bool probe = false;
  {
    const auto counted = lanes_[permit.lane_]->counted.Lock();
    consider = counted->window.Roll(now);
    verdict = Judge(outcome, now - ticket.admitted, counted->options);
    CircuitTotals& totals = counted->totals;
    if (ticket.generation != counted->generation) {
      ++totals.late;
    } else {
      totals.succeeded += verdict == Verdict::kGood ? 1 : 0;
      totals.failed += verdict == Verdict::kFailed ? 1 : 0;
      totals.slow += verdict == Verdict::kSlow ? 1 : 0;
      totals.ignored += verdict == Verdict::kIgnored ? 1 : 0;
      probe = !counted->closed;
      if (counted->closed) {
        counted->window.Answer(ticket.admitted, verdict);
        if (IsBad(verdict)) {
          bad_in_row_.fetch_add(1, std::memory_order_relaxed);
          consider = true;
        } else if (verdict == Verdict::kGood && bad_in_row_.load(std::memory_order_relaxed) != 0) {
          bad_in_row_.store(0, std::memory_order_relaxed);
        }
      }
    }
  }
  if (probe) SettleProbe(ticket, verdict, now);
  if (consider) {
    Notes notes(*this, now);
    const auto control = control_->Lock();
    Consider(*control, now, notes);
  }
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

void CircuitBreaker::Consider(Control& control, TimePoint now, Notes& notes) {
  if (control.word.state != CircuitState::kClosed) return;
  const auto trip = Decide(Gather(now, control.options),
                           AdmitShare(control.word, now, control.options), control.options);
  // A ramp that has ended lets calls pass without the control lock from here on.
  if (!trip) return Become(control, control.word, now, notes);
  control.trip = *trip;
  Become(control, Opened(control.word, now, control.options, Dice()), now, notes);
}

CircuitEvidence CircuitBreaker::Gather(TimePoint now, const CircuitBreakerOptions& options) const {
  CircuitWindow all(options);
  all.Roll(now);
  for (const auto& lane : lanes_) {
    // Not rolled: a lane that begins a bucket must notice it itself.
    all.Merge(lane->counted.Lock()->window);
  }
  CircuitEvidence evidence = all.Evidence(HungAfter(options));
  evidence.bad_in_row = bad_in_row_.load(std::memory_order_relaxed);
  return evidence;
}

void CircuitBreaker::Become(Control& control, const CircuitWord& word, TimePoint now,
                            Notes& notes) {
  const CircuitWord before = std::exchange(control.word, word);
  const bool changed = word.generation != before.generation;
  const bool closed = word.state == CircuitState::kClosed;
  const bool ramping = closed && AdmitShare(word, now, control.options) < 1;
  if (changed || control.ramping != ramping) {
    control.ramping = ramping;
    for (const auto& lane : lanes_) {
      const auto counted = lane->counted.Lock();
      if (changed) counted->window.Clear();
      counted->generation = word.generation;
      counted->closed = closed;
      counted->ramping = ramping;
    }
  }
  if (changed) {
    // After the lanes have left the old generation, so that no failure of it follows.
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
  refusal_reason_.store(figures.reason, std::memory_order_relaxed);
  refusal_observed_.store(figures.observed, std::memory_order_relaxed);
  refusal_threshold_.store(figures.threshold, std::memory_order_relaxed);
  mode_.store(control.options.mode, std::memory_order_relaxed);
  const TimePoint from = AdmitsFrom(word, control.options);
  // Release: who reads the time of a rest reads its figures.
  admits_from_.store(from.time_since_epoch().count(), std::memory_order_release);
}

void CircuitBreaker::Apply(const CircuitBreakerOptions& options, TimePoint now) {
  Notes notes(*this, now);
  const auto control = control_->Lock();
  control->options = options;
  for (const auto& lane : lanes_) {
    const auto counted = lane->counted.Lock();
    counted->options = options;
    counted->window.Roll(now);
    counted->window.Rebucket(options);
  }
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
  status.evidence = Gather(now, control->options);
  status.trip = control->trip;
  status.why =
      status.state == CircuitState::kForcedOpen || status.state == CircuitState::kForcedClosed
          ? control->why
          : std::string();
  CircuitTotals& totals = status.totals;
  totals.opened = control->opened;
  for (const auto& lane : lanes_) {
    totals.refused += lane->refused.load(std::memory_order_relaxed);
    totals.would_refuse += lane->would_refuse.load(std::memory_order_relaxed);
    const CircuitTotals part = lane->counted.With([](const Counted& c) { return c.totals; });
    totals.admitted += part.admitted;
    totals.succeeded += part.succeeded;
    totals.failed += part.failed;
    totals.slow += part.slow;
    totals.ignored += part.ignored;
    totals.late += part.late;
  }
  return status;
}

}  // namespace hale::policy
