#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hale/base/sim_executor.h"
#include "hale/base/wait.h"
#include "hale/guard/enter.h"
#include "hale/guard/governed_call.h"
#include "hale/mesh/service.h"

namespace hale::mesh {

/// A random span with this mean, exponentially distributed.
inline Duration Exponential(Duration mean, Random& random) {
  return Scale(mean, -std::log(1 - random.Unit()));
}

/// For tests: a server in virtual time. A few workers, and before them a bulkhead with its queue,
/// as a sidecar has. It never learns that who asked has given up. Loop-bound.
class SimServer {
 public:
  struct Options {
    std::uint32_t workers = 4;
    Duration takes = 40ms;               ///< one call, on average; exponentially distributed
    policy::BulkheadOptions queue = {};  ///< its limit is the workers
    bool knows_deadlines = false;        ///< calls say how long they will be waited for
    bool says_shed = false;              ///< a refusal says that it is one for overload
  };
  struct Reply {
    explicit Reply(Executor& executor) : arrived(executor) {}
    Trigger arrived;
    bool good = false;
    bool shed = false;
    double load = 0;  ///< of the server: calls in it, for each worker
  };

  SimServer(Executor& executor, Random& random, const Options& options)
      : executor_(executor),
        random_(random),
        options_(options),
        door_(Door(options), {"server", NullSink(), executor.clock()}) {}

  /// A call that will be waited for so long. Refused, it is answered at once.
  Task<void> Serve(std::shared_ptr<Reply> reply, Duration waited_for) {
    policy::Admission call;
    if (options_.knows_deadlines) call.remaining = waited_for;
    auto place = co_await guard::EnterQueue(door_, executor_, call);
    if (place) {
      const TimePoint began = executor_.Now();
      if (pause_ > began) co_await SleepUntil(executor_, pause_);
      const Duration takes = Exponential(Scale(options_.takes, slower_), random_);
      co_await Sleep(executor_, takes);
      door_.Served(executor_.Now() - began);
    }
    reply->good = place.has_value();
    reply->shed = !place && options_.says_shed;
    reply->load = static_cast<double>(door_.in_flight() + door_.waiting()) / options_.workers;
    reply->arrived.Fire();
  }

  /// Begins nothing for so long.
  void Pause(Duration span) { pause_ = executor_.Now() + span; }
  /// How many times as long a call takes from now on.
  void Slow(double times) { slower_ = times; }

 private:
  static policy::BulkheadOptions Door(const Options& options) {
    policy::BulkheadOptions door = options.queue;
    door.limit = options.workers;
    return door;
  }

  Executor& executor_;
  Random& random_;
  const Options options_;
  policy::Bulkhead door_;
  TimePoint pause_ = TimePoint::min();
  double slower_ = 1;
};

/// A queue of so many places without a bound of time: what is left out of a comparison.
inline policy::BulkheadOptions Places(std::uint32_t places) {
  return {.queue = places, .max_wait = 1h};
}
inline policy::BulkheadOptions Endless() { return Places(1'000'000); }

/// Who makes so many attempts at once, waits so long for each, and has no other policy.
inline ServiceOptions Trying(std::uint32_t attempts, Duration per_try = 1s) {
  constexpr auto kOff = policy::Mode::kOff;
  ServiceOptions options;
  options.breaker.mode = kOff;
  options.outlier.mode = kOff;
  options.stall.mode = kOff;
  options.retry = {.attempts = attempts, .backoff_base = 1ms, .backoff_max = 1ms};
  options.retry.budget.mode = kOff;
  options.timeout.per_try = per_try;
  options.balance.slow_start = 0s;
  return options;
}

/// For tests: clients and servers in virtual time. Users come at random, whatever the answers (an
/// open loop: a closed one would wait, and hide the storm), each to any of the clients; a client is
/// the policies of one process, with all that it has of its own. Not thread-safe.
class SimFleet {
 public:
  struct Options {
    std::size_t clients = 50;
    std::size_t servers = 10;
    SimServer::Options server = {};
    ServiceOptions service = {};
    Duration deadline = 4s;  ///< of a user
  };

  explicit SimFleet(const Options& options) : deadline_(options.deadline) {
    std::vector<cluster::Instance> instances;
    for (std::size_t i = 0; i < options.servers; ++i) {
      servers_.emplace_back(executor_, serving_, options.server);
      instances.push_back({.address = std::to_string(1000 + i) + ":1"});
    }
    for (std::size_t i = 0; i < options.clients; ++i) {
      clients_.emplace_back(options.service,
                            ServiceContext{executor_.clock(), NullSink(), "", choices_.Next()});
      clients_.back().service.SetInstances(cluster::Instances(instances), executor_.Now());
    }
  }
  /// Lets all calls end.
  ~SimFleet() { executor_.Run(); }
  SimFleet(const SimFleet&) = delete;
  SimFleet& operator=(const SimFleet&) = delete;

