#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hale/base/reason.h"
#include "hale/base/time.h"
#include "hale/telemetry/log_queue.h"
#include "hale/telemetry/trace_context.h"

namespace hale::telemetry {

/// One request, answered: the line of the access log. Views are valid while it is being written.
struct AccessRecord {
  WallTime time{};  ///< when the request began
  std::string_view request_id;
  TraceContext trace;
  std::string_view method;
  std::string_view target;  ///< as received; printed with its query's values redacted
  std::string_view route;
  std::string_view service;   ///< the one called; empty if none was
  std::string_view instance;  ///< the one that answered; empty if none did
  int status = 0;             ///< 0: the client got no response
  Reason reason = Reason::kNone;
  std::uint64_t bytes_in = 0;  ///< of the bodies
  std::uint64_t bytes_out = 0;
  Duration duration{0};
  std::uint32_t attempts = 0;  ///< sent to instances; 0: refused here
  std::string_view fallback;   ///< what was answered instead: `static`, `cached`, `service`
  Reason fell_back_after = Reason::kNone;
  std::string_view client;  ///< its address
  std::string_view user_agent;
};

/// Renders a record as a JSON line, by hand since every request pays for it, and queues it. Its
/// level is `info`, `warn` for a 4xx or 5xx with a reason and `error` for none or one cut off.
/// Thread-safe.
class AccessLog {
 public:
  /// The queue outlives me; `node` names this process's service.
  AccessLog(LogQueue& queue, std::string_view node);
  void Write(const AccessRecord& record) const;

 private:
  LogQueue& queue_;
  const std::string node_json_;
};

}  // namespace hale::telemetry
