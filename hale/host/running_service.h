#pragma once

#include <memory>
#include <string>

#include "hale/cluster/health_checker.h"
#include "hale/cluster/watcher.h"
#include "hale/mesh/service.h"
#include "hale/net/loop.h"
#include "hale/net/resolver.h"
#include "hale/provider/file/file_watch.h"

namespace hale::host {

/// What running services need of the process; all of it outlives them.
struct ServiceGround {
  net::Loop& control;
  net::Resolver& resolver;
  provider::file::FileWatch& files;
  EventSink& events;
  std::string zone = {};   ///< of this process; empty: unknown
  std::uint64_t node = 0;  ///< the hash of its id
};

/// A service with what keeps it informed: where its instances come from, health checks, judging and
/// signs of life. Loop-bound to the control loop.
class RunningService final : private cluster::HealthObserver {
 public:
  RunningService(const std::string& name, const mesh::ServiceOptions& options,
                 const ServiceGround& ground);
  ~RunningService() override;
  RunningService(const RunningService&) = delete;
  RunningService& operator=(const RunningService&) = delete;

  const std::shared_ptr<mesh::Service>& service() const { return service_; }
  const cluster::HealthChecker& health() const { return health_; }
  /// Null when the instances stand in the document.
  const cluster::Watcher* watcher() const { return watcher_.get(); }

  /// Goes on, also after Rest.
  void Apply(const mesh::ServiceOptions& options);
  /// No document names it any more: its instances are neither watched nor checked, what is known of
  /// them stays until Apply.
  void Rest();
  /// Weighs the facts and asks those whose rest is over for a sign of life.
  void Judge();

 private:
  static Task<void> Probe(net::Loop& control, net::Resolver& resolver,
                          std::shared_ptr<mesh::Service> service,
                          std::shared_ptr<mesh::Member> member);
  void Follow(const mesh::InstancesOptions& options);
  void SetInstances(const cluster::Instances& instances);
  void OnHealth(const cluster::Instance& instance, cluster::Health health) override;
  void OnAlive(const cluster::Instance& instance, Duration latency) override;

  const ServiceGround ground_;
  std::shared_ptr<mesh::Service> service_;
  cluster::HealthChecker health_;
  std::string file_;  // that watcher_ follows
  std::unique_ptr<cluster::Watcher> watcher_;
  cluster::InstanceFeed::Subscription subscription_;
  std::stop_source probes_;
  TimePoint names_due_{};
  // Whether a judgement has been asked for and is on its way; outlives me for the posted work.
  std::shared_ptr<std::atomic<bool>> asked_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace hale::host
