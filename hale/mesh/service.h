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
#include "hale/policy/concurrency_limit.h"
#include "hale/policy/maglev.h"
#include "hale/policy/outlier.h"
#include "hale/policy/retry_budget.h"
#include "hale/policy/stall_threshold.h"
#include "hale/policy/throttle.h"

namespace hale::mesh {

/// What surrounds a service. The references outlive it.
struct ServiceContext {
  const Clock& clock = RealClock();
  EventSink& events = NullSink();
  std::string zone = {};   ///< of this process; empty: unknown
  std::uint64_t node = 0;  ///< the hash of its id
};

/// The members of a service at one moment, and what a balancer reads of each.
struct MemberSet {
  std::vector<std::shared_ptr<Member>> members;
  std::vector<double> weights;
  std::vector<double> factors;          ///< of the weights, as narrowed by subset, group and zone
  std::vector<std::uint32_t> narrowed;  ///< the indices of those that are left; empty: not narrowed
  double local = 1;                     ///< share of the calls that stays in the own zone
  double first = 1;                     ///< share of the calls that goes to the first group
  std::shared_ptr<const policy::MaglevTable> table;  ///< null: no keys are used
  bool reports = false;                              ///< what instances report is used
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
  policy::Throttle& throttle() { return throttle_; }
  policy::Bulkhead& bulkhead() { return bulkhead_; }
  policy::ConcurrencyLimit& concurrency() { return concurrency_; }
  policy::RetryBudget& budget() { return budget_; }
  policy::Hedge& hedge() { return hedge_; }
  policy::DeadlineGate& gate() { return gate_; }
  /// How long answers take, from sent to their head.
  policy::LatencyHistogram& replies() { return replies_; }
  /// Too few instances are left, and doubtful ones are used again.
  bool panic() const { return panic_.load(std::memory_order_relaxed); }

  std::expected<guard::Lease, Rejection> Pick(const guard::Wanted& wanted) override;
  std::expected<guard::Lease, Rejection> PickOther(const guard::Wanted& wanted) override;
  /// Whether PickOther may find one. Takes nothing, and refuses nobody.
  bool HasOther(const guard::Wanted& wanted) const;
  Reason Protects(TimePoint now) const override;
  /// A connection to `member` was refused: judged at once rather than at the next interval.
  void OnRefused(Member& member, TimePoint now);
  /// Called when there is work for the control loop that cannot wait. Set before traffic.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }
  void Wake() const {
    if (wake_) wake_();
  }

  /// Control loop: so many processes like this one are known to call the service, 0: it is not
  /// known. They share the reserve of its retry budget.
  void SetFleet(std::uint32_t processes);
  std::uint32_t fleet() const { return fleet_.load(std::memory_order_relaxed); }

  /// Control loop: new options, state kept.
  void Apply(const ServiceOptions& options, TimePoint now);
  /// Control loop: the set is now this.
  void SetInstances(const cluster::Instances& instances, TimePoint now);
  /// Control loop: weighs all facts about the members and publishes who is left out.
  void Judge(TimePoint now, Random& random);
  /// Control loop: the members whose rest is over, each to be asked once for a sign of life. Rests
  /// are short while calls find nobody.
  std::vector<std::shared_ptr<Member>> TakeProbes(TimePoint now, Random& random);
  /// Control loop: how a member was judged; the default for one that is not known.
  policy::InstanceVerdict VerdictOf(std::string_view address) const {
    const auto at = known_.find(address);
    return at == known_.end() ? policy::InstanceVerdict{} : at->second.verdict;
  }
  /// Control loop: how far a member is from being left out as unlike its peers.
  policy::Deviation DeviationOf(std::string_view address) const {
    const auto at = known_.find(address);
    return at == known_.end() ? policy::Deviation{} : at->second.deviation;
  }
  /// Control loop: what its registry says of a member; null for one that is not known.
  const cluster::Instance* InstanceOf(std::string_view address) const {
    const auto at = known_.find(address);
    return at == known_.end() ? nullptr : &at->second.instance;
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
    policy::Deviation deviation;
    cluster::Instance instance;
    TimePoint left = kNever;        ///< when it left the set
    bool would_be_stalled = false;  ///< in shadow, and told
  };
  struct Eligible;

  static void Gather(const MemberSet& set, bool narrowed, const guard::Wanted& wanted,
                     const guard::Tried* tried, Eligible& eligible);
  std::expected<guard::Lease, Rejection> PickAmong(const guard::Wanted& wanted,
                                                   const guard::Tried* tried);
  std::expected<guard::Lease, Rejection> PickFrom(const MemberSet& set, bool narrowed,
                                                  const guard::Wanted& wanted,
                                                  const guard::Tried* tried);
  /// Works out what the set is narrowed to, and publishes it.
  void PublishSet(std::vector<std::shared_ptr<Member>> members);
  std::shared_ptr<const policy::MaglevTable> TableOf(const MemberSet& set);
  void FollowReplies(const ServiceOptions& options, TimePoint now);
  void MarkStalls(const MemberSet& set, const ServiceOptions& options, TimePoint now);
  policy::InstanceFacts FactsOf(const Known& known, TimePoint now) const;
  void OnNobody();
  void ForgetOld(TimePoint now);
  Known* Find(std::string_view address);
  void Tell(Event event, std::string_view instance) const;

  const std::string name_;
  const ServiceContext context_;
  config::Live<ServiceOptions> options_;
  config::Live<MemberSet> set_;
  policy::Throttle throttle_;
  policy::Bulkhead bulkhead_;
  policy::ConcurrencyLimit concurrency_;
  policy::RetryBudget budget_;
  policy::Hedge hedge_;
  policy::DeadlineGate gate_;
  policy::Balancer balancer_;
  policy::LatencyHistogram replies_;
  std::atomic<bool> panic_{false};
  std::atomic<std::uint32_t> fleet_{0};
  std::atomic<bool> missed_{false};        // calls found nobody since the dead were looked at last
  TimePoint hastened_ = TimePoint::min();  // control loop
  std::function<void()> wake_;
  std::map<std::string, Known, std::less<>> known_;  // control loop; the left ones included
  Duration hung_after_;                              // control loop: of the members' breakers
  bool had_instances_ = false;
  // What the table in use was made of: it is made anew only when that changes.
  std::vector<policy::MaglevEntry> table_of_;
  std::shared_ptr<const policy::MaglevTable> table_;
};

}  // namespace hale::mesh