  /// So many users a second for so long.
  void Load(double per_second, Duration span) {
    const TimePoint end = executor_.Now() + span;
    const Duration gap = Scale(1s, 1 / per_second);
    for (TimePoint at = executor_.Now() + Exponential(gap, arrivals_); at < end;
         at += Exponential(gap, arrivals_)) {
      executor_.RunUntil(at);
      Spawn(Use(clients_[arrivals_.Below(clients_.size())], executor_.Now()));
    }
    executor_.RunUntil(end);
  }

  SimServer& server(std::size_t i) { return servers_[i]; }
  std::deque<SimServer>& servers() { return servers_; }
  TimePoint Now() const { return executor_.Now(); }

  /// What became of the users that came from `from` to `to`.
  struct Seen {
    double users = 0;
    double good = 0;
    double attempts = 0;
    double ok() const { return good / users; }
    double attempts_each() const { return attempts / users; }
  };
  Seen Between(TimePoint from, TimePoint to) const {
    Seen sum;
    for (std::size_t i = SecondOf(from); i < SecondOf(to) && i < seconds_.size(); ++i) {
      sum.users += seconds_[i].users;
      sum.good += seconds_[i].good;
      sum.attempts += seconds_[i].attempts;
    }
    return sum;
  }
  /// After so long from `from` on 99 % of the users were served, for ten seconds in a row; kForever
  /// when they never were.
  Duration Recovery(TimePoint from) const {
    int good = 0;
    for (TimePoint at = from; at + 1s <= Now(); at += 1s) {
      good = Between(at, at + 1s).ok() >= 0.99 ? good + 1 : 0;
      if (good == 10) return at - from - 9s;
    }
    return kForever;
  }

 private:
  struct Client {
    Client(const ServiceOptions& options, const ServiceContext& context)
        : service("servers", options, context) {}
    Service service;
    TimePoint judged{};
  };

  /// Asks a server, and gives up when it is stopped.
  class Sender final : public guard::Sender<int> {
   public:
    explicit Sender(SimFleet& fleet) : fleet_(fleet) {}
    Task<Result<int>> Send(guard::Lease& lease, guard::Attempt attempt) override {
      Executor& executor = fleet_.executor_;
      const auto reply = std::make_shared<SimServer::Reply>(executor);
      lease.OnSent(executor.Now());
      Spawn(fleet_.ServerOf(lease.instance()).Serve(reply, attempt.remaining()));
      if (co_await reply->arrived.Wait() != Trigger::Ended::kFired) {
        co_return Fail(Reason::kUpstreamReset, Executed::kMaybe);
      }
      lease.OnAnswered(executor.Now());
      lease.target()->load().reported().Report(reply->load, executor.Now());
      if (reply->good) co_return 1;
      shed_ = reply->shed;
      Error busy(Code::kUnavailable, "busy");
      busy.executed = Executed::kNo;
      co_return std::unexpected(std::move(busy));
    }
    std::optional<policy::FailedAttempt> Failure(const Result<int>& result) const override {
      if (result) return std::nullopt;
      policy::FailedAttempt failure = policy::Facts(result.error());
      failure.shed = shed_ && failure.reason == Reason::kNone;
      return failure;
    }

   private:
    SimFleet& fleet_;
    bool shed_ = false;
  };

  SimServer& ServerOf(std::string_view address) {
    return servers_[std::stoul(std::string(address)) - 1000];
  }
  std::size_t SecondOf(TimePoint at) const {
    return static_cast<std::size_t>((at - start_) / std::chrono::seconds(1));
  }

  Task<void> Use(Client& client, TimePoint now) {
    Service& service = client.service;
    const auto options = service.options();
    if (options->outlier.mode != policy::Mode::kOff && now - client.judged >= 100ms) {
      service.Judge(client.judged = now, choices_);
    }
    const std::size_t second = SecondOf(now);
    if (seconds_.size() <= second) seconds_.resize(second + 1);
    ++seconds_[second].users;
    const guard::CallPolicies policies{.bulkhead = service.bulkhead(),
                                       .retry = options->retry,
                                       .budget = service.budget(),
                                       .random = choices_,
                                       .per_try = options->timeout.per_try,
                                       .throttle = &service.throttle(),
                                       .concurrency = &service.concurrency(),
                                       .hedge = &service.hedge(),
                                       .gate = &service.gate()};
    const guard::CallSpec spec{.deadline = now + deadline_,
                               .whole = deadline_,
                               .idempotent = true,
                               .service = service.name(),
                               .trail = NullSink()};
    Sender sender(*this);
    guard::GovernedCall<int> call(executor_, policies, spec, service, sender);
    const auto ended = co_await call.Run(now);
    seconds_[second].good += ended.result ? 1 : 0;
    seconds_[second].attempts += ended.attempts;
  }

  SimExecutor executor_;
  const TimePoint start_ = executor_.Now();
  const Duration deadline_;
  // One for each purpose, so that a change of policy does not change who comes when.
  SeededRandom arrivals_{1};
  SeededRandom serving_{2};
  SeededRandom choices_{3};
  std::deque<SimServer> servers_;
  std::deque<Client> clients_;
  std::vector<Seen> seconds_;
};

}  // namespace hale::mesh
