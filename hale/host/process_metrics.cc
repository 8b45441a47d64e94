#include "hale/host/process.h"

namespace hale::host {

/// Figures that exist anyway and are worked out when somebody reads them, on the control loop.
void Process::RegisterMetrics() {
  using telemetry::MetricKind;
  using telemetry::SampleSink;
  telemetry::Registry& metrics = observatory_->metrics();

  metrics.Compute({"hale_node", "1, with who this process is", {"service", "zone", "id"}},
                  MetricKind::kGauge, [this](SampleSink& sink) {
                    const auto node =
                        updater_.With([](const auto& u) { return u->current()->value.node; });
                    sink.Sample({node.service, node.zone, NodeId(node)}, 1);
                  });
  metrics.Compute(
      {"hale_instance_up", "1: calls go to it, 0: it is left out", {"service", "instance"}},
      MetricKind::kGauge, [this](SampleSink& sink) {
        for (const auto& [name, kept] : routing_.services()) {
          if (kept.left != kNever) continue;
          const auto set = kept.object->service()->members();
          for (const auto& member : set->members) {
            const bool out = member->verdict().use() == policy::Use::kOut;
            sink.Sample({name, member->address()}, out ? 0 : 1);
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
                                static_cast<double>(updater_.With(
                                    [](const auto& u) { return u->current()->revision; })));
                  });
  metrics.Compute(
      {"hale_config_rejected", "1: the document at hand is not valid and not in force", {}},
      MetricKind::kGauge, [this](SampleSink& sink) {
        const bool bad = updater_.With([](const auto& u) { return !u->rejected().empty(); });
        sink.Sample(std::initializer_list<std::string_view>{}, bad ? 1 : 0);
      });
}

}  // namespace hale::host
