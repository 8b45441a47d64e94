#include "hale/host/limit_metrics.h"
#include "hale/host/process.h"

namespace hale::host {

/// Figures that exist anyway and are worked out when somebody reads them, on the control loop.
void Process::RegisterMetrics() {
  using telemetry::MetricKind;
  using telemetry::SampleSink;
  telemetry::Registry& metrics = observatory_->metrics();

  metrics.Compute({"hale_node", "1, with who this process is", {"service", "zone", "id"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    const NodeOptions& node = in_force_->value.node;
                    sink.Sample({node.service, node.zone, NodeId(node)}, 1);
                  });
  metrics.Compute(
      {"hale_instance_up", "1: calls go to it, 0: it is left out", {"service", "instance"}},
      MetricKind::kGauge, [this](SampleSink& sink) {
        for (const auto& [name, kept] : routing_.services()) {
          if (kept.left != kNever) continue;
          const auto set = kept.object->service()->members();
          for (const auto& member : set->members) {
            const policy::Use use = member->verdict().use();
            const bool out = use == policy::Use::kOut || use == policy::Use::kAside;
            sink.Sample({name, member->address()}, out ? 0 : 1);
          }
        }
      });
  metrics.Compute({"hale_instance_deviation",
                   "how unlike its peers it is; at 1 it is left out",
                   {"service", "instance"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      const mesh::Service& service = *kept.object->service();
                      for (const auto& member : service.members()->members) {
                        const policy::Deviation deviation = service.DeviationOf(member->address());
                        if (!deviation.compared) continue;
                        sink.Sample({name, member->address()}, deviation.worse());
                      }
                    }
                  });
  metrics.Compute({"hale_instance_factor",
                   "of its weight that subset, priority and zone leave",
                   {"service", "instance"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      const auto set = kept.object->service()->members();
                      for (std::size_t i = 0; i < set->members.size(); ++i) {
                        sink.Sample({name, set->members[i]->address()}, set->factors[i]);
                      }
                    }
                  });
  metrics.Compute({"hale_circuit_state",
                   "0 closed, 1 open, 2 half-open, 3 forced open, 4 forced closed",
                   {"service", "instance"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    const TimePoint now = control_.clock().Now();
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      const auto set = kept.object->service()->members();
                      for (const auto& member : set->members) {
                        sink.Sample({name, member->address()},
                                    static_cast<double>(member->breaker().state(now)));
                      }
                    }
                  });
  metrics.Compute({"hale_bulkhead_in_flight", "calls in flight", {"service"}}, MetricKind::kGauge,
                  [this](SampleSink& sink) {
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      sink.Sample({name}, kept.object->service()->bulkhead().in_flight());
                    }
                  });
  metrics.Compute({"hale_bulkhead_waiting", "calls that wait for a place", {"service"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      sink.Sample({name}, kept.object->service()->bulkhead().waiting());
                    }
                  });
  metrics.Compute(
      {"hale_concurrency_limit", "the limit as found; the bulkhead's while it is off", {"service"}},
      MetricKind::kGauge, [this](SampleSink& sink) {
        for (const auto& [name, kept] : routing_.services()) {
          if (kept.left != kNever) continue;
          const auto& limit = kept.object->service()->concurrency();
          const bool off = limit.mode() == policy::Mode::kOff;
          sink.Sample({name}, off ? limit.most() : limit.found());
        }
      });
  metrics.Compute({"hale_throttle_probability", "share of calls that is held back", {"service"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    const TimePoint now = control_.clock().Now();
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      sink.Sample({name}, kept.object->service()->throttle().share(now));
                    }
                  });
  metrics.Compute({"hale_bulkhead_stands",
                   "1: the queue has not been empty for long, the last goes first",
                   {"service"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    const TimePoint now = control_.clock().Now();
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      sink.Sample({name}, kept.object->service()->bulkhead().Stands(now) ? 1 : 0);
                    }
                  });
  metrics.Compute({"hale_bulkhead_mean_call_seconds", "what calls take on average", {"service"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      sink.Sample({name}, Seconds(kept.object->service()->bulkhead().mean_call()));
                    }
                  });
  const auto each_partition = [this](SampleSink& sink, auto figure) {
    for (const auto& [name, kept] : routing_.services()) {
      if (kept.left != kNever) continue;
      const auto all = kept.object->service()->bulkhead().partitions();
      for (std::size_t i = 1; i < all.size(); ++i) sink.Sample({name, all[i].name}, figure(all[i]));
    }
  };
  metrics.Compute({"hale_bulkhead_partition_in_flight",
                   "calls in flight of a partition",
                   {"service", "partition"}},
                  MetricKind::kGauge, [each_partition](SampleSink& sink) {
                    each_partition(sink, [](const auto& one) { return one.in_flight; });
                  });
  metrics.Compute({"hale_bulkhead_partition_waiting",
                   "calls of a partition that wait for a place",
                   {"service", "partition"}},
                  MetricKind::kGauge, [each_partition](SampleSink& sink) {
                    each_partition(sink, [](const auto& one) { return one.waiting; });
                  });
  metrics.Compute({"hale_limit_decisions_total",
                   "what each limit of a route or service has decided",
                   {"route", "service", "limit", "by", "decision"}},
                  MetricKind::kCounter,
                  [this](SampleSink& sink) { SampleLimits(*routes_.Get(), sink); });
  metrics.Compute({"hale_retry_budget_balance", "retries that could be made now", {"service"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    const TimePoint now = control_.clock().Now();
                    for (const auto& [name, kept] : routing_.services()) {
                      if (kept.left != kNever) continue;
                      sink.Sample({name}, kept.object->service()->budget().balance(now));
                    }
                  });
  metrics.Compute({"hale_connections", "client connections that are open", {"loop"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    for (std::size_t i = 0; i < workers_.size(); ++i) {
                      sink.Sample({std::to_string(i)},
                                  static_cast<double>(workers_[i]->connections()));
                    }
                  });
  metrics.Compute({"hale_loop_lag_seconds",
                   "the longest that work held a loop since the last reading",
                   {"loop"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    for (std::size_t i = 0; i < workers_.size(); ++i) {
                      sink.Sample({std::to_string(i)}, Seconds(workers_[i]->TakeLag().turn));
                    }
                  });
  metrics.Compute({"hale_config_revision", "revision of the document in force", {}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    sink.Sample(std::initializer_list<std::string_view>{},
                                static_cast<double>(in_force_->revision));
                  });
  metrics.Compute(
      {"hale_config_rejected", "1: the document at hand is not valid and not in force", {}},
      MetricKind::kGauge, [this](SampleSink& sink) {
        const bool bad = updater_.With([](const auto& u) { return !u->rejected().empty(); });
        sink.Sample(std::initializer_list<std::string_view>{}, bad ? 1 : 0);
      });
}

}  // namespace hale::host
