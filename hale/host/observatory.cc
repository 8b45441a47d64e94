#include "hale/host/observatory.h"

#include <unistd.h>

#include "hale/telemetry/process_metrics.h"

namespace hale::host {
namespace {

void ShowQueue(telemetry::Registry& metrics, const std::string& which,
               const telemetry::LogQueue& queue) {
  const std::string name = "hale_" + which + "_lines";
  metrics.Compute({name + "_total", "lines of the " + which + ", by what became of them", {"result"}},
                  telemetry::MetricKind::kCounter, [&queue](telemetry::SampleSink& sink) {
                    const telemetry::LogStats stats = queue.stats();
                    sink.Sample({"written"}, static_cast<double>(stats.written));
                    sink.Sample({"dropped_full"}, static_cast<double>(stats.dropped_full));
                    sink.Sample({"dropped_error"}, static_cast<double>(stats.dropped_error));
                  });
}

}  // namespace

Result<std::unique_ptr<Observatory>> Observatory::Open(const Document& document,
                                                       const Clock& clock) {
  const std::string& where = document.telemetry.access_log;
  std::unique_ptr<telemetry::FileSink> access;
  if (where == "stdout" || where == "stderr") {
    access = telemetry::FileSink::ToDescriptor(where == "stdout" ? STDOUT_FILENO : STDERR_FILENO);
  } else if (where != "off") {
    auto opened = telemetry::FileSink::Open(where);
    if (!opened) return std::unexpected(opened.error());
    access = std::move(*opened);
  }
  return std::unique_ptr<Observatory>(new Observatory(document, clock, std::move(access)));
}

Observatory::Observatory(const Document& document, const Clock& clock,
                         std::unique_ptr<telemetry::FileSink> access)
    : event_sink_(telemetry::FileSink::ToDescriptor(STDERR_FILENO)),
      event_queue_(*event_sink_),
      event_writer_(event_queue_),
      access_sink_(std::move(access)),
      log_(event_queue_, clock, document.node.service, document.log.level),
      journal_(clock),
      requests_(metrics_),
      recorder_({.slow = document.telemetry.slow, .sample = document.telemetry.sample}),
      events_(journal_, metrics_, log_) {
  if (access_sink_) {
    access_queue_ = std::make_unique<telemetry::LogQueue>(*access_sink_);
    access_writer_ = std::make_unique<telemetry::LogWriter>(*access_queue_);
    access_log_ = std::make_unique<telemetry::AccessLog>(*access_queue_, document.node.service);
    ShowQueue(metrics_, "access_log", *access_queue_);
  }
  ShowQueue(metrics_, "event_log", event_queue_);
  telemetry::RegisterProcessMetrics(metrics_);
}

void Observatory::Reopen() {
  if (access_sink_) access_sink_->Reopen();
}

}  // namespace hale::host
