#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/cluster/health_checker.h"
#include "hale/cluster/instances.h"
#include "hale/config/live.h"
#include "hale/guard/targets.h"
#include "hale/mesh/member.h"
#include "hale/mesh/service_options.h"
#include "hale/policy/balancer.h"
#include "hale/policy/bulkhead.h"
#include "hale/policy/outlier.h"
#include "hale/policy/retry_budget.h"
#include "hale/policy/stall_threshold.h"

namespace hale::mesh {

/// What surrounds a service. The references outlive it.
struct ServiceContext {
  const Clock& clock = RealClock();
  EventSink& events = NullSink();
};

/// The members of a service at one moment, and what a balancer reads of each.
struct MemberSet {
  std::vector<std::shared_ptr<Member>> members;
  std::vector<double> weights;
};

/// A service that is called: its instances, the policies that concern it whole, and the picking of
/// an instance for each attempt. One object for all loops; it lives through changes of the document
/// and of its instances. Thread-safe; what is marked so runs on the control loop only.
class Service final : public guard::Targets {
 public:
  Service(std::string name, const ServiceOptions& options, ServiceContext context);

  const std::string& name() const { return name_; }
  std::shared_ptr<const ServiceOptions> options() const { return options_.Get(); }
  std::shared_ptr<const MemberSet> members() const { return set_.Get(); }
  policy::Bulkhead& bulkhead() { return bulkhead_; }
  policy::RetryBudget& budget() { return budget_; }
  /// How long answers take, from sent to their head.
  policy::LatencyHistogram& replies() { return replies_; }
  /// Too few instances are left, and doubtful ones are used again.
  bool panic() const { return panic_.load(std::memory_order_relaxed); }

  std::expected<guard::Lease, Rejection> Pick(const guard::Wanted& wanted) override;
  std::expected<guard::Lease, Rejection> PickOther(const guard::Wanted& wanted) override;
  /// A connection to `member` was refused: judged at once rather than at the next interval.
  void OnRefused(Member& member, TimePoint now);
  /// Called with work for the control loop when something cannot wait. Set before traffic.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  /// Control loop: new options, state kept.
  void Apply(const ServiceOptions& options, TimePoint now);
  /// Control loop: the set is now this.
  void SetInstances(const cluster::Instances& instances, TimePoint now);
  /// Control loop: weighs all facts about the members and publishes who is left out.
  void Judge(TimePoint now, Random& random);
  /// Control loop: the members whose rest is over, each to be asked once for a sign of life.
  std::vector<std::shared_ptr<Member>> TakeProbes(TimePoint now, Random& random);
  /// Control loop: how a member was judged; the default for one that is not known.
  policy::InstanceVerdict VerdictOf(std::string_view address) const {
    const auto at = known_.find(address);
    return at == known_.end() ? policy::InstanceVerdict{} : at->second.verdict;
  }
  /// Control loop: what the health checks of a member have come to.
  void OnHealth(std::string_view address, cluster::Health health);
  /// Control loop: a check of a member passed.
  void OnAlive(std::string_view address, TimePoint now);

 private:
  /// What only the control loop knows of a member.
  struct Known {
    std::shared_ptr<Member> member;
    policy::InstanceVerdict verdict;
    TimePoint left = kNever;        ///< when it left the set
    bool would_be_stalled = false;  ///< in shadow, and told
  };
  struct Eligible;

  std::expected<guard::Lease, Rejection> PickAmong(const guard::Wanted& wanted,
                                                   const guard::Tried* tried);
  void MarkStalls(const MemberSet& set, const ServiceOptions& options, TimePoint now);
  policy::InstanceFacts FactsOf(const Known& known, TimePoint now) const;
  void ForgetOld(TimePoint now);
  Known* Find(std::string_view address);
  void Tell(Event event, std::string_view instance) const;

  const std::string name_;
  const ServiceContext context_;
  config::Live<ServiceOptions> options_;
  config::Live<MemberSet> set_;
  policy::Bulkhead bulkhead_;
  policy::RetryBudget budget_;
  policy::Balancer balancer_;
  policy::LatencyHistogram replies_;
  std::atomic<bool> panic_{false};
  std::function<void()> wake_;
  std::map<std::string, Known, std::less<>> known_;  // control loop; the left ones included
  bool had_instances_ = false;
};

}  // namespace hale::mesh
