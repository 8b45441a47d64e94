#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "hale/base/wait.h"
#include "hale/guard/sender.h"
#include "hale/guard/targets.h"

namespace hale::guard {

/// What one scripted attempt does.
struct Act {
  Result<int> result = 1;
  Duration takes{0};
  bool throws = false;
};

/// For tests: attempts that go as written, in the order in which they are sent; after the last of
/// them all succeed at once. Loop-bound.
class ScriptedSender final : public Sender<int> {
 public:
  struct Sent {
    std::string instance;
    std::uint32_t number = 0;
    TimePoint at{};
    TimePoint until{};
  };

  explicit ScriptedSender(Executor& executor) : executor_(executor) {}

  Task<Result<int>> Send(Lease& lease, Attempt attempt) override {
    sent.push_back(
        {std::string(lease.instance()), attempt.number(), executor_.Now(), attempt.until()});
    const Act act = Next();
    lease.OnSent(executor_.Now());
    const bool slept = co_await Sleep(executor_, act.takes);
    if (!slept) {
      ++stopped;
      co_return Fail(Reason::kUpstreamReset, Executed::kMaybe);  // any error, also one that counts
    }
    if (act.throws) throw std::runtime_error("scripted");
    if (act.result) lease.OnAnswered(executor_.Now());
    co_return act.result;
  }
  bool replayable() const override { return can_replay; }
  bool may_race() const override { return may_race_ever; }
  bool raceable() const override { return can_race; }

  std::deque<Act> script;
  bool can_replay = true;
  bool may_race_ever = true;
  bool can_race = true;
  std::vector<Sent> sent;
  int stopped = 0;

 private:
  Act Next() {
    if (script.empty()) return {};
    Act act = script.front();
    script.pop_front();
    return act;
  }

  Executor& executor_;
};

/// For tests: a few targets, picked in their order, those that have been tried last.
/// Not thread-safe.
class ScriptedTargets final : public Targets {
 public:
  ScriptedTargets(std::vector<std::string> names, const policy::CircuitBreakerOptions& options,
                  policy::CircuitBreakerContext context) {
    for (std::string& name : names) {
      context.instance = std::move(name);
      targets.push_back(std::make_shared<Target>(options, context));
    }
  }

  std::expected<Lease, Rejection> Pick(const Wanted& wanted) override {
    timeouts.push_back(wanted.timeout);
    auto lease = PickOther(wanted);
    for (auto at = targets.begin(); !lease && at != targets.end(); ++at) {
      lease = Lease::Take(*at, wanted.now, wanted.timeout, wanted.trail);
    }
    return lease;
  }
  std::expected<Lease, Rejection> PickOther(const Wanted& wanted) override {
    std::expected<Lease, Rejection> lease =
        std::unexpected(Rejection{.reason = Reason::kNoInstance});
    for (const auto& target : targets) {
      if (wanted.tried.Has(*target)) continue;
      lease = Lease::Take(target, wanted.now, wanted.timeout, wanted.trail);
      if (lease) break;
    }
    return lease;
  }

  Reason Protects(TimePoint) const override { return protects; }

  Reason protects = Reason::kNone;
  std::vector<std::shared_ptr<Target>> targets;
  std::vector<Duration> timeouts;  ///< that were asked for
};

}  // namespace hale::guard
