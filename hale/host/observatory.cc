#include "hale/host/observatory.h"

#include <unistd.h>

#include "hale/telemetry/process_metrics.h"
#include "hale/telemetry/self_metrics.h"

namespace hale::host {
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
      recorder_({.slow = document.telemetry.slow, .sample = document.telemetry.sample}),
      requests_(metrics_),
      events_(journal_, metrics_, log_) {
  if (access_sink_) {
    access_queue_ = std::make_unique<telemetry::LogQueue>(*access_sink_);
    access_writer_ = std::make_unique<telemetry::LogWriter>(*access_queue_);
    access_log_ = std::make_unique<telemetry::AccessLog>(*access_queue_, document.node.service);
  }
  std::vector<telemetry::NamedLog> logs{{"event", &event_queue_}};
  if (access_queue_) logs.push_back({"access", access_queue_.get()});
  telemetry::RegisterSelfMetrics(metrics_, std::move(logs), journal_, recorder_);
  telemetry::RegisterProcessMetrics(metrics_);
  for (const std::string& why : metrics_.rejected())
    log_.Error("a metric is wrong", {{"why", why}});
}

void Observatory::Reopen() {
  if (access_sink_) access_sink_->Reopen();
}

}  // namespace hale::host
