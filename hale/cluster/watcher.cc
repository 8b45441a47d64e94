#include "hale/cluster/watcher.h"

#include <utility>

#include "hale/base/wait.h"

namespace hale::cluster {
namespace {

std::string Describe(const InstancesDiff& diff) {
  return "+" + std::to_string(diff.added.size()) + " -" + std::to_string(diff.removed.size()) +
         " ~" + std::to_string(diff.changed.size());
}

std::size_t SizeOf(const std::shared_ptr<const Instances>& set) { return set ? set->size() : 0; }

}  // namespace

struct Watcher::Loop : std::enable_shared_from_this<Loop> {
  struct State {
    explicit State(const WatchOptions& options) : core(options) {}
    WatchCore core;
    std::uint64_t answers = 0;
    std::uint64_t failures = 0;
    std::uint64_t held = 0;
  };

  explicit Loop(Parts p) : parts(std::move(p)), state(parts.options) {}

  Position Ask() { return state.Lock()->core.Ask(parts.executor.Now()); }
  Duration Take(Result<Update> update);
  WatchStatus Status() const;

  void Tell(Reason reason, double observed, double threshold, std::string_view detail);
  void TellHowItWent(WatchCore::Verdict verdict, const std::shared_ptr<const Instances>& before,
                     const std::shared_ptr<const Instances>& after, std::size_t held);
  void TellFreshness(bool failed, const std::string& error);
  void Expire();

  Parts parts;
  Guarded<State> state;
  InstanceFeed feed;
  // Loop-bound.
  bool stale = false;
  Executor::Timer expiry = Executor::Timer::kNone;
};

Duration Watcher::Loop::Take(Result<Update> update) {
  const TimePoint now = parts.executor.Now();
  auto verdict = WatchCore::Verdict::kRefused;
  std::shared_ptr<const Instances> before;
  std::shared_ptr<const Instances> after;
  std::string error;
  std::size_t held = 0;
  Duration rest{0};
  state.With([&](State& s) {
    before = s.core.instances();
    if (update) {
      verdict = s.core.Offer(std::move(*update), now);
    } else {
      s.core.Fail(std::move(update.error()), now);
    }
    after = s.core.instances();
    error = s.core.error().message;
    if (s.core.held() != nullptr) held = s.core.held()->size();
    using enum WatchCore::Verdict;
    const bool failed = verdict == kRefused || verdict == kRegressed;
    ++(failed ? s.failures : s.answers);
    if (verdict == kHeld) ++s.held;
    rest = s.core.Rest(now, parts.random);
  });
  if (verdict == WatchCore::Verdict::kApplied) feed.Publish(*after);
  TellFreshness(
      verdict == WatchCore::Verdict::kRefused || verdict == WatchCore::Verdict::kRegressed, error);
  TellHowItWent(verdict, before, after, held);
  return rest;
}

void Watcher::Loop::TellHowItWent(WatchCore::Verdict verdict,
                                  const std::shared_ptr<const Instances>& before,
                                  const std::shared_ptr<const Instances>& after, std::size_t held) {
  if (verdict == WatchCore::Verdict::kApplied) {
    const InstancesDiff diff = before ? Diff(*before, *after) : Diff(Instances(), *after);
    Tell(Reason::kNone, static_cast<double>(after->size()), static_cast<double>(SizeOf(before)),
         Describe(diff));
  } else if (verdict == WatchCore::Verdict::kHeld) {
    Tell(Reason::kHeld, static_cast<double>(held), static_cast<double>(SizeOf(before)),
         "a second reading must agree");
  }
}

void Watcher::Loop::TellFreshness(bool failed, const std::string& error) {
  if (failed == stale) return;
  stale = failed;
  if (failed) {
    // A provider may wait quietly for better times, so that nothing else would notice.
    expiry = parts.executor.At(SaturatingAdd(parts.executor.Now(), parts.options.expire_after),
                               [weak = weak_from_this()] {
                                 if (const auto self = weak.lock()) self->Expire();
                               });
    Tell(Reason::kStale, 0, Seconds(parts.options.expire_after), error);
  } else {
    parts.executor.Cancel(std::exchange(expiry, Executor::Timer::kNone));
    Tell(Reason::kRecovered, 0, 0, "the registry answers");
  }
}

void Watcher::Loop::Expire() {
  expiry = Executor::Timer::kNone;
  const WatchStatus status = Status();
  Tell(Reason::kStale, Seconds(status.age), Seconds(parts.options.expire_after),
       "expired: " + status.error);
}

void Watcher::Loop::Tell(Reason reason, double observed, double threshold,
                         std::string_view detail) {
  Event event;
  event.at = parts.executor.Now();
  event.kind = EventKind::kInstancesChanged;
  event.reason = reason;
  event.policy = "watcher";
  event.service = parts.service;
  event.observed = observed;
  event.threshold = threshold;
  event.detail = detail;
  parts.sink.On(event);
}

WatchStatus Watcher::Loop::Status() const {
  const TimePoint now = parts.executor.clock().Now();
  return state.With([&](const State& s) {
    WatchStatus status;
    status.freshness = s.core.freshness(now);
    status.age = s.core.age(now);
    status.position = s.core.position();
    status.instances = SizeOf(s.core.instances());
    status.holding = s.core.holding();
    status.answers = s.answers;
    status.failures = s.failures;
    status.held = s.held;
    status.malformed = s.core.malformed();
    status.error = s.core.error().message;
    status.malformed_reason = s.core.last_malformed();
    return status;
  });
}

Watcher::Watcher(Parts parts) : loop_(std::make_shared<Loop>(std::move(parts))) {
  Spawn(Run(loop_), stop_.get_token());
}

Watcher::~Watcher() {
  stop_.request_stop();
  loop_->parts.executor.Cancel(loop_->expiry);
}

Task<void> Watcher::Run(std::shared_ptr<Loop> loop) {
  const std::stop_token stop = co_await CurrentStop();
  while (!stop.stop_requested()) {
    auto update = co_await loop->parts.registry->Next(loop->Ask());
    if (stop.stop_requested()) break;
    const Duration rest = loop->Take(std::move(update));
    if (rest > Duration::zero()) {
      const bool slept = co_await Sleep(loop->parts.executor, rest);
      if (!slept) break;
    }
  }
}

InstanceFeed::Subscription Watcher::Subscribe(Executor& executor, InstanceFeed::Listener listener) {
  return loop_->feed.Subscribe(executor, std::move(listener));
}

std::shared_ptr<const InstanceSet> Watcher::current() const { return loop_->feed.current(); }

WatchStatus Watcher::status() const { return loop_->Status(); }

}  // namespace hale::cluster
