#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/time.h"
#include "hale/config/node.h"
#include "hale/config/reader.h"
#include "hale/mesh/listen_options.h"
#include "hale/mesh/route_options.h"
#include "hale/mesh/service_options.h"
#include "hale/telemetry/log.h"

namespace hale::host {

/// Who this process is, in logs, metrics and traces.
struct NodeOptions {
  std::string service = "hale";
  std::string zone = {};
  std::string id = {};      ///< of this process; empty: the host's name
  std::string fleet = {};   ///< service that lists all processes like this; empty: `service`
  std::uint32_t loops = 0;  ///< event loops; 0: one for each core
};

/// Its id, or the host's name.
std::string NodeId(const NodeOptions& node);
/// The service whose instances are the processes like this one. Pure.
inline const std::string& FleetOf(const NodeOptions& node) {
  return node.fleet.empty() ? node.service : node.fleet;
}

constexpr auto Fields(Type<NodeOptions>) {
  using O = NodeOptions;
  return std::tuple{Field{"service", &O::service, "the name in logs, metrics and traces"},
                    Field{"zone", &O::zone, "where it runs"},
                    Field{"id", &O::id, "of this process; empty: the host's name"},
                    Field{"fleet", &O::fleet,
                          "the entry of services that lists all processes like this one, who share "
                          "retry reserves; empty: the one named like service"},
                    Field{"loops", &O::loops, 0, 1024, "event loops; 0: one for each core"}};
}

/// Where the document that changes live comes from.
struct SourceOptions {
  std::string file = {};  ///< empty: the one on the command line
};

constexpr auto Fields(Type<SourceOptions>) {
  return std::tuple{Field{"file", &SourceOptions::file, "empty: the one on the command line"}};
}

struct ConfigOptions {
  SourceOptions from = {};
};

constexpr auto Fields(Type<ConfigOptions>) {
  return std::tuple{Field{"from", &ConfigOptions::from, "what is watched for live changes"}};
}

struct TelemetryOptions {
  std::string access_log = "stdout";        ///< `stdout`, `stderr`, `off` or a file
  Duration slow = std::chrono::seconds(1);  ///< requests that took as long are kept for /explain
  double sample = 0.001;                    ///< and this share of all others
};

constexpr auto Fields(Type<TelemetryOptions>) {
  using O = TelemetryOptions;
  return std::tuple{
      Field{"access_log", &O::access_log, "stdout, stderr, off or a file"},
      Field{"slow", &O::slow, std::chrono::milliseconds(1), std::chrono::hours(1),
            "requests that took as long are kept for /explain"},
      Field{"sample", &O::sample, 0.0, 1.0, "share of all others that is kept as well"}};
}

struct LogOptions {
  telemetry::Level level = telemetry::Level::kInfo;
};

constexpr auto Fields(Type<LogOptions>) {
  return std::tuple{Field{"level", &LogOptions::level, "the least that is written"}};
}
constexpr std::string_view Shorthand(Type<LogOptions>) { return "level"; }

/// The one document, the same in every host and in every config center.
struct Document {
  NodeOptions node = {};
  std::vector<mesh::ListenOptions> listen = {};
  mesh::AdminOptions admin = {};
  ConfigOptions config = {};
  TelemetryOptions telemetry = {};
  mesh::DrainOptions drain = {};
  std::map<std::string, mesh::ServiceOptions> services = {};
  std::vector<mesh::RouteOptions> routes = {};
  std::map<std::string, config::Node> switches = {};  ///< an application's own settings, by name
  LogOptions log = {};
};

constexpr auto Fields(Type<Document>) {
  using D = Document;
  return std::tuple{Field{"node", &D::node, "who this process is; read at start"},
                    Field{"listen", &D::listen, "where requests come in; read at start"},
                    Field{"admin", &D::admin, "health, metrics, status; read at start"},
                    Field{"config", &D::config, "where this document comes from; read at start"},
                    Field{"telemetry", &D::telemetry, "what is recorded; read at start"},
                    Field{"drain", &D::drain, "how it stops"},
                    Field{"services", &D::services, "what may be called, and how, by name"},
                    Field{"routes", &D::routes, "which requests go to which service"},
                    Field{"switches", &D::switches, "an application's own settings, by name"},
                    Field{"log", &D::log, "what is logged"}};
}

/// The sections that are read at start; a live change of one takes effect at the next start.
std::vector<std::string> StartSections();

/// Reads and judges a whole document: every value in its range, every name known, every address
/// well-formed; what is allowed but unwise is a warning, with its numbers. Without errors the
/// document can be run. Reads nothing but secrets.
config::Parsed<Document> ParseDocument(
    std::string_view text, const std::string& file,
    const config::Surroundings& surroundings = config::RealSurroundings());

}  // namespace hale::host
