#pragma once

#include <memory>
#include <string>

#include "hale/base/clock.h"
#include "hale/host/document.h"
#include "hale/host/telemetry_sink.h"
#include "hale/telemetry/access_log.h"
#include "hale/telemetry/flight_recorder.h"
#include "hale/telemetry/journal.h"
#include "hale/telemetry/log.h"
#include "hale/telemetry/log_queue.h"
#include "hale/telemetry/log_sink.h"
#include "hale/telemetry/metrics.h"
#include "hale/telemetry/request_metrics.h"

namespace hale::host {

/// All telemetry of one process, put together: metrics, the event log on standard error, the access
/// log where the document wants it, journal and flight recorder. Thread-safe.
class Observatory {
 public:
  /// kUnavailable when the access log cannot be opened.
  static Result<std::unique_ptr<Observatory>> Open(const Document& document, const Clock& clock);

  telemetry::Registry& metrics() { return metrics_; }
  telemetry::RequestMetrics& requests() { return requests_; }
  telemetry::Journal& journal() { return journal_; }
  telemetry::FlightRecorder& recorder() { return recorder_; }
  telemetry::Log& log() { return log_; }
  EventSink& events() { return events_; }
  /// Null when the document wants none.
  const telemetry::AccessLog* access_log() const { return access_log_.get(); }
  /// After a rotation of the files.
  void Reopen();

 private:
  Observatory(const Document& document, const Clock& clock,
              std::unique_ptr<telemetry::FileSink> access);

  std::unique_ptr<telemetry::FileSink> event_sink_;
  telemetry::LogQueue event_queue_;
  telemetry::LogWriter event_writer_;
  std::unique_ptr<telemetry::FileSink> access_sink_;
  std::unique_ptr<telemetry::LogQueue> access_queue_;
  std::unique_ptr<telemetry::LogWriter> access_writer_;
  std::unique_ptr<telemetry::AccessLog> access_log_;
  telemetry::Log log_;
  telemetry::Journal journal_;
  telemetry::FlightRecorder recorder_;
  telemetry::Registry metrics_;  // shows what stands above it
  telemetry::RequestMetrics requests_;
  TelemetrySink events_;
};

}  // namespace hale::host
