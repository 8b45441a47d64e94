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
          name, options, mesh::ServiceContext{ground.control.clock(), ground.events})),
      health_({.executor = ground.control,
               .random = ThreadRandom(),
               .observer = *this,
               .service = name,
               .options = options.health,
               .prober = mesh::MakeProber(ground.control, ground.resolver, options.health),
               .sink = ground.events}) {
  service_->set_wake(
      [asked = asked_, service = std::weak_ptr(service_), &control = ground_.control] {
        if (asked->exchange(true)) return;
        control.Post([asked, service, &control] {
          asked->store(false);
          if (const auto alive = service.lock()) alive->Judge(control.Now(), ThreadRandom());
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
    Spawn(mesh::ProbeLife(control, ground_.resolver, std::move(member), options->timeout.connect,
                          options->outlier.max_rest),
          probes_.get_token());
  }
}

void RunningService::OnHealth(const cluster::Instance& instance, cluster::Health health) {
  service_->OnHealth(instance.address, health);
}

void RunningService::OnAlive(const cluster::Instance& instance, Duration) {
  service_->OnAlive(instance.address, ground_.control.Now());
}

}  // namespace hale::host
