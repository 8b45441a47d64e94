#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hale/base/field.h"
#include "hale/base/quantity.h"
#include "hale/base/time.h"
#include "hale/config/secret.h"

namespace hale::mesh {

/// Who is on the other side of a listener.
enum class Trust : std::uint8_t {
  kEdge,  ///< anybody: `hale-*` headers are stripped, the request id is new
  kMesh,  ///< our own: carried deadline, attempt and priority count
};

constexpr auto Names(Type<Trust>) {
  return std::array{Name<Trust>{"edge", Trust::kEdge}, Name<Trust>{"mesh", Trust::kMesh}};
}

/// The largest that a request may be.
struct RequestLimits {
  Size header{32 * 1024};              ///< request line and fields; beyond: 431
  std::uint32_t fields = 100;          ///< beyond: 431
  Size target{8 * 1024};               ///< beyond: 414
  Size body{64ULL * 1024 * 1024};      ///< beyond: 413; 0: without a limit
  std::uint32_t connections = 10'000;  ///< open at once on each loop; beyond: closed at once
};

constexpr auto Fields(Type<RequestLimits>) {
  using O = RequestLimits;
  return std::tuple{
      Field{"header", &O::header, Size{1024}, Size{1024 * 1024}, "request line and fields: 431"},
      Field{"fields", &O::fields, 1, 10'000, "number of header fields: 431"},
      Field{"target", &O::target, Size{64}, Size{1024 * 1024}, "request target: 414"},
      Field{"body", &O::body, Size{0}, Size{1ULL << 40}, "body: 413; 0: without a limit"},
      Field{"connections", &O::connections, 1, 1'000'000, "open at once on each loop"}};
}

/// How long a client may take.
struct RequestTimeouts {
  Duration header = std::chrono::seconds(10);  ///< from the first byte of a head to its last; 408
  Duration idle = std::chrono::seconds(60);    ///< between two requests
  Duration body = std::chrono::seconds(30);    ///< between two pieces of a body; 408
  Duration write = std::chrono::seconds(30);   ///< without progress in taking the response
};

constexpr auto Fields(Type<RequestTimeouts>) {
  using O = RequestTimeouts;
  using std::chrono::hours;
  using std::chrono::milliseconds;
  return std::tuple{
      Field{"header", &O::header, milliseconds(10), hours(1), "for a whole request head: 408"},
      Field{"idle", &O::idle, milliseconds(10), hours(24), "between two requests"},
      Field{"body", &O::body, milliseconds(10), hours(1), "between two pieces of a body: 408"},
      Field{"write", &O::write, milliseconds(10), hours(1), "without progress of a response"}};
}

/// One address that requests come in at.
struct ListenOptions {
  std::string address = {};  ///< numeric, `0.0.0.0:8080`, `[::]:8080`; port 0: any that is free
  Trust trust = Trust::kEdge;
  std::vector<std::string> trusted_proxies = {};  ///< CIDRs whose X-Forwarded-For counts
  RequestLimits limits = {};
  RequestTimeouts timeouts = {};
};

constexpr auto Fields(Type<ListenOptions>) {
  using O = ListenOptions;
  return std::tuple{
      Field{"address", &O::address, "numeric, 0.0.0.0:8080 or [::]:8080; port 0: any free one"},
      Field{"trust", &O::trust, "edge: anybody, hale-* is stripped; mesh: our own, it counts"},
      Field{"trusted_proxies", &O::trusted_proxies, "CIDRs whose X-Forwarded-For counts"},
      Field{"limits", &O::limits, "the largest that a request may be"},
      Field{"timeouts", &O::timeouts, "how long a client may take"}};
}
constexpr std::string_view Shorthand(Type<ListenOptions>) { return "address"; }

/// The port of health, metrics, status and explanations. Reading is free for whom reaches it and
/// calls it by a loopback or listed name; writing needs the token.
struct AdminOptions {
  std::string address = "127.0.0.1:9901";  ///< empty: none
  config::Secret<std::string> token = {};  ///< empty: nobody may write
  std::vector<std::string> hosts = {};     ///< further names that a Host header may have
};

constexpr auto Fields(Type<AdminOptions>) {
  using O = AdminOptions;
  return std::tuple{
      Field{"address", &O::address, "numeric; empty: no admin port"},
      Field{"token", &O::token, "who writes must have it; without one nobody may write"},
      Field{"hosts", &O::hosts, "names beside loopback that a Host header may have"}};
}

/// What happens between SIGTERM and the end.
struct DrainOptions {
  Duration wait = std::chrono::seconds(5);      ///< accepting goes on while others notice
  Duration timeout = std::chrono::seconds(30);  ///< then for what is in flight to finish
};

constexpr auto Fields(Type<DrainOptions>) {
  using O = DrainOptions;
  using std::chrono::hours;
  return std::tuple{
      Field{"wait", &O::wait, Duration(0), hours(1), "not ready, but accepting, while others see"},
      Field{"timeout", &O::timeout, Duration(0), hours(1), "then for requests to finish"}};
}

}  // namespace hale::mesh
