#include "hale/host/running_service.h"

#include "hale/mesh/life_probe.h"
#include "hale/mesh/member_place.h"
#include "hale/mesh/probe.h"
#include "hale/provider/file/file_registry.h"

namespace hale::host {
namespace {

/// How often the names of instances are looked up: one that was started again may be elsewhere.
constexpr Duration kNamesEvery = std::chrono::seconds(5);

}  // namespace

RunningService::RunningService(const std::string& name, const mesh::ServiceOptions& options,
                               const ServiceGround& ground)
    : ground_(ground),
      service_(std::make_shared<mesh::Service>(
          name, options,
          mesh::ServiceContext{ground.control.clock(), ground.events, ground.zone, ground.node})),
      health_({.executor = ground.control,
               .random = ThreadRandom(),
               .observer = *this,
               .service = name,
               .options = options.health,
               .prober = mesh::MakeProber(ground.control, ground.resolver, options.health),
               .sink = ground.events}) {
  // The service may outlive me: I go on the control loop, say so there, and am touched nowhere
  // else.
  service_->set_wake(
      [this, asked = asked_, gone = probes_.get_token(), &control = ground_.control] {
        if (asked->exchange(true)) return;
        control.Post([this, asked, gone] {
          asked->store(false);
          if (!gone.stop_requested()) Judge();
        });
      });
  Follow(options.instances);
}

RunningService::~RunningService() { probes_.request_stop(); }

void RunningService::Apply(const mesh::ServiceOptions& options) {
  const auto before = service_->options();
  service_->Apply(options, ground_.control.Now());
  if (before->health != options.health) {
    health_.Apply(options.health,
                  mesh::MakeProber(ground_.control, ground_.resolver, options.health));
  }
  Follow(options.instances);
}

void RunningService::Rest() {
  subscription_.Close();
  watcher_.reset();
  file_.clear();
  health_.SetInstances(cluster::Instances());
}

void RunningService::Follow(const mesh::InstancesOptions& options) {
  if (options.file.empty()) {
    subscription_.Close();
    watcher_.reset();
    file_.clear();
    // The document has been judged by its author and by us: no need to hold or confirm it.
    SetInstances(cluster::Instances(options.fixed));
    return;
  }
  if (watcher_ && file_ == options.file) return;
  subscription_.Close();
  file_ = options.file;
  watcher_ = std::make_unique<cluster::Watcher>(
      cluster::Watcher::Parts{.executor = ground_.control,
                              .registry = std::make_shared<provider::file::FileRegistry>(
                                  ground_.control, ground_.files, options.file),
                              .random = ThreadRandom(),
                              .service = service_->name(),
                              .sink = ground_.events});
  subscription_ = watcher_->Subscribe(
      ground_.control,
      [this](std::shared_ptr<const cluster::InstanceSet> set) { SetInstances(set->instances); });
}

void RunningService::SetInstances(const cluster::Instances& instances) {
  service_->SetInstances(instances, ground_.control.Now());
  health_.SetInstances(instances);
}

/// What it shows is weighed at once: calls may wait for it.
Task<void> RunningService::Probe(net::Loop& control, net::Resolver& resolver,
                                 std::shared_ptr<mesh::Service> service,
                                 std::shared_ptr<mesh::Member> member) {
  const auto options = service->options();
  co_await mesh::ProbeLife(control, resolver, std::move(member), options->timeout.connect,
                           options->outlier.max_rest);
  service->Wake();
}

void RunningService::Judge() {
  net::Loop& control = ground_.control;
  const TimePoint now = control.Now();
  service_->Judge(now, ThreadRandom());
  if (now >= names_due_) {
    names_due_ = SaturatingAdd(now, kNamesEvery);
    for (const auto& member : service_->members()->members) {
      Spawn(mesh::LookUpPlace(control, ground_.resolver, member, kNamesEvery), probes_.get_token());
    }
  }
  const auto options = service_->options();
  for (auto& member : service_->TakeProbes(now, ThreadRandom())) {
    Spawn(Probe(control, ground_.resolver, service_, std::move(member)), probes_.get_token());
  }
}

void RunningService::OnHealth(const cluster::Instance& instance, cluster::Health health) {
  service_->OnHealth(instance.address, health);
}

void RunningService::OnAlive(const cluster::Instance& instance, Duration) {
  service_->OnAlive(instance.address, ground_.control.Now());
}

}  // namespace hale::host
