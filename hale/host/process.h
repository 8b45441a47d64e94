#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/config/updater.h"
#include "hale/host/admin.h"
#include "hale/host/admin_handler.h"
#include "hale/host/admin_routes.h"
#include "hale/host/document.h"
#include "hale/host/observatory.h"
#include "hale/host/routing.h"
#include "hale/host/signals.h"
#include "hale/host/worker.h"
#include "hale/mesh/served_request.h"
#include "hale/provider/file/file_source.h"

namespace hale::host {

/// One running process from one document: listeners on a loop a core, and on the calling thread's
/// loop what happens once: watches, health, judging, live change, the admin port, signals. SIGTERM
/// drains, a second one stops at once, SIGHUP reads the files again. What answers requests is
/// handed in: routes (the gateway) or handlers (App).
class Process {
 public:
  /// The document's file must hold a valid document: otherwise its problems are in `problems`, and
  /// null is returned. Warnings are there, too. What comes from standard input (`-`) does not
  /// change.
  static std::unique_ptr<Process> Make(const std::string& file, config::Problems& problems);
  /// The same from a text, which then does not change.
  static std::unique_ptr<Process> MakeFixed(const std::string& text, config::Problems& problems);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Opens the ports. `handlers` outlives me. Fails when a port is taken.
  Result<void> Open(const HandlerFactory& handlers);
  /// Where it listens, in the document's order; the admin port last.
  const std::vector<net::Address>& addresses() const { return addresses_; }
  /// Serves until it has been told to stop and has drained.
  void Run();

  /// Ends the loops that serve: no handler runs afterwards. Implied by the destructor.
  void Close();
  /// Makes Run return at once, as a second SIGTERM does. Thread-safe.
  void Stop() { control_.Stop(); }
  /// Whether it should get requests, as of the last 100 ms. Thread-safe.
  Readiness IsReady() const;

  const mesh::ServingRecords& records() const { return records_; }
  const telemetry::Log& log() const { return observatory_->log(); }
  const config::Live<mesh::RouteTable>& routes() const { return routes_; }
  /// A service of the document, or null. Before Run, or on the control loop.
  std::shared_ptr<mesh::Service> FindService(const std::string& name) const;

 private:
  using Updater = config::Updater<Document>;
  using Snapshot = std::shared_ptr<const config::Snapshot<Document>>;
  enum class Phase : std::uint8_t { kStarting, kServing, kDraining, kFinishing };

  static std::unique_ptr<Process> FromText(std::string_view text, const std::string& file,
                                           config::Problems& problems);
  Process(std::unique_ptr<Updater> updater, std::unique_ptr<Observatory> observatory);

  static Result<void> CheckPorts(const Document& document);
  Result<void> OpenWorkers(const Document& document, const HandlerFactory& handlers);
  Result<void> OpenAdmin(const Document& document);
  void Reload();
  void Apply(const config::Offered& offered, const Snapshot& snapshot);
  void TellRejected(const config::Problems& problems);
  void OnSignal(int signal);
  void Drain();
  void Finish(TimePoint until);
  void Judge();
  Readiness LookIfReady() const;
  std::string Status();
  void RegisterMetrics();
  void Tell(EventKind kind, Reason reason, std::string_view policy, std::string_view detail) const;

  net::Loop control_;
  Signals signals_;
  net::Resolver resolver_;
  provider::file::FileWatch files_;
  Guarded<std::unique_ptr<Updater>> updater_;
  std::unique_ptr<Observatory> observatory_;
  Routing routing_;
  config::Live<mesh::RouteTable> routes_;
  Snapshot in_force_;  // whose routes those are; the updater may be ahead of the control loop
  std::vector<std::string> at_next_start_;  // as it was told with that
  mesh::ServingRecords records_;
  std::vector<std::unique_ptr<net::ServerGroup>> groups_;  // one a listener
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<AdminHandler> admin_handler_;
  std::unique_ptr<net::HttpServer> admin_server_;
  std::unique_ptr<provider::file::FileSource> source_;
  config::Subscription changes_;
  std::vector<net::Address> addresses_;
  Phase phase_ = Phase::kStarting;
  Guarded<Readiness> readiness_{
      Readiness{.ready = false, .why = "starting", .reason = Reason::kNoInstance}};
  TimePoint started_{};
  TimePoint pruned_{};
  bool fixed_ = false;
};

}  // namespace hale::host
