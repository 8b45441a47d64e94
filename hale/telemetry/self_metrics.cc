#include "hale/telemetry/self_metrics.h"

#include <utility>

namespace hale::telemetry {

void RegisterSelfMetrics(Registry& registry, std::vector<NamedLog> logs, const Journal& journal,
                         const FlightRecorder& recorder) {
  registry.Compute({.name = "hale_log_lines_total",
                    .help = "Log lines by what became of them.",
                    .labels = {"log", "outcome"}},
                   MetricKind::kCounter, [logs](SampleSink& sink) {
                     for (const NamedLog& log : logs) {
                       const LogStats stats = log.queue->stats();
                       const auto say = [&](std::string_view outcome, std::uint64_t lines) {
                         sink.Sample({log.name, outcome}, static_cast<double>(lines));
                       };
                       say("written", stats.written);
                       say("queue_full", stats.dropped_full);
                       say("write_error", stats.dropped_error);
                     }
                   });
  registry.Compute({.name = "hale_log_lines_queued",
                    .help = "Log lines that wait to be written.",
                    .labels = {"log"}},
                   MetricKind::kGauge, [logs = std::move(logs)](SampleSink& sink) {
                     for (const NamedLog& log : logs) {
                       sink.Sample({log.name}, static_cast<double>(log.queue->stats().queued));
                     }
                   });
  registry.Compute(
      {.name = "hale_journal_entries_total", .help = "Events entered into the journal."},
      MetricKind::kCounter,
      [&journal](SampleSink& sink) { sink.Sample({}, static_cast<double>(journal.last())); });
  registry.Compute({.name = "hale_journal_overwritten_total",
                    .help = "Entries of the journal that newer ones have replaced."},
                   MetricKind::kCounter, [&journal](SampleSink& sink) {
                     sink.Sample({}, static_cast<double>(journal.overwritten()));
                   });
  registry.Compute({.name = "hale_requests_kept_total",
                    .help = "Requests kept for /explain, by why.",
                    .labels = {"kept"}},
                   MetricKind::kCounter, [&recorder](SampleSink& sink) {
                     for (unsigned i = 0; i < static_cast<unsigned>(Kept::kCount); ++i) {
                       const auto lane = static_cast<Kept>(i);
                       sink.Sample({Word(lane)}, static_cast<double>(recorder.kept(lane)));
                     }
                   });
}

}  // namespace hale::telemetry
