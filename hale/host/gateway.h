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
#include "hale/provider/file/file_source.h"

namespace hale::host {

/// A gateway from one document: listeners on a loop a core, everything that happens once a process
/// on the calling thread's loop. SIGTERM drains, a second one stops at once, SIGHUP reads the files
/// again.
class Gateway {
 public:
  /// The document's file must hold a valid document: otherwise its problems are in `problems`, and
  /// null is returned. Warnings are there, too.
  static std::unique_ptr<Gateway> Make(const std::string& file, config::Problems& problems);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// Opens the ports. Fails when one is taken.
  Result<void> Open();
  /// Where it listens, in the document's order; the admin port last.
  const std::vector<net::Address>& addresses() const { return addresses_; }
  /// Serves until it has been told to stop and has drained.
  void Run();

 private:
  using Updater = config::Updater<Document>;
  enum class Phase : std::uint8_t { kStarting, kServing, kDraining, kFinishing };

  explicit Gateway(std::unique_ptr<Updater> updater, std::unique_ptr<Observatory> observatory);

  Result<void> OpenWorkers(const Document& document);
  Result<void> OpenAdmin(const Document& document);
  void Reload();
  void Apply(const config::Offered& offered);
  void OnSignal(int signal);
  void Drain();
  void Finish(TimePoint until);
  void Judge();
  Readiness IsReady() const;
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
  mesh::ProxyShared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<AdminHandler> admin_handler_;
  std::unique_ptr<net::HttpServer> admin_server_;
  std::unique_ptr<provider::file::FileSource> source_;
  config::Subscription changes_;
  std::vector<net::Address> addresses_;
  Phase phase_ = Phase::kStarting;
  TimePoint started_{};
};

}  // namespace hale::host
