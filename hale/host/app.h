#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hale/base/task.h"
#include "hale/config/live.h"
#include "hale/host/app_http.h"
#include "hale/host/process.h"
#include "hale/mesh/service_client.h"

namespace hale::host {

/// A service of the document, called through its policies. Used in handlers, on their loops. A
/// value; the App outlives it.
class ServiceHandle {
 public:
  ServiceHandle(std::shared_ptr<mesh::Service> service, EventSink& events)
      : service_(std::move(service)), events_(&events) {}

  Task<Result<mesh::ClientResponse>> Get(std::string target) const;
  Task<Result<mesh::ClientResponse>> Post(std::string target, std::string body) const;
  /// For a request that is being served: its deadline, trace and request id go along.
  Task<Result<mesh::ClientResponse>> Call(const Request& parent, std::string method,
                                          std::string target, std::string body = {}) const;

 private:
  std::shared_ptr<mesh::Service> service_;
  EventSink* events_;
};

/// A whole service: it is what a document says, and what its handlers do. `/health` (the process is
/// alive) and `/ready` are answered on each listener, whatever the handlers are. A mistake in the
/// document ends the process with exit code 2 and says where. Handlers are called on several loops
/// at once.
class App {
 public:
  using Handler = std::function<Task<Response>(Request)>;

  /// Reads the document that `-c FILE` names.
  App(int argc, char** argv);
  /// From the text of a document.
  explicit App(const std::string& document);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Before Run. Ends the process with exit code 2 when the document has no such service.
  ServiceHandle Use(const std::string& service);
  /// Before Run. The pattern may name segments, `/orders/{id}`; GET serves HEAD, too.
  void Get(std::string pattern, Handler handler);
  void Post(std::string pattern, Handler handler);
  void Handle(std::string method, std::string pattern, Handler handler);

  /// Serves until SIGTERM has drained it. The exit code of the process.
  int Run();
  Process& process() { return *process_; }

 private:
  friend class AppHandler;
  struct Entry {
    std::string method;
    PathPattern pattern;
    Handler handler;
    telemetry::RouteMetrics* metrics;
  };

  std::unique_ptr<Process> process_;
  std::vector<Entry> entries_;
};

}  // namespace hale::host
